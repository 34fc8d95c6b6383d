"""Rules of what the deploy writes: each layer's files, their modes, units and what is in force.

The same five rules for each layer; how bad they are is the layer's.
"""

from __future__ import annotations

from dataclasses import dataclass

from homelab.drift.rule import CLUSTER, NETWORK, Rule, Severity


@dataclass(frozen=True)
class Kind:
    """One layer (:class:`homelab.documents.document.Layer`) in words."""

    area: str
    severity: Severity
    why: str
    restarts: str = "nothing"
    deploy: str = CLUSTER


H, M = Severity.HIGH, Severity.MEDIUM
LAYERS = {
    "host": Kind("host", M, "names, kernel settings, time and apt's limits are the ground of it"),
    "firewall": Kind("firewall", Severity.CRITICAL, "it decides who reaches etcd and the kubelets"),
    "network-trial": Kind(
        "network", M, "without it a bad network is not taken back by the machine itself"
    ),
    "network": Kind(
        "network", H, "the next boot or reload takes the network from these files",
        "the machine's network, on trial", NETWORK,
    ),
    "haproxy": Kind("balancer", H, "a balancer with another configuration hides dead API servers",
                    "HAProxy, without a lost connection"),
    "keepalived": Kind("balancer", H, "the VIP moves by this, and may be held twice or by nobody",
                       "keepalived: the VIP moves"),
    "runtime": Kind("runtime", M, "pods start by this configuration",
                    "the container runtime; pods go on"),
    "kubelet": Kind("kubelet", M, "kubelet starts by this unit", "kubelet; pods go on"),
    "cni-bridge": Kind("pod network", M, "new pods get their network by it"),
    "pod-routes": Kind("pod network", H, "without the routes pods of two nodes do not meet"),
    "serving": Kind("certificates", M, "the kubelets' serving certificates are approved by it"),
    "worker": Kind("kubelet", M, "kubelet's configuration follows from it", "kubelet; pods go on"),
    "control-plane": Kind(
        "static pods", H, "the next run makes the static pods from these files",
        "the static pods that differ, one machine at a time",
    ),
}  # fmt: skip


def _rules(name: str, kind: Kind) -> dict[str, Rule]:
    run = f"run {kind.deploy}"

    def rule(why: str, severity: Severity = kind.severity) -> Rule:
        return Rule(kind.area, severity, why, run, kind.deploy, kind.restarts)

    return {
        f"{name}.file": rule(kind.why),
        f"{name}.mode": rule("who may read or change it is part of what was declared"),
        f"{name}.unit": rule("a service that does not run, or not after a boot, does nothing"),
        f"{name}.live": rule("the files are as declared, but something else is in force"),
        f"{name}.remains": rule("it counts as well, and was to be gone", M),
        f"{name}.stamp": rule("the machine has not brought the site as it is now into force", M),
    }


RULES = {key: rule for name, kind in LAYERS.items() for key, rule in _rules(name, kind).items()}
