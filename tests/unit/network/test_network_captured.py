"""A machine's own words of good and bad days: read off the lab's VM, behind Open vSwitch.

The other captures of bonds are composed after the kernel's source: days that the lab can't have.
"""

from __future__ import annotations

import pytest

from facts.bonds import parse
from homelab.site import Nic, model
from tests.unit.facts.fact_captures import capture
from tests.unit.network.network_sites import found, site

LEGS = tuple(Nic(mac=f"52:54:00:77:0b:{number:02x}") for number in (1, 2, 3))
DAYS: dict[str, list[str]] = {
    "whole": [],
    "leg-cut": ["bond0 ens18 has no link"],
    "leg-silent": ["bond0 ens19 hears no LACP partner"],
    "other-group": ["bond0 ens19 is in the switch's group with key 68, ens18 in that with 66"],
}


@pytest.mark.parametrize("day", DAYS)
def test_what_is_wrong_is_told_in_words(day: str) -> None:
    reading = parse(capture(f"bonds-vm-{day}"))
    assert not reading.unread
    told = found(reading, site(model.Bond(), LEGS))
    assert [f"{f.where} {f.wrong}" for f in told if not f.note] == DAYS[day]
