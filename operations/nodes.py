"""Labels and taints of nodes as the site declares them."""

from __future__ import annotations

import shlex
from collections.abc import Generator, Sequence

from pyinfra import host
from pyinfra.api import StringCommand, operation

from facts.nodes import Node, Nodes
from homelab.site.model import Machine
from operations.kubeadm import KUBECTL


def marks(machine: Machine, node: Node) -> list[str]:
    """kubectl commands that add what is declared and missing; what others set is left alone."""
    commands = []
    labels = [f"{k}={v}" for k, v in machine.labels.items() if (node.labels or {}).get(k) != v]
    if labels:
        words = " ".join(shlex.quote(label) for label in labels)
        commands.append(f"{KUBECTL} label node {machine.name} --overwrite {words}")
    there = {f"{t.key}={t.value or ''}:{t.effect}" for t in node.taints or ()}
    for taint in machine.taints:
        name, _, effect = taint.rpartition(":")
        key, _, value = name.partition("=")
        if f"{key}={value}:{effect}" not in there:
            commands.append(f"{KUBECTL} taint node {machine.name} --overwrite {shlex.quote(taint)}")
    return commands


@operation()
def mark(machines: Sequence[Machine]) -> Generator[StringCommand, None, None]:
    """Run on a control plane.

    .. code:: python

        nodes.mark(name="Nodes: labels and taints", machines=derived.nodes(site))
    """
    if not any(machine.labels or machine.taints for machine in machines):
        host.noop("the site declares neither labels nor taints")
        return
    known = {node.name: node for node in host.get_fact(Nodes).nodes or ()}
    for machine in machines:
        if machine.name in known:
            for command in marks(machine, known[machine.name]):
                yield StringCommand(command)
