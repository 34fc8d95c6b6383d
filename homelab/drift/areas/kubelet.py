"""kubelet: is it well, and has the running one the settings that were declared."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import yaml

from homelab.documents.kept import CONFIG
from homelab.drift.finding import Finding
from homelab.drift.view import Told, View
from homelab.site import derived

if TYPE_CHECKING:
    from facts.configz import Configz


def findings(view: View, told: Told) -> Iterator[Finding]:
    """Of one node; one whose unit does not run is told once, by that."""
    survey, state = told.facts.survey, told.facts.kubelet
    if state is None or survey is None or survey.membership(view.site.name) != "ours":
        return
    if told.machine not in derived.nodes(view.site):
        return
    if state.unit is not None and not state.unit.running:
        yield Finding("kubelet.health", told.name, "kubelet.service", "running",
                      f"{state.unit.active_state} ({state.unit.sub_state})")  # fmt: skip
    elif state.healthy is False:
        yield Finding("kubelet.health", told.name, "kubelet.service", "healthy",
                      state.health or "not healthy")  # fmt: skip
    wanted = f"v{view.site.kubernetes.version}"
    if state.version is not None and state.version != wanted:
        yield Finding("version.skew", told.name, "kubelet on disk", wanted, state.version)


def cluster_findings(view: View) -> Iterator[Finding]:
    """The running kubelets by their configz, against what kubeadm wrote for them: one that has read
    another file, which may be right again by now."""
    said = (told.facts.configz for told in view.planes if told.facts.configz is not None)
    read: Configz | None = next((c for c in said if c.kubelets), None)
    for name, running in ((read.kubelets or {}) if read else {}).items():
        pods = view.of(name).facts.static_pods
        written = (pods.kept or {}).get(CONFIG) if pods is not None else None
        if written is None:
            continue
        for key, value in sorted(_differing(yaml.safe_load(written), running).items()):
            yield Finding("kubelet.running", name, key, f"{value[0]}", f"{value[1]}")


# Kubelet fills in what the file leaves empty, and spells durations its own way ("1m0s").
SKIPPED = ("apiVersion", "kind")


def _differing(file: Mapping[str, Any], running: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    found: dict[str, tuple[Any, Any]] = {}
    for key, value in file.items():
        if key in SKIPPED or value in ("0s", 0, None, "", {}, []):
            continue
        now = running.get(key)
        if isinstance(value, Mapping) and isinstance(now, Mapping):
            inner = _differing(value, now)
            found |= {f"{key}.{name}": pair for name, pair in inner.items()}
        elif _plain(value) != _plain(now):
            found[key] = (value, now)
    return found


def _plain(value: Any) -> Any:
    """ "60s" and "1m0s" are the same."""
    if not isinstance(value, str):
        return value
    spans = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", value)
    if not value or spans is None:
        return value
    hours, minutes, seconds = (int(part or 0) for part in spans.groups())
    return hours * 3600 + minutes * 60 + seconds
