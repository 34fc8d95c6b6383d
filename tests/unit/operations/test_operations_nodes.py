"""Labels and taints: what is declared and missing is added, and whether a control plane works."""

from __future__ import annotations

from dataclasses import replace

from facts.nodes import Node, Nodes, Taint
from homelab.site.model import Machine
from operations.kubeadm import KUBECTL
from operations.nodes import marks
from tests.unit.documents.document_sites import lab
from tests.unit.facts.fact_captures import FOLDER

SITE = lab()
MASTER = Taint("node-role.kubernetes.io/master", "", "NoSchedule")  # kubeadm 1.20's own


def node(machine: Machine, *taints: Taint, **labels: str) -> Node:
    """A captured node with other marks."""
    captured = (
        Nodes().process((FOLDER / "nodes-three-control-planes.txt").read_text().splitlines()).nodes
        or ()
    )[0]
    return replace(captured, name=machine.name, taints=taints, labels=labels)


def asked(machine: Machine, found: Node) -> list[str]:
    return [command.removeprefix(f"{KUBECTL} ") for command in marks(SITE, machine, found)]


def test_nothing_is_done_where_all_is_as_declared() -> None:
    plane, worker = SITE.machines[0], SITE.machines[-1]
    assert asked(plane, node(plane, MASTER)) == []
    assert asked(worker, node(worker, others="own")) == []


def test_what_is_missing_is_added() -> None:
    worker = SITE.machines[-1].replace(
        labels={"disk": "ssd", "rack": "left"}, taints=("gpu:NoExecute",)
    )
    assert asked(worker, node(worker, rack="left")) == [
        f"label node {worker.name} --overwrite disk=ssd",
        f"taint node {worker.name} --overwrite gpu:NoExecute",
    ]


def test_a_control_plane_that_becomes_a_worker_loses_kubeadms_taint_and_gets_it_back() -> None:
    plane = SITE.machines[0]
    works = plane.replace(roles=(*plane.roles, "worker"))
    taint = "node-role.kubernetes.io/master:NoSchedule"
    assert asked(works, node(plane, MASTER)) == [f"taint node {plane.name} {taint}-"]
    assert asked(works, node(plane)) == []
    assert asked(plane, node(plane)) == [f"taint node {plane.name} --overwrite {taint}"]
