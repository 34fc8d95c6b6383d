"""What a machine loses when its cables, its switch or its partner fail, mode by mode."""

from __future__ import annotations

import time

import pytest

from homelab.lab.plan import LEGS
from homelab.lab.vms.faults import Vms
from tests.e2e.support.rig import Rig
from tests.e2e.support.waiting import Condition, wait_for
from tests.vms.bond import Pinging, bond, whole

MACHINE = "cp1"
SETTLED_S = 60


def vms(rig: Rig) -> Vms:
    assert isinstance(rig.lab, Vms)
    return rig.lab


@pytest.fixture(autouse=True)
def whole_before(rig: Rig) -> None:
    vms(rig).heal(MACHINE)
    wait_for([Condition("the bond is whole", lambda: whole(rig, MACHINE))], SETTLED_S)


@pytest.mark.parametrize("leg", range(1, LEGS + 1))
def test_a_leg_is_cut_and_healed(rig: Rig, leg: int) -> None:
    with Pinging(rig, rig.address(MACHINE)) as pinging:
        vms(rig).cut_leg(MACHINE, leg)
        time.sleep(5)
        there = bond(rig, MACHINE)
        assert there is not None
        assert sum(leg.mii_status == "up" for leg in there.legs) == LEGS - 1
        vms(rig).heal_leg(MACHINE, leg)
        wait_for([Condition("the bond is whole", lambda: whole(rig, MACHINE))], SETTLED_S)
        lost = pinging.stop()
    print(f"leg {leg} cut and healed: {lost}")
    assert lost.longest_s < 5


def test_a_silent_leg_is_noticed_by_lacp(rig: Rig) -> None:
    """Its link stays up, so miimon can't; with fast LACP a partner is missed after 3 s."""
    with Pinging(rig, rig.address(MACHINE)) as pinging:
        vms(rig).silence_leg(MACHINE, 2)
        began = time.monotonic()
        wait_for([Condition("it is left out", lambda: _alone(rig))], 30)
        noticed = time.monotonic() - began
        vms(rig).heal_leg(MACHINE, 2)
        wait_for([Condition("the bond is whole", lambda: whole(rig, MACHINE))], SETTLED_S)
        lost = pinging.stop()
    print(f"a silent leg is noticed after {noticed:.1f} s: {lost}")
    assert noticed < 10


def test_the_switch_is_restarted(rig: Rig) -> None:
    vms(rig).restart_switch()
    wait_for([Condition("the bond is whole", lambda: whole(rig, MACHINE))], SETTLED_S)


def test_all_legs_are_down_and_back(rig: Rig) -> None:
    vms(rig).cut(MACHINE)
    time.sleep(5)
    vms(rig).heal(MACHINE)
    wait_for([Condition("the bond is whole", lambda: whole(rig, MACHINE))], SETTLED_S)
    assert rig.root(MACHINE, f"ip -4 addr show bond0 | grep -c {rig.address(MACHINE)}") == "1\n"


def _alone(rig: Rig) -> str:
    there = bond(rig, MACHINE)
    assert there is not None
    return "still in" if there.one_aggregator else ""
