"""What was found on every machine of a site, and what that is worth as an exit code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from homelab.network.finding import Finding
from homelab.network.judge import judge
from homelab.site.model import Machine, Site

if TYPE_CHECKING:
    from facts.bonds import BondList

FINE, UNREAD, WRONG = 0, 1, 2


@dataclass(frozen=True)
class Report:
    """One machine. ``unread`` says in one line each what could not be read; [] if all was."""

    machine: Machine
    read: BondList | None
    unread: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def wrong(self) -> bool:
        return any(not finding.note for finding in self.findings)


def reports(site: Site, answers: Mapping[str, BondList | str]) -> list[Report]:
    """Of all machines in the site's order; an answer that is a string is why there is none."""
    return [_report(site, machine, answers.get(machine.name)) for machine in site.machines]


def exit_code(found: Sequence[Report]) -> int:
    """0 all is as declared, 2 something is wrong, 1 a machine could not be read (whatever else)."""
    if any(report.unread for report in found):
        return UNREAD
    return WRONG if any(report.wrong for report in found) else FINE


def _report(site: Site, machine: Machine, answer: BondList | str | None) -> Report:
    if answer is None or isinstance(answer, str):
        return Report(machine, None, (answer or "it was not asked",))
    unread = tuple(f"{part}: {why}" for part, why in answer.unread.items())
    return Report(machine, answer, unread, tuple(judge(site, machine, answer)))
