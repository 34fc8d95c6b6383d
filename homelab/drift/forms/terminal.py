"""The report for a person at a terminal, in whatever width there is.

Everything is :class:`rich.text.Text`, which knows no markup, and wraps where it does not fit.
"""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from homelab.drift.forms.diff import Part, parts
from homelab.drift.forms.entry import Accepted, Entry, accepted, by_severity, gone
from homelab.drift.report import CLEAN, DRIFTED, UNKNOWN, Report
from homelab.drift.rule import Severity

VERDICTS = {CLEAN: "bold green", UNKNOWN: "bold yellow", DRIFTED: "bold red"}
SEVERITIES = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
    Severity.INFO: "dim",
}
DIFF: dict[Part, str] = {"head": "dim", "added": "green", "removed": "red", "same": ""}


def draw(report: Report) -> RenderableType:
    """The verdict in one line, what was found, what is accepted, what is gone."""
    return Group(Text(report.verdict, VERDICTS[report.exit_code]), *_found(report), *_rest(report))


def _found(report: Report) -> Iterator[RenderableType]:
    for severity, found in by_severity(report):
        yield from ("", Text(f"{severity} ({len(found)})", SEVERITIES[severity]))
        for entry in found:
            yield Padding(Group(*_finding(entry)), (0, 0, 0, 2))


def _rest(report: Report) -> Iterator[RenderableType]:
    if known := accepted(report):
        yield from ("", Text(f"accepted ({len(known)})", "bold"), *map(_accepted, known))
    if no_more := gone(report):
        yield from ("", Text(f"gone since the last run: {', '.join(no_more)}", "green"))


def _finding(entry: Entry) -> Iterator[RenderableType]:
    yield _name(entry) + Text(f" ({entry.standing})", "dim")
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, text in entry.said.items():
        grid.add_row(name, Text(text))
    yield Padding(grid, (0, 0, 0, 2))
    for part, line in parts(entry.diff):
        yield Padding(Text(line, DIFF[part]), (0, 0, 0, 4))


def _accepted(known: Accepted) -> RenderableType:
    said = f" ({known.entry.rule}) until {known.until}, {known.owner}: {known.reason}"
    return Padding(_name(known.entry) + Text(said), (0, 0, 0, 2))


def _name(entry: Entry) -> Text:
    return Text(entry.machine, "bold") + Text(f" {entry.subject}")
