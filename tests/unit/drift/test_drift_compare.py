"""No area is forgotten, and what explains another finding takes its place."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import replace

from facts.kubelet import KubeletState
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


def test_what_an_area_does_not_understand_is_unknown_and_hides_nothing() -> None:
    """A manifest or a file that a hand has made into something that nobody expects."""
    kept = {"/var/lib/kubelet/config.yaml": "{[", "/etc/kubernetes/manifests/etcd.yaml": "x"}
    odd = StaticPods(manifests=(), processes=(), kept=kept, has_kept=True)
    seen = view({"cp1": {"static_pods": odd, "kubelet": KubeletState(config={"kind": "x"})}})
    found = [(f.rule, f.subject, f.kind) for f in compare(seen) if f.machine == "cp1"]
    assert ("read.fact", "area static_pods", "unknown") in found
    # what it had found before it tripped, and what other areas find
    assert ("static-pod.missing-manifest", "/etc/kubernetes/manifests/etcd.yaml", "drift") in found


def test_a_layer_that_was_not_told_is_unknown() -> None:
    seen = view({"cp1": {"layers": {}}})
    told = replace(seen.of("cp1"), layers=(Layer("haproxy", ()),))
    found = compare(replace(seen, told=(told, *seen.told[1:])))
    assert [(f.rule, f.subject, f.kind) for f in found] == [
        ("read.fact", "layer haproxy", "unknown")
    ]
