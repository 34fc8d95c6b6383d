"""What a machine loses when its cables, its switch or its partner fail, mode by mode."""

from __future__ import annotations

import time

import pytest

from homelab.lab.plan import LEGS
from tests.e2e.support.rig import Rig
from tests.e2e.support.waiting import Condition, wait_for
from tests.vms.bond import Pinging, bond
from tests.vms.twin import MACHINE, SETTLED_S, report_of, settle, vms


@pytest.fixture(autouse=True)
def whole_before(rig: Rig) -> None:
    vms(rig).heal(MACHINE)
    settle(rig)


@pytest.mark.parametrize("leg", range(1, LEGS + 1))
def test_a_leg_is_cut_and_healed(rig: Rig, leg: int) -> None:
    with Pinging(rig, rig.address(MACHINE)) as pinging:
        vms(rig).cut_leg(MACHINE, leg)
        time.sleep(5)
        there = bond(rig, MACHINE)
        assert there is not None
        assert sum(leg.mii_status == "up" for leg in there.legs) == LEGS - 1
        vms(rig).heal_leg(MACHINE, leg)
        settle(rig)
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
        settle(rig)
        lost = pinging.stop()
    print(f"a silent leg is noticed after {noticed:.1f} s: {lost}")
    assert noticed < 10


@pytest.mark.long
def test_the_switch_is_restarted(rig: Rig) -> None:
    vms(rig).restart_switch()
    settle(rig)


@pytest.mark.long
def test_all_legs_are_down_and_back(rig: Rig) -> None:
    vms(rig).cut(MACHINE)
    time.sleep(5)
    vms(rig).heal(MACHINE)
    settle(rig)
    assert rig.root(MACHINE, f"ip -4 addr show bond0 | grep -c {rig.address(MACHINE)}") == "1\n"


@pytest.mark.long
def test_a_leg_in_another_group_of_the_switch_is_told_by_its_key(rig: Rig) -> None:
    """Two aggregators: the leg has a link and carries nothing, and the report says why."""
    tap = vms(rig).machine(MACHINE).taps[2]
    vms(rig).switch.regroup(tap)
    try:
        wait_for([Condition("it is left out", lambda: _alone(rig))], SETTLED_S)
        rc, said = report_of(rig)
        assert rc == 2, said
        assert "in the switch's group with key" in said, said
    finally:
        vms(rig).heal_leg(MACHINE, 3)
    settle(rig)


@pytest.mark.long
def test_a_switch_without_lacp_is_told(rig: Rig) -> None:
    """The right bond towards the wrong ports: one leg carries all."""
    machine = vms(rig).machine(MACHINE)
    vms(rig).switch.bundle(machine, "none")
    try:
        wait_for([Condition("it is noticed", lambda: _told(rig, "hears no LACP partner"))], 120)
    finally:
        vms(rig).switch.bundle(machine, "lacp")
    settle(rig)
    assert report_of(rig)[0] == 0


@pytest.mark.long
def test_a_leg_that_flaps_is_out_while_it_does(rig: Rig) -> None:
    with Pinging(rig, rig.address(MACHINE)) as pinging:
        for _ in range(5):
            vms(rig).cut_leg(MACHINE, 3)
            time.sleep(1)
            vms(rig).heal_leg(MACHINE, 3)
            time.sleep(1)
        settle(rig)
        lost = pinging.stop()
    print(f"a leg flaps five times in ten seconds: {lost}")
    assert lost.longest_s < 5
    rc, said = report_of(rig)
    assert rc == 0
    assert "has lost its link" in said, said


def test_many_flows_use_all_legs_and_one_flow_uses_one(rig: Rig) -> None:
    """By counters per leg, towards the switch; emulated cards say nothing about bandwidth."""
    one, many = (sent(rig, flows) for flows in (1, 48))
    print(f"packets per leg: of one flow {one}, of 48 flows {many}")
    assert sorted(one)[-1] > 0.9 * sum(one)
    assert min(many) > 0.1 * sum(many)


def sent(rig: Rig, flows: int) -> list[int]:
    """Packets that each leg sent while the machine sent 3000 datagrams in so many flows."""
    count = "cat /sys/class/net/bond0/lower_*/statistics/tx_packets"
    send = (
        "import socket\n"
        f"socks = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range({flows})]\n"
        "for n in range(3000):\n"
        f"    socks[n % {flows}].sendto(b'x' * 500, ('{rig.site.network.gateway}', 9))\n"
    )
    said = rig.root(MACHINE, f'{count}; echo; python3 -c "{send}"; {count}').split("\n\n")
    before, after = ([int(word) for word in part.split()] for part in said)
    return [later - earlier for earlier, later in zip(before, after, strict=True)]


def _told(rig: Rig, words: str) -> str:
    rc, said = report_of(rig)
    return "" if rc == 2 and words in said else said


def _alone(rig: Rig) -> str:
    there = bond(rig, MACHINE)
    assert there is not None
    return "still in" if there.one_aggregator else ""
