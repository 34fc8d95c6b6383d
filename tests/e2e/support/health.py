"""Healthy, as a list of named conditions: the cheap ones first."""

from __future__ import annotations

import datetime

from deploys.conditions import static_pods
from homelab.site import derived
from tests.e2e.support import balancers, etcd, workload
from tests.e2e.support.cluster import Cluster
from tests.e2e.support.rig import Rig
from tests.e2e.support.waiting import Condition, wait_for

HEALTHY_S = 240.0
EMULATED_S = 1800.0
RENEWED_S = 12.0  # a kubelet renews its lease every 10 s
UNITS = {
    "balancer": ("haproxy", "keepalived"),
    "node": ("containerd", "kubelet"),
}


def wait_until_healthy(rig: Rig, timeout: float | None = None, heard_s: float = 0.0) -> float:
    """Seconds until the whole cluster was well without anybody's help.

    ``timeout``: None is what these machines may take.

    Kubelets must have been heard of since ``heard_s`` seconds before this call: the API believes
    a dead node to be Ready for 40 s. Raises UnmetError that names what is missing.
    """
    since = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=heard_s)
    if timeout is None:
        timeout = EMULATED_S if rig.emulated else HEALTHY_S
    return wait_for(conditions(rig, since), timeout)


def conditions(rig: Rig, since: datetime.datetime) -> list[Condition]:
    """What "healthy" means; ``since``: when every kubelet must have been heard of last."""
    return [
        Condition("every machine is up", lambda: _machines(rig)),
        Condition("one machine holds the VIP", lambda: _vip(rig)),
        Condition("the API answers through the VIP", lambda: _answers(rig)),
        Condition("every kubelet was heard of", lambda: _heard(rig, since)),
        Condition("every node is Ready", lambda: _nodes(rig)),
        Condition("the workload runs on every node", lambda: _workload(rig)),
        Condition("every static pod is ready", lambda: _static_pods(rig)),
        Condition("services run on every machine", lambda: _units(rig)),
        Condition("etcd is whole", lambda: etcd.problem(rig)),
        Condition("every balancer sees every backend", lambda: balancers.down(rig)),
    ]


def _machines(rig: Rig) -> str:
    wrong = {name: rig.lab.state(name) for name in rig.nodes if rig.lab.state(name) != "up"}
    return str(wrong) if wrong else ""


def _vip(rig: Rig) -> str:
    found = balancers.holders(rig)
    return "" if len(found) == 1 else f"held by {found or 'nobody'}"


def _answers(rig: Rig) -> str:
    api = rig.api(timeout=3.0)
    try:
        api.request("GET", "/version")
    finally:
        api.close()
    return ""


def _heard(rig: Rig, since: datetime.datetime) -> str:
    with Cluster(rig) as cluster:
        renewed = cluster.renewed()
    silent = [n for n in rig.nodes if n not in renewed or renewed[n] < since]
    return f"silent: {', '.join(silent)}" if silent else ""


def _nodes(rig: Rig) -> str:
    with Cluster(rig) as cluster:
        known, not_ready = cluster.nodes(), cluster.not_ready()
    missing = sorted(set(rig.nodes) - set(known))
    extra = sorted(set(known) - set(rig.nodes))
    wrong = {"missing": missing, "unknown": extra, "not ready": not_ready}
    return ", ".join(f"{what}: {names}" for what, names in wrong.items() if names)


def _workload(rig: Rig) -> str:
    with Cluster(rig) as cluster:
        workload.ensure(rig, cluster)
        return workload.problem(rig, cluster)


def _static_pods(rig: Rig) -> str:
    """Asked themselves: kubelet makes their mirrors in the API up to a minute late."""
    wrong = []
    for machine in rig.control_planes:
        for condition in static_pods(rig.site):
            said = rig.root(machine, f"( {condition.probe} ) && echo MET || true")
            if not said.endswith("MET\n"):
                wrong.append(f"{machine}: not so: {condition.name}: {said.strip()}")
    return "; ".join(wrong)


def _units(rig: Rig) -> str:
    wrong = []
    for machine in rig.nodes:
        units = list(UNITS["node"])
        if machine in [m.name for m in derived.balancers(rig.site)]:
            units += UNITS["balancer"]
        states = rig.root(machine, f"systemctl is-active {' '.join(units)} || true").split()
        wrong += [
            f"{machine}: {u} {s}" for u, s in zip(units, states, strict=True) if s != "active"
        ]
    return ", ".join(wrong)
