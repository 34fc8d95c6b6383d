"""Node objects, captured from clusters of the lab."""

from __future__ import annotations

from facts.nodes import NodeList, parse
from tests.unit.facts.fact_captures import capture


def nodes(name: str) -> NodeList:
    return parse(capture(f"nodes-{name}"))


def test_a_cluster_of_three_control_planes_and_a_worker() -> None:
    found = nodes("three-control-planes")
    assert [node.name for node in found.nodes or ()] == ["cp1", "cp2", "cp3", "w1"]
    assert all(node.ready for node in found.nodes or ())
    cp1, w1 = found.node("cp1"), found.node("w1")
    assert cp1 is not None
    assert w1 is not None
    assert cp1.roles == ("control-plane", "master")
    assert w1.roles == ()
    assert [str(taint) for taint in cp1.taints] == ["node-role.kubernetes.io/master:NoSchedule"]
    assert cp1.addresses == {"InternalIP": ("10.77.0.11",), "Hostname": ("cp1",)}
    assert cp1.kubelet_version == "v1.20.2"
    assert cp1.runtime_version == "containerd://1.6.20"
    assert not cp1.unschedulable


def test_a_cordoned_node_with_a_label_and_a_taint() -> None:
    node = nodes("cordoned").node("w1")
    assert node is not None
    assert node.ready
    assert node.unschedulable
    assert node.labels["homelab/disk"] == "ssd"
    assert "homelab=test:NoSchedule" in [str(taint) for taint in node.taints]


def test_a_node_whose_kubelet_went_silent_is_neither_ready_nor_not() -> None:
    node = nodes("silent-worker").node("w1")
    assert node is not None
    assert node.ready is None
    assert "stopped posting node status" in node.ready_reason
    assert "node.kubernetes.io/unreachable:NoExecute" in [str(taint) for taint in node.taints]


def test_an_api_that_does_not_answer_is_not_a_cluster_without_nodes() -> None:
    refused, hung = nodes("refused"), nodes("etcd-hung")
    assert refused.nodes is None
    assert "refused" in refused.unread["nodes"]
    assert hung.nodes is None
    assert "deadline" in hung.unread["nodes"]


def test_a_cluster_without_nodes_is_empty() -> None:
    empty = parse(["@@ask nodes", '{"kind": "List", "items": []}', "@@answer 0 "])
    assert empty.nodes == ()
    assert not empty.unread
