"""The report as metrics, for node_exporter's textfile collector (Prometheus' text format 0.0.4)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from homelab.drift.forms.entry import entries
from homelab.drift.report import Report

LABELS = ("severity", "machine", "area", "kind")


def render(report: Report) -> str:
    """What is accepted does not count; without findings ``homelab_drift_findings`` is empty."""
    counted = Counter(
        (str(entry.severity), entry.machine, entry.area, entry.kind) for entry in entries(report)
    )
    findings = {
        ",".join(f'{name}="{_value(text)}"' for name, text in zip(LABELS, values, strict=True)): n
        for values, n in counted.items()
    }
    return "".join((
        _gauge("findings", "What is not as declared, or could not be told.", findings),
        _gauge("unknown", "What could not be told.", {"": len(report.unknown)}),
        _gauge("last_run_timestamp_seconds", "When it was looked at.", {"": report.at.timestamp()}),
        _gauge("duration_seconds", "How long looking took.", {"": report.took_s}),
    ))  # fmt: skip


def _gauge(name: str, text: str, samples: Mapping[str, float]) -> str:
    name = f"homelab_drift_{name}"
    lines = (
        f"{name}{{{labels}}} {value}\n" if labels else f"{name} {value}\n"
        for labels, value in samples.items()
    )
    return f"# HELP {name} {text}\n# TYPE {name} gauge\n{''.join(lines)}"


def _value(label: str) -> str:
    return label.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
