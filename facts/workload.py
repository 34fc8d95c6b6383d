"""What a container runtime keeps: pods, containers, images; whoever tells of them."""

from __future__ import annotations

from dataclasses import dataclass

from facts.record import Record


@dataclass(frozen=True)
class Pod(Record):
    """A sandbox; a pod that was restarted leaves the old one behind, not ready."""

    id: str
    name: str
    namespace: str
    uid: str
    attempt: int
    ready: bool


@dataclass(frozen=True)
class Container(Record):
    id: str
    name: str
    attempt: int  # how often it was restarted
    pod: str
    namespace: str
    sandbox: str  # id of its Pod
    image: str
    state: str  # "created", "running", "exited", "unknown"


@dataclass(frozen=True)
class Image(Record):
    id: str
    names: tuple[str, ...]
    digests: tuple[str, ...]
    size: int | None  # bytes; as compressed for ctr, as unpacked for CRI-O
