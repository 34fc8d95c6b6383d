"""The report for viewers of analyses, as SARIF 2.1.0 (docs.oasis-open.org/sarif/sarif/v2.1.0).

Findings have logical locations only, machine and subject: no file of a repository is at fault.
"""

from __future__ import annotations

import json
from typing import Any

from homelab.drift.catalogue import RULES
from homelab.drift.forms.entry import Accepted, Entry, accepted, entries
from homelab.drift.forms.escape import visible
from homelab.drift.report import Report
from homelab.drift.rule import Severity

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}
BASELINE = {"new": "new", "still there": "unchanged"}


def render(report: Report) -> str:
    """One run, with those rules of the catalogue that found something."""
    found, known = entries(report), accepted(report)
    rules = sorted({entry.rule for entry in (*found, *(one.entry for one in known))})
    run = {
        "tool": {"driver": {"name": "homelab-drift", "rules": list(map(_rule, rules))}},
        "invocations": [
            {"executionSuccessful": not report.unknown, "exitCode": report.exit_code},
        ],
        "results": [
            *(_result(entry, rules) for entry in found),
            *(_suppressed(one, rules) for one in known),
        ],
        "properties": {"site": visible(report.site), "verdict": report.verdict},
    }
    shown = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(shown, indent=2, ensure_ascii=False) + "\n"


def _rule(name: str) -> dict[str, Any]:
    rule = RULES[name]
    return {
        "id": name,
        "shortDescription": _message(rule.why),
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
        "properties": {"area": rule.area, "severity": str(rule.severity)},
    }


def _result(entry: Entry, rules: list[str]) -> dict[str, Any]:
    said = "; ".join(f"{name}: {text}" for name, text in entry.said.items())
    result: dict[str, Any] = {
        "ruleId": entry.rule,
        "ruleIndex": rules.index(entry.rule),
        "level": LEVELS[entry.severity],
        "message": _message(f"{entry.machine}: {entry.subject}. {said}"),
        "locations": [{"logicalLocations": [_location(entry)]}],
        "partialFingerprints": {"homelabDrift/v1": entry.id},
        "properties": {"kind": entry.kind, "expected": entry.expected, "actual": entry.actual},
    }
    if entry.diff:
        result["properties"]["diff"] = entry.diff
    if entry.status:
        result["baselineState"] = BASELINE[entry.status]
    return result


def _location(entry: Entry) -> dict[str, str]:
    return {
        "name": entry.subject,
        "fullyQualifiedName": f"{entry.machine}/{entry.subject}",
        "kind": "resource",
    }


def _suppressed(known: Accepted, rules: list[str]) -> dict[str, Any]:
    why = f"until {known.until}, {known.owner}: {known.reason}"
    return {
        **_result(known.entry, rules),
        "suppressions": [{"kind": "external", "status": "accepted", "justification": why}],
    }


def _message(text: str) -> dict[str, str]:
    """Plain text that holds neither a placeholder (3.11.5) nor an embedded link (3.11.6)."""
    return {"text": text.replace("{", "{{").replace("}", "}}").replace("](", "] (")}
