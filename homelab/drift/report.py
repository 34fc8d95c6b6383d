"""What one run found, on its way into any of the forms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType

from homelab.drift.catalogue import rule_of
from homelab.drift.finding import Finding
from homelab.drift.rule import Severity

CLEAN, UNKNOWN, DRIFTED = 0, 1, 2


@dataclass(frozen=True)
class Acceptance:
    """A finding that somebody answers for, by its id, until a day (that day included)."""

    id: str
    reason: str
    owner: str
    until: date


@dataclass(frozen=True)
class Leg:
    """One leg of a bond, as it is drawn: ``state`` is a few words such as "1000 Mbit/s, up"."""

    bond: str
    name: str
    state: str
    well: bool


@dataclass(frozen=True)
class Unit:
    """One machine of the rack, as it is drawn. ``answered`` is False if nothing could be read."""

    name: str
    roles: tuple[str, ...]
    answered: bool
    legs: tuple[Leg, ...] = ()


@dataclass(frozen=True)
class Report:
    """``findings`` are what counts, worst first; ``accepted`` are those that the baseline names.

    ``since_last`` maps ids to "new" or "still there", ``gone`` are ids of the run before that are
    found no more; both are empty without an earlier run. ``first_seen`` has the time of the first
    run that found an id, where runs are kept.
    """

    site: str
    at: datetime
    took_s: float
    rack: tuple[Unit, ...]
    findings: tuple[Finding, ...]
    accepted: tuple[tuple[Finding, Acceptance], ...] = ()
    since_last: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    gone: tuple[str, ...] = ()
    first_seen: Mapping[str, datetime] = field(default_factory=lambda: MappingProxyType({}))
    fail_on: Severity = Severity.LOW

    @property
    def unknown(self) -> tuple[Finding, ...]:
        return tuple(f for f in self.findings if f.kind == "unknown")

    @property
    def known(self) -> tuple[Finding, ...]:
        return tuple(f for f in self.findings if f.kind != "unknown")

    @property
    def exit_code(self) -> int:
        """1 could not tell (drift or not), 2 drift of ``fail_on`` or worse, 0 neither."""
        if self.unknown:
            return UNKNOWN
        bad = any(rule_of(f).severity <= self.fail_on for f in self.known)
        return DRIFTED if bad else CLEAN

    @property
    def verdict(self) -> str:
        """One line that says it all."""
        machines = f"{len(self.rack)} machine" + ("" if len(self.rack) == 1 else "s")
        if not self.findings:
            return f"clean: {machines} as declared"
        by = {s: sum(rule_of(f).severity == s for f in self.known) for s in Severity}
        counts = ", ".join(f"{number} {severity}" for severity, number in by.items() if number)
        parts = [f"{len(self.known)} not as declared ({counts})"] if self.known else []
        if self.unknown:
            parts.append(f"{len(self.unknown)} could not be told")
        return f"{'; '.join(parts)}, on {machines}"


def sorted_findings(findings: list[Finding]) -> tuple[Finding, ...]:
    """Worst first, then by machine and id; each id once."""
    unique = {f.id: f for f in reversed(findings)}
    return tuple(sorted(unique.values(), key=lambda f: (rule_of(f).severity, f.machine, f.id)))
