"""The report for programs; ``drift.schema.json`` beside this says what is in it."""

from __future__ import annotations

import json
from typing import Any

from homelab.drift.forms.entry import Accepted, Entry, accepted, entries, gone, utc
from homelab.drift.forms.escape import visible
from homelab.drift.history import SCHEMA
from homelab.drift.report import Report, Unit


def render(report: Report) -> str:
    """JSON, the same to the byte for the same report."""
    shown = {
        "schema": SCHEMA,
        "verdict": report.verdict,
        "exit_code": report.exit_code,
        "site": visible(report.site),
        "at": utc(report.at),
        "took_s": round(report.took_s, 3),
        "rack": [_unit(unit) for unit in report.rack],
        "findings": [_finding(entry) for entry in entries(report)],
        "accepted": [_accepted(known) for known in accepted(report)],
        "gone": gone(report),
    }
    return json.dumps(shown, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _unit(unit: Unit) -> dict[str, Any]:
    return {
        "name": visible(unit.name),
        "roles": list(map(visible, unit.roles)),
        "answered": unit.answered,
        "legs": [
            {
                "bond": visible(leg.bond),
                "name": visible(leg.name),
                "state": visible(leg.state),
                "well": leg.well,
            }
            for leg in unit.legs
        ],
    }


def _finding(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "rule": entry.rule,
        "machine": entry.machine,
        "subject": entry.subject,
        "area": entry.area,
        "severity": str(entry.severity),
        "kind": entry.kind,
        "expected": entry.expected,
        "actual": entry.actual,
        "diff": entry.diff,
        "since": entry.since,
        "first_seen": entry.first_seen,
        "why": entry.why,
        "mend": entry.mend,
        "deploy": entry.deploy,
        "status": entry.status,
    }


def _accepted(known: Accepted) -> dict[str, Any]:
    return {
        "finding": _finding(known.entry),
        "reason": known.reason,
        "owner": known.owner,
        "until": known.until,
    }
