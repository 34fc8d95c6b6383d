"""Cables that work and are still wrong: slow, lossy, in another machine; and what LLDP hears."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from homelab.lab.plan import LEGS
from homelab.switch import cabling
from homelab.switch.machines import ask
from tests.e2e.support.rig import INVENTORY, Rig
from tests.e2e.support.waiting import Condition, wait_for
from tests.vms import lossy
from tests.vms.bond import Pinging, bond
from tests.vms.twin import MACHINE, SETTLED_S, report_of, settle, vms

pytestmark = pytest.mark.long
FLOWS, DATAGRAMS = 300, 60_000
THIEF = "thief"
LLDP_S = 120
ETHERTYPE_FOR_EXPERIMENTS = 0x88B5  # IEEE 802.1


@pytest.fixture(autouse=True)
def whole_before(rig: Rig) -> None:
    vms(rig).heal(MACHINE)
    settle(rig)


def test_a_leg_of_another_speed_falls_out_of_the_aggregator(rig: Rig) -> None:
    leg = legs(rig)[2]
    negotiate(rig, leg, 100)
    try:
        wait_for([Condition("it is told", lambda: _told(rig, f"{leg} has 100 Mbit/s"))], SETTLED_S)
        there = bond(rig, MACHINE)
        assert there is not None
        assert not there.one_aggregator
    finally:
        negotiate(rig, leg, 1000)
    settle(rig)
    assert report_of(rig)[0] == 0


def test_a_leg_that_loses_one_frame_in_a_hundred_is_found_by_its_counters(rig: Rig) -> None:
    """Its link is up and LACP is content, so only counting tells."""
    leg, *others = legs(rig)
    lossy.begin(rig, MACHINE, leg)
    try:
        flood(rig)
    finally:
        lossy.end(rig, MACHINE, leg)
    rc, said = report_of(rig)
    assert rc == 0, said  # it works, so it is a note
    assert f"{leg} dropped" in said, said
    assert not [other for other in others if f"{other} dropped" in said], said


def test_a_mac_address_that_another_machine_has_too_comes_back_to_its_own(rig: Rig) -> None:
    """The switch sends where it heard an address last: while both speak, packets go astray."""
    mine = rig.root(MACHINE, "cat /sys/class/net/bond0/address").strip()
    with Pinging(rig, rig.address(MACHINE)) as pinging:
        with another_with(rig, mine) as speak:
            for _ in range(20):
                speak()
                time.sleep(0.1)
        time.sleep(10)
        lost = pinging.stop()
    print(f"another machine had its MAC address for 2 s: {lost}")
    assert lost.lost > 0, "the switch never believed it"
    with Pinging(rig, rig.address(MACHINE)) as pinging:
        time.sleep(5)
        assert pinging.stop().lost == 0


def test_lldp_tells_which_port_each_leg_is_in(rig: Rig) -> None:
    """A real lldpd on the machine, and Open vSwitch's LLDP on the ports."""
    switch, machine = vms(rig).switch, vms(rig).machine(MACHINE)
    switch.announce(machine)
    rig.root(MACHINE, "systemctl start lldpd")
    wanted = dict(zip(machine.leg_macs, machine.taps, strict=True))
    try:
        wait_for([Condition("each hears its port", lambda: _heard(wanted))], LLDP_S)
    finally:
        rig.root(MACHINE, "systemctl stop lldpd")


def legs(rig: Rig) -> list[str]:
    """Names of the bond's legs on the machine, leg 1 first."""
    there = bond(rig, MACHINE)
    assert there is not None
    assert len(there.legs) == LEGS
    order = vms(rig).machine(MACHINE).leg_macs
    return [leg.name for leg in sorted(there.legs, key=lambda leg: order.index(leg.permanent_mac))]


def negotiate(rig: Rig, leg: str, mbps: int) -> None:
    """As a cable with two broken wires does: the link comes back with another speed."""
    speed = f"ethtool -s {leg} speed {mbps} duplex full"
    rig.root(MACHINE, f"ip link set {leg} down; {speed}; ip link set {leg} up")


def flood(rig: Rig) -> None:
    """Datagrams of many flows to the machine, so that each leg gets its share."""
    to = rig.address(MACHINE), 9
    flows = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(FLOWS)]
    for number in range(DATAGRAMS):
        flows[number % FLOWS].sendto(b"x" * 500, to)
        if number % 20 == 0:
            time.sleep(0.005)  # an emulated machine's buffers are to stay empty
    for flow in flows:
        flow.close()


@contextmanager
def another_with(rig: Rig, mac: str) -> Iterator[Callable[[], object]]:
    """A machine on the switch with that MAC address; calling what this yields makes it speak."""
    switch = vms(rig).switch
    switch.plug(THIEF, mac=mac)
    try:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as port:
            port.bind((THIEF, 0))
            source = bytes.fromhex(mac.replace(":", ""))
            kind = ETHERTYPE_FOR_EXPERIMENTS.to_bytes(2, "big")
            yield lambda: port.send(b"\xff" * 6 + source + kind + bytes(46))
    finally:
        switch.unplug(THIEF)


def _told(rig: Rig, words: str) -> str:
    rc, said = report_of(rig)
    return "" if rc == 2 and words in said else said


def _heard(wanted: dict[str, str]) -> str:
    answer = ask(INVENTORY, "facts.lldp.Lldp")
    heard = {item.mac: item.port for item in cabling.heard(answer)}
    return "" if heard == wanted else f"{heard}, not {wanted}"
