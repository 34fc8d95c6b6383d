"""How a machine leaves the cluster; and how all of them do, when the cluster is given up."""

from __future__ import annotations

from dataclasses import dataclass

from gevent.lock import RLock
from pyinfra import host, inventory, logger
from pyinfra.api.exceptions import DeployError

from deploys.run import Run, this_run
from facts.etcd import Etcd
from homelab import quorum
from homelab.site import derived
from homelab.site.model import Machine
from operations import membership
from operations.wipe import reset


@dataclass(frozen=True)
class Plan:
    """``anchor`` speaks for the cluster that goes on; None if none does."""

    run: Run
    leaving: tuple[Machine, ...]
    reachable: frozenset[str]
    anchor: Machine | None


_alone = RLock()
_plan: list[Plan] = []


def this_plan() -> Plan:
    """What is asked for, checked once for all hosts; DeployError before anything is changed."""
    with _alone:
        if not _plan:
            _plan.append(_make())
        return _plan[0]


def _make() -> Plan:
    run = this_run(strict=False)
    site, asked = run.site, host.data.get("machine")
    reachable = frozenset(target.name for target in inventory.get_active_hosts())
    if host.data.get("cluster"):
        if host.data.cluster != site.name:
            raise DeployError(
                f"this inventory is the site {site.name!r}, not {host.data.cluster!r}"
            )
        return Plan(run, site.machines, reachable, None)
    names = [machine.name for machine in site.machines]
    if asked not in names:
        raise DeployError(
            f"say what to take apart: --data machine=NAME (one of {', '.join(names)}), "
            f"or all of it: --data cluster={site.name}"
        )
    leaving = derived.machine(site, asked)
    others = [m for m in derived.control_planes(site) if m != leaving and m.name in reachable]
    anchor = next((m for m in others if run.phase(m) == "ours"), None)
    _guard(run, leaving, anchor, reachable)
    return Plan(run, (leaving,), reachable, anchor)


def _guard(run: Run, leaving: Machine, anchor: Machine | None, reachable: frozenset[str]) -> None:
    """Refuse what would cost the cluster its quorum."""
    if leaving not in derived.control_planes(run.site) or run.phase(leaving) == "none":
        return
    why = None
    if anchor is None:
        why = (
            f"{leaving.name} is the last control plane within reach: its etcd's quorum ends with it"
        )
    else:
        etcd = inventory.get_host(anchor.name).get_fact(Etcd, endpoints=_endpoints(run))
        voters = {
            m.client_urls[0]: m.name for m in etcd.members or () if not m.is_learner and m.started
        }
        healthy = {voters.get(h.endpoint, "") for h in etcd.healths or () if h.healthy}
        if leaving.name in voters.values() or not voters:
            why = quorum.refusal(set(voters.values()), healthy - {""}, leaving.name)
    if why is None:
        return
    if host.data.get("break_quorum") == leaving.name:
        logger.warning(f"{leaving.name}: {why}; it was asked for by name")
        return
    raise DeployError(
        f"{leaving.name}: {why}. Bring the others back first; or, if the data may be lost: "
        f"--data break_quorum={leaving.name}"
    )


def _endpoints(run: Run) -> str:
    return ",".join(f"https://{m.address}:2379" for m in derived.control_planes(run.site))


def move_pods_away(plan: Plan) -> None:
    """Evicted where the machine is alive; a dead one's pods are replaced when its node is gone."""
    for machine in plan.leaving:
        if machine.name in plan.reachable:
            membership.drain(name=f"Leave: pods of {machine.name} move away", node=machine.name)


def give_away(plan: Plan, machine: Machine) -> None:
    """VIP and etcd's leadership go before the machine does."""
    if machine in derived.control_planes(plan.run.site):
        membership.give_away(
            name="Leave: VIP and etcd's leadership",
            site=plan.run.site.name,
            address=machine.address,
        )


def forget(plan: Plan) -> None:
    """etcd member first, so that quorum counts without it; then kubeadm's record and the node."""
    for machine in plan.leaving:
        if machine in derived.control_planes(plan.run.site):
            membership.remove_member(
                name=f"Leave: etcd member {machine.name}",
                machine=machine.name,
                address=machine.address,
            )
        membership.delete_node(name=f"Leave: node {machine.name}", node=machine.name)


def wipe(plan: Plan, machine: Machine) -> None:
    """Nothing of the cluster is left on the machine; packages, images and base settings are."""
    reset(name="Leave: what is on the machine")
