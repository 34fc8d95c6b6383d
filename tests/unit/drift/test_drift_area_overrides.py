"""What a person gives systemd or kubelet beside the deploy."""

from __future__ import annotations

from dataclasses import replace

from facts import overrides as facts
from homelab.documents.document import Document, Layer
from homelab.drift.areas.overrides import findings
from tests.unit.drift.drift_views import view
from tests.unit.facts.fact_captures import capture

OURS = "/etc/systemd/system/kubelet.service.d/10-kubeadm.conf"


def found(capture_name: str) -> list[tuple[str, str, str]]:
    read = facts.parse(capture(capture_name))
    paths = {f.path for f in facts.parse(capture("overrides-lab")).files or ()}
    layer = Layer("kubelet", tuple(Document(path, "") for path in sorted(paths)))
    seen = view({"cp1": {"overrides": read}})
    told = replace(seen.of("cp1"), layers=(layer,))
    return [(f.rule, f.subject, f.actual) for f in findings(seen, told)]


def test_what_the_deploy_writes_is_declared() -> None:
    assert OURS in {f.path for f in facts.parse(capture("overrides-lab")).files or ()}
    assert found("overrides-lab") == []


def test_what_a_hand_has_put_there() -> None:
    assert found("overrides-bad-day") == [
        ("host.unit-override", "/etc/systemd/system/containerd.service.d/mine.conf", "there"),
        ("kubelet.extra-args", "/etc/default/kubelet", "--v=6"),
    ]
