"""Pods, containers and images of the runtime: through crictl, or containerd's ctr without it.

Shapes: the CRI's messages as JSON (k8s.io/cri-api runtime/v1); for ctr the container objects with
the CRI plugin's metadata, and two tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pyinfra.api.facts import FactBase

from facts import ctr
from facts.questions import Answer, answers, questions
from facts.record import Reading, parsed, unknown
from facts.workload import Container, Image, Pod


@dataclass(frozen=True)
class RuntimeState(Reading):
    """Everything that the container runtime keeps for Kubernetes, stopped things too."""

    source: Literal["crictl", "ctr"] | None = None
    pods: tuple[Pod, ...] | None = None
    containers: tuple[Container, ...] | None = None
    images: tuple[Image, ...] | None = None

    def running(self, name: str) -> tuple[Container, ...]:
        """Running containers called ``name`` ("etcd"), of whichever pod."""
        return tuple(
            container
            for container in self.containers or ()
            if container.name == name and container.state == "running"
        )

    def image(self, reference: str) -> Image | None:
        """The image known as ``reference`` ("k8s.gcr.io/pause:3.2")."""
        return next((image for image in self.images or () if reference in image.names), None)


def parse(output: list[str]) -> RuntimeState:
    """Output of :class:`Runtime`'s command; ValueError and the like on garbage."""
    asked = answers(output)
    if not asked:
        return Runtime.default()
    by_crictl = asked["source"].output.strip().endswith("crictl")
    unread = {
        name: answer.failure
        for name, answer in asked.items()
        if answer.failure and name in ("pods", "containers", "images")
    }
    if by_crictl:
        return RuntimeState(
            source="crictl",
            pods=None if "pods" in unread else tuple(map(_pod, _list(asked, "pods", "items"))),
            containers=None
            if "containers" in unread
            else tuple(map(_container, _list(asked, "containers", "containers"))),
            images=None
            if "images" in unread
            else tuple(map(_image, _list(asked, "images", "images"))),
            unread=unread,
        )
    pods: tuple[Pod, ...] | None = None
    containers: tuple[Container, ...] | None = None
    if "containers" not in unread and "pods" not in unread:
        pods, containers = ctr.workload(asked["containers"].output, asked["pods"].output)
    return RuntimeState(
        source="ctr",
        pods=pods,
        containers=containers,
        images=None if "images" in unread else ctr.images(asked["images"].output),
        unread=unread,
    )


def _list(asked: Mapping[str, Answer], name: str, key: str) -> list[Mapping[str, Any]]:
    return asked[name].json().get(key) or []


def _pod(item: Mapping[str, Any]) -> Pod:
    metadata = item["metadata"]
    return Pod(
        id=item["id"],
        name=metadata["name"],
        namespace=metadata["namespace"],
        uid=metadata["uid"],
        attempt=int(metadata.get("attempt", 0)),
        ready=item["state"] == "SANDBOX_READY",
    )


def _container(item: Mapping[str, Any]) -> Container:
    labels = item.get("labels") or {}
    return Container(
        id=item["id"],
        name=item["metadata"]["name"],
        attempt=int(item["metadata"].get("attempt", 0)),
        pod=labels.get("io.kubernetes.pod.name", ""),
        namespace=labels.get("io.kubernetes.pod.namespace", ""),
        sandbox=item["podSandboxId"],
        image=item["image"].get("userSpecifiedImage") or item["image"]["image"],
        state=item["state"].removeprefix("CONTAINER_").lower(),
    )


def _image(item: Mapping[str, Any]) -> Image:
    return Image(
        id=item["id"],
        names=tuple(item.get("repoTags") or ()),
        digests=tuple(item.get("repoDigests") or ()),
        size=int(item["size"]) if "size" in item else None,
    )


class Runtime(FactBase[RuntimeState]):
    """Pods, containers and images, whichever tool the machine has to ask for them.

    .. code:: python

        host.get_fact(Runtime).running("kube-apiserver")
    """

    def command(self) -> str:
        def either(crictl: str, otherwise: str) -> str:
            return f"if command -v crictl >/dev/null; then {crictl}; else {otherwise}; fi"

        return questions(
            {
                "source": "command -v crictl || echo ctr",
                "pods": either("crictl pods -o json", ctr.TASKS),
                "containers": either("crictl ps -a -o json", ctr.CONTAINERS),
                "images": either("crictl images -o json", ctr.IMAGES),
            },
            seconds=20,
        )

    @staticmethod
    def default() -> RuntimeState:
        return RuntimeState(unread=unknown("runtime"))

    def process(self, output: list[str]) -> RuntimeState:
        return parsed("crictl", parse, output)
