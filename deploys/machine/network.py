"""Bond, address and routes: one machine at a time, on trial; no mistake locks anybody out."""

from __future__ import annotations

from pyinfra import host

from deploys import conditions
from deploys.kubernetes import rolling
from deploys.machine import sound
from deploys.run import Run
from homelab.documents.network import network
from homelab.documents.ports import names
from homelab.documents.probes import Probe, probes
from homelab.documents.trial import network_trial
from homelab.documents.vip import keepalived
from homelab.site import derived
from homelab.site.model import Machine
from operations import gate, guard, layer
from operations.condition import Condition
from operations.network import Trial, try_out


def to_change(run: Run) -> list[Machine]:
    """The machines whose network is ours to set, and is not as declared."""
    return [machine for machine in run.site.machines if _differs(run, machine)]


def prepare(run: Run, machine: Machine) -> None:
    """The machine's own means to take a network back; nothing where it is somebody else's."""
    means = network_trial(run.site, machine)
    if machine.network == "networkd" and run.differs(machine, means):
        layer.apply(name="Network: the means to take a change back", layer=means)


def change(run: Run, machine: Machine) -> None:
    """A machine that can't prove its new network has the old one again, and the run ends here."""
    member = run.phase(machine) == "ours"
    balances = machine in derived.balancers(run.site) and (
        member or run.surveys[machine.name].balances
    )
    if member and rolling.guarded(run, machine):
        guard.leave(
            name=f"Network: {machine.name} gives away VIP and leadership",
            address=machine.address,
            others=rolling.others(run, machine),
        )
    elif balances and len(derived.balancers(run.site)) > 1:
        guard.step_aside(name=f"Network: {machine.name} gives away the VIP")
    try_out(
        name=f"Network: {machine.name}, bond and address, on trial",
        trial=Trial(
            layer=network(run.site, machine, run.traits(machine)),
            names=tuple(names(run.site, machine)),
            probes=(
                *probes(run.site, machine, run.traits(machine)),
                *(Probe(c.name, "always", c.probe) for c in _cluster(run, machine) if member),
            ),
            seconds=run.site.timings.network_trial_s,
            addresses=tuple(dict.fromkeys([machine.address, host.data.ssh_hostname])),
        ),
    )
    if balances:
        # the address may be on another port now: a VLAN, a bridge
        layer.apply(
            name=f"Network: {machine.name}, the VIP's port",
            layer=keepalived(run.site, machine, run.traits(machine)),
        )
        guard.come_back(name=f"Network: {machine.name} may hold the VIP again")
    gate.passed(
        name=f"Network: {machine.name}, gate",
        gate=f"{machine.name}'s network",
        conditions=[
            *sound.network(run.site, machine),
            *(rolling.conditions_of(run, machine) if member else ()),
            *(conditions.balancer(run.site, machine) if balances else ()),
        ],
        seconds=run.site.timings.gate_s if member else 60,
    )


def _cluster(run: Run, machine: Machine) -> list[Condition]:
    """What a member has to reach over its new network: the API, and etcd's majority."""
    found = [conditions.balanced_api(run.site), conditions.kubelet()]
    if machine in derived.control_planes(run.site):
        found.append(conditions.own_etcd(machine))
    return found


def _differs(run: Run, machine: Machine) -> bool:
    return machine.network == "networkd" and run.differs(
        machine, network(run.site, machine, run.traits(machine))
    )
