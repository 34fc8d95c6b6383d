"""The cluster's nodes, by whichever control plane's API answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from homelab.documents.kubeadm import control_plane_keys
from homelab.drift.finding import Finding
from homelab.drift.view import View
from homelab.site import derived
from homelab.site.model import Machine

if TYPE_CHECKING:
    from facts.nodes import Node, NodeList

# Kubernetes puts these on by itself, for what is told elsewhere (kubernetes.io/docs/reference/
# labels-annotations-taints): node.kubernetes.io/not-ready, unreachable, unschedulable, …
BY_ITSELF = "node.kubernetes.io/"
ROLE = "node-role.kubernetes.io/"


def cluster_findings(view: View) -> Iterator[Finding]:
    """Members that are missing, nodes that nobody declared, and how those that are there are."""
    read = speaking(view)
    if read is None or read.nodes is None:
        return
    declared = {machine.name: machine for machine in derived.nodes(view.site)}
    there = {node.name for node in read.nodes}
    for name in declared:
        survey = view.of(name).facts.survey
        if name not in there and (survey is None or survey.membership(view.site.name) == "ours"):
            yield Finding("node.missing", name, name, "a node", "none")
    for node in read.nodes:
        machine = declared.get(node.name)
        if machine is None:
            yield Finding("node.undeclared", node.name, node.name, "no node",
                          f"a node with {node.kubelet_version}", "undeclared")  # fmt: skip
        else:
            yield from _node(view, machine, node)


def speaking(view: View) -> NodeList | None:
    """What the first control plane said whose API answered."""
    read = (told.facts.nodes for told in view.planes if told.facts.nodes is not None)
    return next((nodes for nodes in read if nodes.nodes is not None), None)


def _node(view: View, machine: Machine, node: Node) -> Iterator[Finding]:
    name = node.name
    if node.ready is not True:
        yield Finding("node.not-ready", name, name, "Ready", node.ready_reason or "not Ready")
    if node.unschedulable:
        yield Finding("node.cordoned", name, name, "schedulable", "cordoned")
    if machine.address not in node.addresses.get("InternalIP", ()):
        actual = ", ".join(node.addresses.get("InternalIP", ())) or "none"
        yield Finding("node.address", name, name, machine.address, actual)
    wanted = f"v{view.site.kubernetes.version}"
    if node.kubelet_version != wanted:
        yield Finding("version.skew", name, "kubelet", wanted, node.kubelet_version)
    yield from _labels(machine, node)
    yield from _taints(view, machine, node)


def _labels(machine: Machine, node: Node) -> Iterator[Finding]:
    for key, value in machine.labels.items():
        if node.labels.get(key) != value:
            yield Finding("node.label", node.name, key, value, node.labels.get(key, "none"))
    role = any(key in node.labels for key in (f"{ROLE}control-plane", f"{ROLE}master"))
    if role != ("control_plane" in machine.roles):
        words = ("a control plane", "none")
        expected, actual = reversed(words) if role else words
        yield Finding("node.label", node.name, f"{ROLE}control-plane", expected, actual)


def _taints(view: View, machine: Machine, node: Node) -> Iterator[Finding]:
    wanted = set(machine.taints)
    if "control_plane" in machine.roles and "worker" not in machine.roles:
        wanted |= {f"{key}:NoSchedule" for key in control_plane_keys(view.site)}
    there = {str(taint) for taint in node.taints if not taint.key.startswith(BY_ITSELF)}
    for taint in sorted(wanted - there):
        yield Finding("node.taint", node.name, taint, "there", "missing")
    for taint in sorted(there - wanted):
        yield Finding("node.taint-undeclared", node.name, taint, "not there", "there", "undeclared")
