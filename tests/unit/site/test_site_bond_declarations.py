"""Any bond that is declared is accepted and told to networkd in full, or refused with a reason."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from homelab.documents.bonds import netdev, udev_rules
from homelab.site import bonding
from homelab.site.validate import check
from tests.bond_declarations import drawn
from tests.unit.site.example_site import example


@settings(deadline=None)  # a whole site is checked each time
@given(st.randoms(use_true_random=False))
def test_accepted_and_told_in_full_or_refused_with_a_reason(draw: random.Random) -> None:
    site = example()
    bond = drawn(draw, site.network.gateway)
    faults = check(site.replace(network=site.network.replace(bonds=(bond,))), "rack.py")
    for fault in faults:
        assert fault.problem
        assert fault.mend
        assert "bonds[0]" in fault.field or "nics" in fault.field, fault
    if faults:
        return
    text = netdev(bond, site.machines[0].nics) + udev_rules([bond])
    for option in bonding.OPTIONS:
        told = f"\n{option.networkd}=" in text or f"bonding/{option.kernel}}}" in text
        assert told == (option in bonding.options(bond)), (bond, option.field)


def test_a_fair_share_is_accepted() -> None:
    """Else the property above would say little of the texts."""
    draw, site = random.Random(1), example()
    bonds = [drawn(draw, site.network.gateway) for _ in range(500)]
    sites = [site.replace(network=site.network.replace(bonds=(bond,))) for bond in bonds]
    accepted = [bond for bond, one in zip(bonds, sites, strict=True) if not check(one, "rack.py")]
    assert len(accepted) >= 25
    assert {bond.mode for bond in accepted} == {*bonding.MODES}
