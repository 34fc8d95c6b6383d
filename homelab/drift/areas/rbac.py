"""Who may do everything in the cluster, who needs no name for it, and who may join."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from homelab.drift.finding import CLUSTER, Finding
from homelab.drift.view import View

if TYPE_CHECKING:
    from facts.rbac import Binding, Rbac

# Kubernetes' own (kubernetes.io/docs/reference/access-authn-authz/rbac) and kubeadm's from 1.29.
ADMINS = {("cluster-admin", "Group:system:masters"),
          ("kubeadm:cluster-admins", "Group:kubeadm:cluster-admins")}  # fmt: skip
NAMELESS = ("User:system:anonymous", "Group:system:unauthenticated")
PUBLIC = {
    ("", "system:public-info-viewer"),
    ("kube-public", "kubeadm:bootstrap-signer-clusterinfo"),
}
OWN_NAMESPACE = "kube-system"  # whoever rules here rules the cluster


def cluster_findings(view: View) -> Iterator[Finding]:
    """By whichever control plane's API answered first."""
    said = (told.facts.rbac for told in view.planes if told.facts.rbac is not None)
    read = next((rbac for rbac in said if rbac.bindings is not None), None)
    if read is None:
        return
    wild = {f"ClusterRole/{name}" for name in read.wildcards or ()} | {"ClusterRole/cluster-admin"}
    for binding in read.bindings or ():
        yield from _binding(binding, wild)
    for name in read.wildcards or ():
        if name != "cluster-admin":
            yield Finding("rbac.wildcard", CLUSTER, name, "no such role",
                          "every verb on everything", "undeclared")  # fmt: skip
    yield from _tokens(view, read)


def _binding(binding: Binding, wild: set[str]) -> Iterator[Finding]:
    where = "/".join(filter(None, (binding.namespace, binding.name)))
    nameless = [subject for subject in binding.subjects if subject in NAMELESS]
    if nameless and (binding.namespace, binding.name) not in PUBLIC:
        yield Finding("rbac.anonymous", CLUSTER, where, "no such binding",
                      f"{', '.join(nameless)} has {binding.role}", "undeclared")  # fmt: skip
        return
    if binding.role not in wild or binding.namespace not in ("", OWN_NAMESPACE):
        return
    others = [s for s in binding.subjects if (binding.name, s) not in ADMINS]
    if others:
        yield Finding("rbac.cluster-admin", CLUSTER, where, "no such binding",
                      f"{', '.join(others)} has {binding.role}", "undeclared")  # fmt: skip


def _tokens(view: View, read: Rbac) -> Iterator[Finding]:
    """A run of the deploy takes its own away; one that is over is the token cleaner's affair."""
    for name, end in (read.tokens or {}).items():
        if end and datetime.fromisoformat(end) <= view.now:
            continue
        yield Finding("access.bootstrap-token", CLUSTER, name, "no such token",
                      f"good until {end}" if end else "good for ever", "undeclared")  # fmt: skip
