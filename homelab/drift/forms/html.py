"""The report as one page that asks for nothing: drawn, filtered, for a phone as for a screen.

Its template, style and script are files beside this one. The page's policy allows only that style
and that script, by their hashes, so nothing else could run even if it got into the page.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable
from html import escape
from pathlib import Path
from string import Template

from homelab.drift.forms.diff import Part, parts
from homelab.drift.forms.entry import Accepted, Entry, accepted, by_severity, entries, gone, utc
from homelab.drift.forms.escape import visible
from homelab.drift.forms.html_rack import rack
from homelab.drift.report import CLEAN, DRIFTED, UNKNOWN, Report
from homelab.drift.rule import Severity

HERE = Path(__file__).parent
OUTCOMES = {CLEAN: "clean", UNKNOWN: "unknown", DRIFTED: "drifted"}
FILTERS: dict[str, Callable[[Entry], str]] = {
    "severity": lambda entry: str(entry.severity),
    "machine": lambda entry: entry.machine,
    "area": lambda entry: entry.area,
}
TAGS: dict[Part, str] = {"added": "ins", "removed": "del", "head": "b", "same": "span"}


def render(report: Report) -> str:
    """The page. Without its script every finding is shown, and open."""
    style, script = _file("drift.css"), _file("drift.js")
    found = entries(report)
    return Template(_file("drift.html")).substitute(
        policy=_policy(style, script),
        style=style,
        script=script,
        site=escape(visible(report.site)),
        verdict=report.verdict,
        outcome=OUTCOMES[report.exit_code],
        at=utc(report.at),
        took=f"{report.took_s:.1f}",
        rack=rack(report.rack, found),
        filters="\n".join(_filter(name, map(of, found)) for name, of in FILTERS.items()),
        findings="\n".join(_group(*group) for group in by_severity(report)) or "<p>None.</p>",
        accepted=_list("accepted", "Accepted", map(_accepted, accepted(report))),
        gone=_list("gone", "Gone since the last run", map(_code, gone(report))),
    )


def _file(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _filter(name: str, values: Iterable[str]) -> str:
    # Severities come worst first, and keep it; the others are sought by name.
    given = list(dict.fromkeys(values)) if name == "severity" else sorted(set(values))
    options = "".join(f'<option value="{escape(v)}">{escape(v)}</option>' for v in given)
    return (
        f'<label>{name.capitalize()} <select name="{name}">'
        f'<option value="">all</option>{options}</select></label>'
    )


def _group(severity: Severity, found: list[Entry]) -> str:
    shown = "\n".join(map(_finding, found))
    return (
        f'<section class="group">\n<h3 class="{severity}">{severity} ({len(found)})</h3>\n'
        f"{shown}\n</section>"
    )


def _finding(entry: Entry) -> str:
    data = " ".join(f'data-{name}="{escape(of(entry))}"' for name, of in FILTERS.items())
    said = "".join(f"<dt>{name}</dt><dd>{escape(text)}</dd>" for name, text in entry.said.items())
    return (
        f'<details class="finding" {data} open>\n'
        f'<summary><b class="{entry.severity}">{entry.severity}</b> <b>{escape(entry.machine)}</b> '
        f'{_code(entry.subject)} <span class="quiet">{entry.area}: {entry.standing}</span>'
        f"</summary>\n<dl>{said}</dl>\n{_diff(entry.diff)}</details>"
    )


def _diff(diff: str) -> str:
    lines = (f"<{TAGS[part]}>{escape(line)}</{TAGS[part]}>" for part, line in parts(diff))
    return '<pre class="diff">' + "\n".join(lines) + "</pre>\n" if diff else ""


def _list(name: str, title: str, shown: Iterable[str]) -> str:
    items = "\n".join(f"<li>{item}</li>" for item in shown)
    if not items:
        return ""
    heading = f'<h2 id="{name}">{title}</h2>'
    return f'<section aria-labelledby="{name}">\n{heading}\n<ul>\n{items}\n</ul>\n</section>'


def _accepted(known: Accepted) -> str:
    entry = known.entry
    said = f"({entry.rule}) until {known.until}, {known.owner}: {known.reason}"
    return f"<b>{escape(entry.machine)}</b> {_code(entry.subject)} {escape(said)}"


def _code(text: str) -> str:
    return f"<code>{escape(text)}</code>"
