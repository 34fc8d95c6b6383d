"""No area is forgotten, and what explains another finding takes its place."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import replace

from facts.layer import LayerState
from facts.static_pods import StaticPods
from homelab.documents.document import Layer
from homelab.drift import areas
from homelab.drift.compare import CLUSTER, MACHINES, compare
from tests.unit.drift.drift_views import view

PARTS = {"disks", "sysctls", "sshd"}  # host and access call them


def test_every_area_is_asked() -> None:
    modules = [
        importlib.import_module(f"homelab.drift.areas.{module.name}")
        for module in pkgutil.iter_modules(areas.__path__)
        if module.name not in PARTS
    ]
    of_machines = {m.findings for m in modules if hasattr(m, "findings")}
    of_cluster = {m.cluster_findings for m in modules if hasattr(m, "cluster_findings")}
    assert (of_machines, of_cluster) == ({*MACHINES}, {*CLUSTER})


def rules(**facts: object) -> set[str]:
    layer = Layer("control-plane", (), live="true")
    state = {"control-plane": LayerState(applied=layer.digest, live=False)}
    seen = view({"cp1": {"layers": state, **facts}})
    told = replace(seen.of("cp1"), layers=(layer,))
    return {finding.rule for finding in compare(replace(seen, told=(told, *seen.told[1:])))}


def test_a_cause_that_is_known_stands_for_what_follows_from_it() -> None:
    """The layer's own test says that something is not in force; the pods' area says what."""
    assert "control-plane.live" in rules()
    why = rules(static_pods=StaticPods(manifests=(), processes=(), kept={}, has_kept=False))
    assert "static-pod.not-kept" in why
    assert "control-plane.live" not in why
