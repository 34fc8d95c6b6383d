"""The files that the deploy writes, their units, and whether they are in force."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from homelab.documents.document import Document, Layer
from homelab.drift.finding import Finding, Kind
from homelab.drift.view import Told, View

if TYPE_CHECKING:
    from facts.layer import FileState, LayerState


def findings(view: View, told: Told) -> Iterator[Finding]:
    """Every difference between the layers of this machine and what it has of them."""
    if told.facts.layers is None:
        return
    for layer in told.layers:
        state = told.facts.layers.get(layer.name)
        if state is None:
            yield Finding("read.fact", told.name, f"layer {layer.name}", "an answer",
                          "its state was not told", "unknown")  # fmt: skip
        else:
            yield from _layer(told, layer, state)


def _layer(told: Told, layer: Layer, state: LayerState) -> Iterator[Finding]:
    found = [f for document in layer.documents for f in _document(told, layer, document, state)]
    yield from found
    for path in state.unwanted:
        yield _finding(told, layer, "remains", path, "not there", "there", "undeclared")
    for unit in state.stopped_units:
        words = "enabled and running", "not enabled, or not running"
        yield _finding(told, layer, "unit", unit, *words)
    # what is in force follows from files and units; where those are right, somebody else did it
    if not state.live and not state.stopped_units and not found:
        said = state.said or "its test failed"
        yield _finding(told, layer, "live", layer.name, "in force as declared", said)
    site_changed = any(finding.kind == "not-yet-applied" for finding in found)
    if state.applied != layer.digest and not site_changed:
        yield _stamp(told, layer, state)


def _document(told: Told, layer: Layer, document: Document, state: LayerState) -> Iterator[Finding]:
    now, before = state.files.get(document.path), state.written.get(document.path)
    if now is None:
        kind: Kind = "drift" if before or state.applied == layer.digest else "not-yet-applied"
        yield _finding(told, layer, "file", document.path, "there", "missing", kind)
        return
    if now.sha256 != document.sha256:
        yield _content(told, layer, document, state, now)
    declared = f"{document.mode:o} {document.owner}:{document.group}"
    actual = f"{now.mode:o} {now.owner}:{now.group}"
    if declared != actual:
        same = before is not None and actual == f"{before.mode:o} {before.owner}:{before.group}"
        yield _finding(
            told, layer, "mode", document.path, declared, actual,
            "not-yet-applied" if same else "drift",
        )  # fmt: skip


def _content(
    told: Told, layer: Layer, document: Document, state: LayerState, now: FileState
) -> Finding:
    """Whether a hand or the site changed: the machine remembers what the deploy wrote."""
    before = state.written.get(document.path)
    as_written = state.applied != layer.digest if before is None else now.sha256 == before.sha256
    by_hand = not as_written
    diff = ""
    if not document.secret and document.path in told.contents:
        lines = difflib.unified_diff(
            document.text.splitlines(), told.contents[document.path].splitlines(),
            "as declared", f"on {told.name}", lineterm="",
        )  # fmt: skip
        diff = "\n".join(lines)
    at = now.changed_at if by_hand else state.applied_at
    return Finding(
        f"{layer.name}.file", told.name, document.path,
        expected=f"sha256 {document.sha256[:12]}", actual=f"sha256 {now.sha256[:12]}",
        kind="drift" if by_hand else "not-yet-applied", diff=diff,
        since=datetime.fromtimestamp(at, UTC) if at else None,
    )  # fmt: skip


def _stamp(told: Told, layer: Layer, state: LayerState) -> Finding:
    never = "never brought into force" if not state.applied else "brought into force as it was"
    return Finding(
        f"{layer.name}.stamp", told.name, layer.name,
        expected="brought into force as declared", actual=never, kind="not-yet-applied",
        since=datetime.fromtimestamp(state.applied_at, UTC) if state.applied_at else None,
    )  # fmt: skip


def _finding(
    told: Told, layer: Layer, rule: str, subject: str, expected: str, actual: str,
    kind: Kind = "drift",
) -> Finding:  # fmt: skip
    return Finding(f"{layer.name}.{rule}", told.name, subject, expected, actual, kind)
