"""All areas over all machines: from what was told to what is not as declared."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from yaml import YAMLError

from homelab.drift.areas import (
    access,
    balancer,
    certificates,
    cluster,
    etcd,
    health,
    host,
    keys,
    kubelet,
    layers,
    network,
    nodes,
    overrides,
    packages,
    rbac,
    reading,
    secrets,
    static_pods,
)
from homelab.drift.finding import CLUSTER as WHOLE
from homelab.drift.finding import Finding
from homelab.drift.report import sorted_findings
from homelab.drift.view import Told, View

OfMachine = Callable[[View, Told], Iterator[Finding]]
OfCluster = Callable[[View], Iterator[Finding]]

MACHINES: tuple[OfMachine, ...] = (
    reading.findings,
    layers.findings,
    host.findings,
    overrides.findings,
    health.findings,
    packages.findings,
    access.findings,
    keys.findings,
    network.findings,
    static_pods.findings,
    kubelet.findings,
    certificates.findings,
    balancer.findings,
)
CLUSTER: tuple[OfCluster, ...] = (
    cluster.cluster_findings,
    etcd.cluster_findings,
    balancer.cluster_findings,
    nodes.cluster_findings,
    kubelet.cluster_findings,
    secrets.cluster_findings,
    rbac.cluster_findings,
)


def compare(view: View) -> tuple[Finding, ...]:
    """Every finding once, worst first."""
    found: list[Finding] = []
    for told in view.told:
        if told.silent:
            found += reading.findings(view, told)
            continue
        own = [f for area in MACHINES for f in _all(area, told.name, view, told)]
        found += [finding for finding in own if not _explained(finding, own)]
    for of_cluster in CLUSTER:
        found += _all(of_cluster, WHOLE, view)
    return sorted_findings(found)


def _all(area: Callable[..., Iterator[Finding]], machine: str, *seen: object) -> list[Finding]:
    """What an area finds. One that trips over what it was told has not judged it: that is unknown,
    and no reason to say nothing of all the rest."""
    found: list[Finding] = []
    try:
        found.extend(area(*seen))
    except (ValueError, LookupError, TypeError, AttributeError, YAMLError) as error:
        name = area.__module__.rpartition(".")[2]
        why = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        found.append(Finding("read.fact", machine, f"area {name}", "understood", why, "unknown"))
    return found


def _explained(finding: Finding, own: list[Finding]) -> bool:
    """A layer's own test that it is in force says less than an area that has found out why."""
    match finding.rule:
        case "host.live":
            return host.explains_live(own)
        case "network.live":
            return any(other.rule == "network.bond" for other in own)
        case "control-plane.live" | "worker.live":
            return any(other.rule in static_pods.EXPLAINS_LIVE for other in own)
    return False
