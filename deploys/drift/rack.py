"""The rack as it is drawn in a report: each machine, and the legs of its bonds."""

from __future__ import annotations

from collections.abc import Iterator

from homelab.drift.report import Leg, Unit
from homelab.drift.view import Told, View


def rack(view: View) -> tuple[Unit, ...]:
    """Machines in the site's order; a machine that did not answer has no legs to show."""
    return tuple(
        Unit(told.name, told.machine.roles, not told.silent, tuple(_legs(told)))
        for told in view.told
    )


def _legs(told: Told) -> Iterator[Leg]:
    bonds = told.facts.bonds
    for bond in (bonds.bonds or ()) if bonds is not None else ():
        for leg in bond.legs:
            speed = f"{leg.speed_mbps} Mbit/s" if leg.speed_mbps else "no speed"
            yield Leg(bond.name, leg.name, f"{'up' if leg.up else 'down'}, {speed}", leg.up)
