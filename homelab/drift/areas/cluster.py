"""What the cluster keeps of its own configuration, and the versions that meet there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from homelab.documents.settled import settled
from homelab.drift.finding import CLUSTER, Finding
from homelab.drift.view import View

if TYPE_CHECKING:
    from facts.kubeadm import KubeadmState


def cluster_findings(view: View) -> Iterator[Finding]:
    """kubeadm's ConfigMap against the declaration; each control plane's own versions."""
    states = {t.name: t.facts.kubeadm for t in view.planes if t.facts.kubeadm is not None}
    read = next((s for s in states.values() if s.cluster is not None), None)
    if read is not None:
        yield from _config_map(view, read)
    elif any("config" not in s.unread for s in states.values()):
        yield Finding("kubeadm.config-map", CLUSTER, "kubeadm-config", "there", "missing")
    wanted = f"v{view.site.kubernetes.version}"
    for name, state in states.items():
        if state.version is not None and state.version != wanted:
            yield Finding("version.skew", name, "kubeadm on disk", wanted, state.version)
        if state.server_version is not None and state.server_version != wanted:
            yield Finding("version.skew", name, "API server", wanted, state.server_version)


def _config_map(view: View, read: KubeadmState) -> Iterator[Finding]:
    cluster = dict(read.cluster or {})
    flat = cluster | dict(cluster.get("networking") or {})
    for key, value in settled(view.site).items():
        if "." not in key and str(flat.get(key)) != value:  # those with a dot are no fields of it
            yield Finding("kubeadm.config-map", CLUSTER, key, value, str(flat.get(key)))
