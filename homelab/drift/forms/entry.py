"""What every form shows of a finding: completed from the catalogue, its texts visible, in order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby

from homelab.drift.catalogue import mend_of, rule_of
from homelab.drift.finding import Finding, Kind
from homelab.drift.forms.escape import visible
from homelab.drift.report import Report
from homelab.drift.rule import Severity


@dataclass(frozen=True)
class Entry:
    """All texts are :func:`visible`, in one line each but for ``diff``.

    ``since`` and ``first_seen`` are as :func:`utc` writes them. ``status`` is "new" or "still
    there", None without an earlier run. ``deploy`` is None where a person has to mend it.
    """

    id: str
    rule: str
    machine: str
    subject: str
    area: str
    severity: Severity
    kind: Kind
    expected: str
    actual: str
    diff: str
    since: str | None
    first_seen: str | None
    why: str
    mend: str
    deploy: str | None
    status: str | None

    @property
    def standing(self) -> str:
        """Its kind, and how it stands to the run before, if there was one."""
        return ", ".join(filter(None, (self.kind, self.status)))

    @property
    def said(self) -> dict[str, str]:
        """What there is to say of it, by what it is called."""
        given = {
            "expected": self.expected,
            "actual": self.actual,
            "since": self.since or "",
            "first seen": self.first_seen or "",
            "why": self.why,
            "mend": self.mend,
        }
        return {name: text for name, text in given.items() if text}


@dataclass(frozen=True)
class Accepted:
    """A finding that somebody answers for; ``until`` is an ISO date, that day included."""

    entry: Entry
    reason: str
    owner: str
    until: str


def entries(report: Report) -> tuple[Entry, ...]:
    """What counts: worst first, then by machine and id. KeyError: no such rule."""
    return tuple(sorted((_entry(report, f) for f in report.findings), key=_order))


def by_severity(report: Report) -> Iterator[tuple[Severity, list[Entry]]]:
    """:func:`entries` of each severity that has any, worst first."""
    for severity, found in groupby(entries(report), key=lambda entry: entry.severity):
        yield severity, list(found)


def accepted(report: Report) -> tuple[Accepted, ...]:
    """What the baseline names, in the same order."""
    found = (
        Accepted(_entry(report, f), visible(a.reason), visible(a.owner), a.until.isoformat())
        for f, a in report.accepted
    )
    return tuple(sorted(found, key=lambda one: _order(one.entry)))


def gone(report: Report) -> tuple[str, ...]:
    """Ids that are found no more, sorted."""
    return tuple(sorted(map(visible, report.gone)))


def utc(at: datetime) -> str:
    """An aware time such as ``2026-07-01T12:00:00Z``, to the second."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _entry(report: Report, finding: Finding) -> Entry:
    rule, seen = rule_of(finding), report.first_seen.get(finding.id)
    return Entry(
        id=visible(finding.id),
        rule=finding.rule,
        machine=visible(finding.machine),
        subject=visible(finding.subject),
        area=rule.area,
        severity=rule.severity,
        kind=finding.kind,
        expected=visible(finding.expected),
        actual=visible(finding.actual),
        diff=visible(finding.diff, lines=True),
        since=utc(finding.since) if finding.since else None,
        first_seen=utc(seen) if seen else None,
        why=rule.why,
        mend=visible(mend_of(finding)),
        deploy=rule.deploy,
        status=report.since_last.get(finding.id),
    )


def _order(entry: Entry) -> tuple[Severity, str, str]:
    return entry.severity, entry.machine, entry.id
