"""The rack of the page: a unit for each machine, a port for each leg, all of it in words, too."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from homelab.drift.forms.entry import Entry
from homelab.drift.forms.escape import visible
from homelab.drift.report import Leg, Unit


def rack(units: Sequence[Unit], found: Sequence[Entry]) -> str:
    """List items, top unit first; ``found`` tells how each is."""
    return "\n".join(_unit(unit, found) for unit in units)


def _unit(unit: Unit, found: Sequence[Entry]) -> str:
    name = visible(unit.name)
    roles = escape(visible(", ".join(unit.roles)))
    answered = "answered" if unit.answered else "did not answer"
    state, style = _state(unit, [entry for entry in found if entry.machine == name])
    ports = "".join(map(_port, unit.legs))
    return (
        f'<li><p><b>{escape(name)}</b> <span class="quiet">{roles}</span></p>\n'
        f'<p>{answered}; <b class="{style}">{state}</b></p>'
        + (f'\n<ul class="ports">{ports}</ul>' if ports else "")
        + "</li>"
    )


def _state(unit: Unit, own: Sequence[Entry]) -> tuple[str, str]:
    """In words, and the style's class for it. What could not be told is never as declared."""
    known = [entry.severity for entry in own if entry.kind != "unknown"]
    untold = "" if unit.answered and len(known) == len(own) else "not all could be told"
    if known:
        return "; ".join(filter(None, (f"worst is {min(known)}", untold))), str(min(known))
    return (untold, "unknown") if untold else ("as declared", "clean")


def _port(leg: Leg) -> str:
    said = escape(visible(f"{leg.bond} {leg.name}: {leg.state}"))
    word, style = ("well", "well") if leg.well else ("not well", "ill")
    return f'<li class="{style}">{said} <b>{word}</b></li>'
