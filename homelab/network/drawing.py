"""The report for a person, in whatever width there is.

Names and texts that came from a machine are printed as :class:`rich.text.Text`, which knows no
markup, and without control characters: they must not draw, recolour or hide anything.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from homelab.network.finding import Finding
from homelab.network.report import Report

if TYPE_CHECKING:
    from facts.bond import Bond, Leg
    from facts.links import Link

LEGEND = (
    "LACP states: A active, T short timeout, G may aggregate, S in sync, C collects, "
    "D distributes, F goes by defaults, E expired. A leg that carries traffic has S, C and D on "
    "both ends, and neither F nor E."
)
AGGREGATORS = {True: "one aggregator", False: "legs in several aggregators", None: ""}
WIDEST = 10_000


def drawn(found: Sequence[Report]) -> RenderableType:
    """Every machine, then what the letters mean, then all in one line."""
    parts: list[RenderableType] = [_machine(report) for report in found]
    if any(leg.actor_state for report in _judged(found) for leg in _legs(report)):
        parts += [clean(LEGEND, "dim"), ""]
    return Group(*parts, _summary(found))


def clean(text: str, style: str = "") -> Text:
    """Without control, format and private characters: each becomes a question mark."""
    shown = ("?" if unicodedata.category(c).startswith("C") else c for c in text)
    return Text("".join(shown), style)


@dataclass(frozen=True)
class Rows:
    """A table where it fits; else each row as a paragraph, with the columns' names."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, highlight=False)
        for column in self.columns:
            table.add_column(column, header_style="bold", no_wrap=True)
        for row in self.rows:
            table.add_row(*map(clean, row))
        needed = console.measure(table, options=options.update(max_width=WIDEST)).maximum
        yield table if needed <= options.max_width else Group(*self._paragraphs())

    def _paragraphs(self) -> Iterator[Text]:
        for first, *rest in self.rows:
            named = zip(self.columns[1:], rest, strict=True)
            said = ", ".join(f"{name} {value}" for name, value in named if value)
            yield clean(first, "bold") + clean(f": {said}")


def _machine(report: Report) -> RenderableType:
    machine = report.machine
    parts: list[RenderableType] = [clean(f"{machine.name}  {machine.address}", "bold underline")]
    if machine.network == "foreign":
        parts.append(clean("its network is somebody else's (foreign): shown, not judged"))
        if report.read and report.read.links is not None:
            parts.append(_inside(_links(report.read.links)))
    else:
        for bond in (report.read and report.read.bonds) or ():
            parts.append(_bond(bond))
            parts.append(_inside(_table(bond)))
    parts += [clean(f"could not be read: {why}", "bold red") for why in report.unread]
    parts += map(_finding, report.findings)
    if not report.unread and not report.findings and machine.network != "foreign":
        parts.append(clean("nothing is wrong", "green"))
    return Group(*parts, "")


def _bond(bond: Bond) -> Text:
    up = sum(leg.up for leg in bond.legs)
    carrying = bond.carrying
    words = [
        bond.mode,
        f"{up} of {len(bond.legs)} legs up",
        "" if carrying is None else f"{len(carrying)} in use",
        "bandwidth unknown" if bond.bandwidth_mbps is None else f"{bond.bandwidth_mbps} Mbit/s",
        f"MTU {bond.link.mtu}" if bond.link else "",
        AGGREGATORS[bond.one_aggregator],
        "partner silent" if bond.partner_silent else _partner(bond),
        f"active leg {bond.active_leg}" if bond.active_leg else "",
    ]
    return clean(bond.name, "bold") + clean(": " + ", ".join(filter(None, words)))


def _partner(bond: Bond) -> str:
    return f"partner {bond.partner_mac} key {bond.partner_key}" if bond.partner_mac else ""


def _table(bond: Bond) -> RenderableType:
    columns = ("leg", "MAC", "driver", "link", "aggr", "machine", "switch", "failures", "errors")
    return Rows((*columns, "dropped"), tuple(map(_leg, bond.legs)))


def _leg(leg: Leg) -> tuple[str, ...]:
    counters = [c for c in (leg.link and (leg.link.received, leg.link.sent)) or () if c]
    return (
        leg.name,
        leg.permanent_mac,
        leg.driver or "",
        f"{leg.speed_mbps or '?'} {leg.duplex or '?'}" if leg.up else leg.mii_status,
        "" if leg.aggregator is None else str(leg.aggregator),
        leg.actor_state.letters if leg.actor_state else "",
        leg.partner_state.letters if leg.partner_state else "",
        str(leg.failures),
        str(sum(c.errors for c in counters)) if counters else "?",
        str(sum(c.dropped for c in counters)) if counters else "?",
    )


def _links(links: Iterable[Link]) -> RenderableType:
    rows = (
        (
            link.name,
            link.kind,
            link.mac,
            str(link.mtu),
            link.state.lower(),
            " ".join(f"{a.local}/{a.prefix}" for a in link.addresses if a.scope == "global"),
        )
        for link in links
        if link.name != "lo" and not _of_a_pod(link)
    )
    return Rows(("link", "kind", "MAC", "MTU", "state", "addresses"), tuple(rows))


def _of_a_pod(link: Link) -> bool:
    return link.kind == "veth" and not any(a.scope == "global" for a in link.addresses)


def _finding(finding: Finding) -> RenderableType:
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    mark = Text("note", "yellow") if finding.note else Text("wrong", "bold red")
    grid.add_row(mark, clean(f"{finding.where} {finding.wrong}: {finding.why}"))
    grid.add_row("", clean(f"-> {finding.mend}"))
    return grid


def _inside(what: RenderableType) -> RenderableType:
    return Padding(what, (0, 0, 0, 2))


def _judged(found: Iterable[Report]) -> list[Report]:
    return [report for report in found if report.machine.network != "foreign"]


def _legs(report: Report) -> Iterator[Leg]:
    for bond in (report.read and report.read.bonds) or ():
        yield from bond.legs


def _summary(found: Sequence[Report]) -> Text:
    unread = [report.machine.name for report in found if report.unread]
    wrong = [report.machine.name for report in found if report.wrong]
    said = [f"{len(found)} machine{'' if len(found) == 1 else 's'}"]
    if foreign := len(found) - len(_judged(found)):
        said += [f"{foreign} foreign, not judged"]
    said += [f"something is wrong on {', '.join(wrong)}"] if wrong else []
    said += [f"could not be read: {', '.join(unread)}"] if unread else []
    said += ["nothing is wrong"] if _judged(found) and not wrong and not unread else []
    return clean("; ".join(said), "bold red" if wrong or unread else "bold green")
