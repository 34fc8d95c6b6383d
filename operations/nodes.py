"""Labels and taints of nodes as the site declares them."""

from __future__ import annotations

import shlex
from collections.abc import Generator

from pyinfra import host
from pyinfra.api import StringCommand, operation

from facts.nodes import Node, Nodes
from homelab.documents.kubeadm import control_plane_keys
from homelab.site import derived
from homelab.site.model import Machine, Site
from operations.kubeadm import KUBECTL


def marks(site: Site, machine: Machine, node: Node) -> list[str]:
    """kubectl commands that add what is declared and missing; what others set is left alone.

    Whether a control plane is a worker too decides about kubeadm's own taint.
    """
    commands = []
    labels = [f"{k}={v}" for k, v in machine.labels.items() if node.labels.get(k) != v]
    if labels:
        words = " ".join(shlex.quote(label) for label in labels)
        commands.append(f"{KUBECTL} label node {machine.name} --overwrite {words}")
    there = {str(taint) for taint in node.taints}
    wanted = [*machine.taints]
    if "control_plane" in machine.roles:
        kubeadms = [f"{key}:NoSchedule" for key in control_plane_keys(site)]
        if "worker" not in machine.roles:
            wanted += kubeadms
        else:
            gone = [taint for taint in kubeadms if taint in there]
            commands += [f"{KUBECTL} taint node {machine.name} {taint}-" for taint in gone]
    for taint in wanted:
        if taint.replace("=:", ":") not in there:
            commands.append(f"{KUBECTL} taint node {machine.name} --overwrite {shlex.quote(taint)}")
    return commands


@operation()
def mark(site: Site) -> Generator[StringCommand, None, None]:
    """Run on a control plane.

    .. code:: python

        nodes.mark(name="Nodes: labels and taints", site=site)
    """
    known = {node.name: node for node in host.get_fact(Nodes).nodes or ()}
    for machine in derived.nodes(site):
        if machine.name in known:
            for command in marks(site, machine, known[machine.name]):
                yield StringCommand(command)
