"""The cluster's Node objects, as its API gives them to this machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pyinfra.api.facts import FactBase

from facts.questions import answers, questions
from facts.record import Reading, Record, parsed, unknown

ADMIN = "/etc/kubernetes/admin.conf"
ROLE = "node-role.kubernetes.io/"


@dataclass(frozen=True)
class Taint(Record):
    key: str
    value: str
    effect: str

    def __str__(self) -> str:
        """As a site file and ``kubectl taint`` spell it: ``key=value:effect``."""
        return (
            f"{self.key}={self.value}:{self.effect}" if self.value else f"{self.key}:{self.effect}"
        )


@dataclass(frozen=True)
class Node(Record):
    """One node. ``ready`` is None when its kubelet went silent (condition "Unknown")."""

    name: str
    ready: bool | None
    ready_reason: str  # the kubelet's or the node controller's own words
    roles: tuple[str, ...]
    labels: Mapping[str, str]
    taints: tuple[Taint, ...]
    addresses: Mapping[str, tuple[str, ...]]  # "InternalIP" -> ("192.168.0.11",)
    unschedulable: bool
    pod_cidr: str | None
    kubelet_version: str
    runtime_version: str  # "containerd://1.6.20"
    kernel_version: str
    os_image: str
    boot_id: str


@dataclass(frozen=True)
class NodeList(Reading):
    """``nodes`` is None if the API did not answer; () is a cluster without nodes."""

    nodes: tuple[Node, ...] | None = None

    def node(self, name: str) -> Node | None:
        """The node called ``name``; None if there is none, or if nothing could be read."""
        return next((node for node in self.nodes or () if node.name == name), None)


def parse(output: list[str]) -> NodeList:
    """Output of :class:`Nodes`' command; ValueError and the like on garbage."""
    asked = answers(output)
    if not asked:
        return Nodes.default()
    answer = asked["nodes"]
    if answer.failure:
        return NodeList(unread={"nodes": answer.failure})
    return NodeList(nodes=tuple(map(_node, answer.json()["items"])))


def _node(item: Mapping[str, Any]) -> Node:
    metadata, spec, status = item["metadata"], item["spec"], item["status"]
    labels = metadata.get("labels") or {}
    info = status["nodeInfo"]
    conditions = {entry["type"]: entry for entry in status.get("conditions") or ()}
    ready = conditions.get("Ready", {"status": "Unknown", "reason": "no Ready condition yet"})
    addresses: dict[str, tuple[str, ...]] = {}
    for entry in status.get("addresses") or ():
        addresses[entry["type"]] = (*addresses.get(entry["type"], ()), entry["address"])
    return Node(
        name=metadata["name"],
        ready={"True": True, "False": False}.get(ready["status"]),
        ready_reason=": ".join(filter(None, (ready.get("reason"), ready.get("message")))),
        roles=tuple(sorted(key.removeprefix(ROLE) for key in labels if key.startswith(ROLE))),
        labels=labels,
        taints=tuple(
            Taint(taint["key"], taint.get("value", ""), taint["effect"])
            for taint in spec.get("taints") or ()
        ),
        addresses=addresses,
        unschedulable=bool(spec.get("unschedulable", False)),
        pod_cidr=spec.get("podCIDR"),
        kubelet_version=info["kubeletVersion"],
        runtime_version=info["containerRuntimeVersion"],
        kernel_version=info["kernelVersion"],
        os_image=info["osImage"],
        boot_id=info["bootID"],
    )


class Nodes(FactBase[NodeList]):
    """All nodes, asked with the machine's admin kubeconfig; ``seconds`` is the whole time-out.

    .. code:: python

        [node.name for node in host.get_fact(Nodes).nodes or () if not node.ready]
    """

    def command(self, seconds: int = 10, kubeconfig: str = ADMIN) -> str:
        return questions(
            {
                "nodes": f"kubectl --kubeconfig={kubeconfig} --request-timeout={seconds}s "
                "get nodes -o json"
            },
            seconds + 2,
        )

    @staticmethod
    def default() -> NodeList:
        return NodeList(unread=unknown("nodes"))

    def process(self, output: list[str]) -> NodeList:
        return parsed("nodes", parse, output)
