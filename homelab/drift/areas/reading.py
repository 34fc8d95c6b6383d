"""What could not be read. Nothing that is unknown may look clean."""

from __future__ import annotations

from collections.abc import Iterator

from homelab.drift.finding import Finding
from homelab.drift.view import Told, View


def findings(view: View, told: Told) -> Iterator[Finding]:
    """A silent machine; a fact without an answer; a part of a fact that failed."""
    if told.silent:
        yield Finding("read.machine", told.name, told.name, "an answer", told.silent, "unknown")
        return
    for name, why in told.unread.items():
        yield _unread(told, name, why)
    for name, fact in told.facts.parts().items():
        for part, why in getattr(fact, "unread", {}).items():
            if not _follows(view, told, name, part):
                yield _unread(told, f"{name} {part}" if part != name else name, why)


def _follows(view: View, told: Told, name: str, part: str) -> bool:
    """Whether another finding says why there is no answer."""
    match name:
        case "routes":  # IPv6 may be switched off
            return part.endswith("inet6")
        case "haproxy":
            return "haproxy.service" in _stopped(told)
        case "kubelet":
            return part == "health" and _kubelet_stopped(told)
        case "configz":  # asked through the API server, of every node
            node = next((other for other in view.told if other.name == part), told)
            return bool(node.silent) or _kubelet_stopped(node)
    return False


def _stopped(told: Told) -> set[str]:
    return {unit for state in (told.facts.layers or {}).values() for unit in state.stopped_units}


def _kubelet_stopped(told: Told) -> bool:
    state = told.facts.kubelet
    return state is not None and state.unit is not None and not state.unit.running


def _unread(told: Told, subject: str, why: str) -> Finding:
    return Finding("read.fact", told.name, subject, "an answer", why, "unknown")
