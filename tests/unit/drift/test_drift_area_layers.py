"""Layers: what a hand did, what the site did, and what is only not in force."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from facts.layer import FileState, LayerState
from homelab.documents.document import Document, Layer
from homelab.drift.areas.layers import findings
from homelab.drift.finding import Finding
from tests.unit.drift.drift_views import view

CONFIG = Document("/etc/haproxy/haproxy.cfg", "one\ntwo\n")
SECRET = Document("/etc/haproxy/key", "hush\n", mode=0o600, secret=True)
LAYER = Layer("haproxy", (CONFIG, SECRET), activate="true", units=("haproxy.service",))


def state(document: Document, **changes: Any) -> FileState:
    whole = FileState(document.sha256, document.mode, document.owner, document.group, 1_700_000_000)
    return replace(whole, **changes)


def as_declared() -> LayerState:
    files = {d.path: state(d) for d in LAYER.documents}
    return LayerState(files=dict(files), applied=LAYER.digest, written=dict(files), applied_at=1.0)


def found(now: LayerState, contents: dict[str, str] | None = None) -> list[Finding]:
    seen = view({"cp1": {"layers": {"haproxy": now}}})
    told = replace(seen.of("cp1"), layers=(LAYER,), contents=contents or {})
    return list(findings(seen, told))


def test_as_declared_is_no_finding() -> None:
    assert found(as_declared()) == []


def test_a_hands_change_has_a_diff_and_its_time() -> None:
    now = as_declared()
    now.files[CONFIG.path] = state(CONFIG, sha256="0" * 64)
    (finding,) = found(now, {CONFIG.path: "one\n2\n"})
    assert (finding.id, finding.kind) == (
        "haproxy.file/cp1/etc-haproxy-haproxy.cfg",
        "drift",
    )
    assert "-two" in finding.diff
    assert "+2" in finding.diff
    assert finding.since is not None
    assert finding.since.timestamp() == 1_700_000_000


def test_what_the_site_changed_is_not_applied_yet() -> None:
    """The file is still as the deploy wrote it, when the site said something else."""
    now = as_declared()
    before = state(CONFIG, sha256="1" * 64)
    now.files[CONFIG.path] = now.written[CONFIG.path] = before
    now.applied = "another"
    (finding,) = found(now)
    assert finding.kind == "not-yet-applied"


def test_a_hand_and_the_site_at_once_is_drift() -> None:
    now = as_declared()
    now.written[CONFIG.path] = state(CONFIG, sha256="1" * 64)
    now.files[CONFIG.path] = state(CONFIG, sha256="2" * 64)
    now.applied = "another"
    assert [(f.rule, f.kind) for f in found(now)] == [
        ("haproxy.file", "drift"),
        ("haproxy.stamp", "not-yet-applied"),
    ]


@pytest.mark.parametrize(("applied", "kind"), [("same", "drift"), ("other", "not-yet-applied")])
def test_a_machine_of_before_the_records_is_judged_by_its_stamp(applied: str, kind: str) -> None:
    now = as_declared()
    now.written = {}
    now.files[CONFIG.path] = state(CONFIG, sha256="0" * 64)
    now.applied = LAYER.digest if applied == "same" else "another"
    assert [(f.rule, f.kind) for f in found(now)] == [("haproxy.file", kind)]


def test_a_secrets_text_is_nowhere() -> None:
    now = as_declared()
    now.files[SECRET.path] = state(SECRET, sha256="0" * 64)
    (finding,) = found(now, {SECRET.path: "hush, too\n"})
    assert finding.diff == ""
    assert "hush" not in repr(finding)


def test_every_other_difference_is_one_finding() -> None:
    now = as_declared()
    now.files[CONFIG.path] = state(CONFIG, mode=0o666)
    del now.files[SECRET.path]
    now.stopped_units, now.unwanted = ["haproxy.service"], ["/etc/haproxy/old"]
    assert {(f.rule, f.subject) for f in found(now)} == {
        ("haproxy.mode", CONFIG.path),
        ("haproxy.file", SECRET.path),
        ("haproxy.unit", "haproxy.service"),
        ("haproxy.remains", "/etc/haproxy/old"),
    }


def test_what_is_not_in_force_is_told_only_where_nothing_else_explains_it() -> None:
    now = as_declared()
    now.live, now.said = False, "mode is active-backup"
    assert [(f.rule, f.actual) for f in found(now)] == [("haproxy.live", "mode is active-backup")]
    now.stopped_units = ["haproxy.service"]
    assert [f.rule for f in found(now)] == ["haproxy.unit"]


def test_a_layer_that_was_never_applied() -> None:
    assert {(f.rule, f.kind) for f in found(LayerState())} == {
        ("haproxy.file", "not-yet-applied"),
        ("haproxy.stamp", "not-yet-applied"),
    } - {("haproxy.stamp", "not-yet-applied")}
