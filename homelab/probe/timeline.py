"""A picture of one fault: one row per probe, time from left to right, the fault at zero.

Written by hand as SVG, so that it needs no library, is small in the repository, and shows up in
a browser and on a forge alike. Success and failure differ in height as well as in colour.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol
from xml.sax.saxutils import escape

from homelab.probe.attempt import Attempt
from homelab.probe.figures import Gap

LEFT, RIGHT, TOP = 110, 20, 44
WIDTH, ROW, BAR = 900, 34, 20
GOOD, BAD, BAND, INK = "#2b7bba", "#d1495b", "#f6e3c5", "#333"


@dataclass(frozen=True)
class Row:
    """What one probe saw, and the outage that is claimed from it (None: nothing to see)."""

    name: str
    attempts: Sequence[Attempt]
    outage: Gap | None = None


@dataclass(frozen=True)
class Stretch:
    """Attempts in a row that all went alike."""

    start: float
    end: float
    ok: bool


def stretches(attempts: Sequence[Attempt]) -> list[Stretch]:
    """Merge attempts that went alike and lie next to each other, so that a long run stays small.

    A success is drawn where it was completed, a failure from its start to its end. Two successes
    are joined if the pause between them is at most three times the usual one.
    """
    ends = [attempt.end for attempt in attempts if attempt.ok]
    pauses = sorted(b - a for a, b in pairwise(ends))
    usual = pauses[len(pauses) // 2] if pauses else 0.0
    merged: list[Stretch] = []
    for ok in (True, False):
        spans = sorted((a.end if ok else a.start, a.end) for a in attempts if a.ok is ok)
        last: Stretch | None = None
        for start, end in spans:
            if last and start - last.end <= 3 * usual:
                last = Stretch(last.start, max(last.end, end), ok)
                merged[-1] = last
            else:
                last = Stretch(start, end, ok)
                merged.append(last)
    return merged


def draw(
    title: str, rows: Sequence[Row], began: float, ended: float, marks: Mapping[str, float]
) -> str:
    """The SVG text of the time from ``began`` to ``ended``.

    ``marks`` names moments, of which the first is the fault and the axis' zero.
    """
    zero = next(iter(marks.values()), began)
    height = TOP + ROW * len(rows) + 40
    span = max(ended - began, 0.001)

    def x(moment: float) -> float:
        inside = min(max(moment, began), ended)
        return round(LEFT + (inside - began) / span * (WIDTH - LEFT - RIGHT), 1)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'font-family="sans-serif" font-size="12" fill="{INK}" role="img">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        f'<text x="{LEFT}" y="16" font-weight="bold">{escape(title)}</text>',
    ]
    bottom = TOP + ROW * len(rows)
    for index, row in enumerate(rows):
        parts += _row(row, TOP + ROW * index, x)
    for name, moment in marks.items():
        parts.append(
            f'<line x1="{x(moment)}" x2="{x(moment)}" y1="{TOP - 10}" y2="{bottom}" '
            f'stroke="{INK}" stroke-dasharray="3 2"/>'
            f'<text x="{x(moment)}" y="{TOP - 13}" text-anchor="middle">{escape(name)}</text>'
        )
    for second in _ticks(began - zero, ended - zero):
        at = x(zero + second)
        parts.append(
            f'<line x1="{at}" x2="{at}" y1="{bottom}" y2="{bottom + 5}" stroke="{INK}"/>'
            f'<text x="{at}" y="{bottom + 19}" text-anchor="middle">{second:g} s</text>'
        )
    parts.append("</svg>\n")
    return "\n".join(parts)


def _row(row: Row, top: float, x: _Scale) -> list[str]:
    middle = top + ROW / 2
    parts = [f'<text x="{LEFT - 8}" y="{middle + 4:g}" text-anchor="end">{escape(row.name)}</text>']
    if row.outage:
        start, end = x(row.outage.start), x(row.outage.end)
        parts.append(
            f'<rect x="{start}" y="{top:g}" width="{max(end - start, 1):.1f}" height="{ROW}" '
            f'fill="{BAND}"/>'
        )
    for part in stretches(row.attempts):
        start, end = x(part.start), x(part.end)
        height = BAR if part.ok else BAR / 3
        parts.append(
            f'<rect x="{start}" y="{middle - height / 2:.1f}" '
            f'width="{max(end - start, 1.2):.1f}" height="{height:.1f}" '
            f'fill="{GOOD if part.ok else BAD}"/>'
        )
    if row.outage:
        more = "" if row.outage.over else " and more"
        label = f"{row.outage.seconds:.2f} s{more}"
        parts.append(
            f'<text x="{x(row.outage.end) + 4}" y="{top + 11:g}" stroke="white" stroke-width="3" '
            f'paint-order="stroke">{label}</text>'
        )
    return parts


class _Scale(Protocol):
    """The type of a function from a moment to its place on the picture."""

    def __call__(self, moment: float) -> float: ...


def _ticks(least: float, most: float) -> list[float]:
    """Round numbers of seconds, about ten of them."""
    step = next(
        (s for s in (0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300) if (most - least) / s <= 12), 600
    )
    first = int(least // step) + 1
    return [number * step for number in range(first, int(most // step) + 1)]
