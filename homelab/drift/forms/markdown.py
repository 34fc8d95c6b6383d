"""The report as GitHub-flavoured Markdown, for an issue, a pull request or a job's summary.

What a machine said stands in code, where nothing is a link, a mention, a tag or an emphasis.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from homelab.drift.forms.entry import Entry, accepted, by_severity, gone, utc
from homelab.drift.forms.escape import visible
from homelab.drift.report import Report

COLUMNS = ("machine", "subject", "kind", "expected", "actual", "since", "why", "mend")


def render(report: Report) -> str:
    """The verdict, a table for each severity with the diffs below it, what is accepted and gone."""
    return "\n".join((*_head(report), *_found(report), *_rest(report)))


def _head(report: Report) -> Iterator[str]:
    yield f"# Drift of {_code(visible(report.site))}\n"
    yield f"**{report.verdict}**\n"
    yield f"Read at {utc(report.at)}, in {report.took_s:.1f} s.\n"


def _found(report: Report) -> Iterator[str]:
    for severity, found in by_severity(report):
        yield f"## {severity} ({len(found)})\n"
        yield _row(COLUMNS)
        yield _row("---" for _ in COLUMNS)
        yield from (_row(_cells(entry)) for entry in found)
        yield ""
        yield from (_diff(entry) for entry in found if entry.diff)


def _rest(report: Report) -> Iterator[str]:
    if known := accepted(report):
        yield f"## accepted ({len(known)})\n"
        for one in known:
            until = f"until {one.until}, {_code(one.owner)}: {_code(one.reason)}"
            yield f"- {_code(one.entry.id)} {until}"
        yield ""
    if no_more := gone(report):
        yield f"## gone since the last run ({len(no_more)})\n"
        yield from (f"- {_code(name)}" for name in no_more)
        yield ""


def _cells(entry: Entry) -> Iterator[str]:
    yield _code(entry.machine)
    yield _code(entry.subject)
    yield entry.standing
    yield _code(entry.expected)
    yield _code(entry.actual)
    yield entry.since or ""
    yield entry.why
    yield _code(entry.mend)


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


def _code(text: str) -> str:
    """A code span. Backticks around it are one more than any run inside."""
    if not text.strip():
        return ""  # no code span is empty
    ticks = _longer_than_any(text, 1)
    # A backtick at an end would count, and of spaces at both ends one each is taken off.
    space = " " if {text[0], text[-1]} & {"`", " "} else ""
    return f"{ticks}{space}{text}{space}{ticks}"


def _diff(entry: Entry) -> str:
    fence = _longer_than_any(entry.diff, 3)
    named = f"{_code(entry.machine)} {_code(entry.subject)}"
    return f"{named}:\n\n{fence}diff\n{entry.diff.removesuffix(chr(10))}\n{fence}\n"


def _longer_than_any(text: str, least: int) -> str:
    return "`" * max([least, *(len(run) + 1 for run in re.findall("`+", text))])
