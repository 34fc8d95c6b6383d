"""containerd's own client, where there is no crictl: its objects as pods, containers, images."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from facts.workload import Container, Image, Pod

_CTR = "ctr --connect-timeout 3s -n k8s.io"
TASKS = f"{_CTR} tasks ls"
IMAGES = f"{_CTR} images ls"
# The OCI spec is nine tenths of the text, and nobody's business here. One that is removed
# meanwhile is left out.
CONTAINERS = (
    f"ids=$({_CTR} containers ls -q) || exit 1; for id in $ids; do "
    f'{_CTR} containers info "$id" 2>/dev/null | sed \'/^    "Spec": {{/,/^    }}/d\'; done'
)
_SIZES = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_STATES = {"RUNNING": "running", "PAUSED": "running", "CREATED": "created", "STOPPED": "exited"}


def workload(objects: str, tasks: str) -> tuple[tuple[Pod, ...], tuple[Container, ...]]:
    """Pods and containers from CONTAINERS' and TASKS' output; ValueError and KeyError on garbage.

    The CRI plugin deletes the task of a container that has exited.
    """
    states = _tasks(tasks)
    pods: list[Pod] = []
    containers: list[Container] = []
    for item in _objects(objects):
        labels = item.get("Labels") or {}
        kind = labels.get("io.cri-containerd.kind")
        if kind == "sandbox":
            pods.append(_pod(item, states))
        elif kind == "container":
            containers.append(_container(item, states))
    return tuple(pods), tuple(containers)


def images(table: str) -> tuple[Image, ...]:
    """IMAGES' output; several lines with one digest are one image with several names."""
    found: dict[str, Image] = {}
    for line in _rows(table, "REF"):
        name, _, digest, number, unit = line.split()[:5]
        before = found.get(digest)
        names = before.names if before else ()
        identity = before.id if before else ""
        if name.startswith("sha256:"):
            identity = name  # the CRI plugin's own reference: the image's id
        else:
            names = (*names, name)
        size = round(float(number) * _SIZES[unit])
        found[digest] = Image(identity, names, (digest,), size)
    return tuple(found.values())


def _tasks(table: str) -> dict[str, str]:
    rows = (line.split() for line in _rows(table, "TASK"))
    return {identity: _STATES.get(status, "unknown") for identity, _, status in rows}


def _rows(table: str, first: str) -> list[str]:
    head, *rows = table.splitlines() or [""]
    if not head.startswith(first):
        raise ValueError(f"expected a table that begins with {first}, met {head[:60]!r}")
    return rows


def _objects(text: str) -> Iterator[Mapping[str, Any]]:
    """JSON objects one after the other, each with the comma that the missing spec has left."""
    text = re.sub(r",(\s*^\})", r"\1", text, flags=re.MULTILINE).strip()
    decoder = json.JSONDecoder()
    while text:
        item, end = decoder.raw_decode(text)
        yield item
        text = text[end:].lstrip()


def _metadata(item: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    value = item["Extensions"][f"io.cri-containerd.{kind}.metadata"]["value"]
    metadata: Mapping[str, Any] = json.loads(base64.b64decode(value))["Metadata"]
    return metadata


def _pod(item: Mapping[str, Any], states: Mapping[str, str]) -> Pod:
    metadata = _metadata(item, "sandbox")["Config"]["metadata"]
    return Pod(
        id=item["ID"],
        name=metadata["name"],
        namespace=metadata["namespace"],
        uid=metadata["uid"],
        attempt=int(metadata.get("attempt", 0)),
        ready=states.get(item["ID"]) == "running",
    )


def _container(item: Mapping[str, Any], states: Mapping[str, str]) -> Container:
    metadata = _metadata(item, "container")
    name = metadata["Config"]["metadata"]
    labels = item["Labels"]
    return Container(
        id=item["ID"],
        name=name["name"],
        attempt=int(name.get("attempt", 0)),
        pod=labels["io.kubernetes.pod.name"],
        namespace=labels["io.kubernetes.pod.namespace"],
        sandbox=metadata["SandboxID"],
        image=item["Image"],
        state=states.get(item["ID"], "exited"),
    )
