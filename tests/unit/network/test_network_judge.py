"""What is wrong with a bond, in words: against the site, and by LACP's own account."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from facts.lacp import LacpState
from homelab.network.judge import judge
from homelab.site import Nic, model
from tests.unit.facts.fact_captures import FOLDER
from tests.unit.network.network_sites import (
    MACS,
    first,
    found,
    leg,
    machine,
    read,
    site,
    site_of,
    with_bond,
    with_leg,
)

# Those of the lab's VM are test_network_captured.py's.
NAMES = sorted(path.stem.removeprefix("bonds-") for path in FOLDER.glob("bonds-[!v]*.txt"))


def said(name: str) -> list[str]:
    """Of a capture, against the site that it should be."""
    return [f"{f.where} {f.wrong}" for f in found(read(name), site_of(name))]


def wrong(reading: Any, of: Any) -> list[str]:
    return [f"{f.where} {f.wrong}" for f in found(reading, of) if not f.note]


def test_a_good_day() -> None:
    assert said("three-legs") == []


# What is worth a visit, and nothing else: one cause is told once.
DAYS = {
    "silent-partner": ["bond0 hears no LACP partner on any leg"],
    "two-aggregators": [
        "bond0 enp5s0 goes to the switch 0c:d8:ff:10:20:99, enp3s0 to 0c:d8:ff:10:20:30"
    ],
    "slow-leg": [
        "bond0 enp5s0 has 100 Mbit/s",
        "bond0 enp5s0 has lost its link 4 time(s) since it joined the bond",
    ],
    "leg-down": [
        "bond0 enp4s0 has no link",
        "bond0 enp4s0 has lost its link 1 time(s) since it joined the bond",
    ],
    "no-legs": [
        *(f"bond0 lacks the port with MAC {mac.lower()}" for mac in MACS),
        "bond0 has no legs",
    ],
    "not-root": ["bond0 does not show LACP's state"],
    "active-backup": [
        "bond0 enp3s0 has no link",
        "bond0 enp3s0 has lost its link 2 time(s) since it joined the bond",
    ],
    "arp": [
        "bond0 enp3s0 has a link, and no ARP target answers through it",
        "bond0 enp3s0 has lost its link 1 time(s) since it joined the bond",
    ],
    "lossy-leg": ["bond0 enp4s0 has 988 errors in 99753 packets received (0.99%)"],
    "no-module": [
        "bond0 is not there",
        *(f"bond0 lacks the port with MAC {mac.lower()}" for mac in MACS),
    ],
}


@pytest.mark.parametrize("name", DAYS)
def test_a_bad_day(name: str) -> None:
    assert said(name) == DAYS[name]


def test_every_capture_is_judged() -> None:
    assert sorted([*DAYS, "three-legs"]) == NAMES


def test_a_finding_says_why_and_what_to_do() -> None:
    for name in DAYS:
        for finding in found(read(name), site_of(name)):
            assert finding.why
            assert finding.mend
            assert str(finding) == f"{finding.where} {finding.wrong}: {finding.why}; {finding.mend}"


def test_the_switchs_port_is_named_where_the_site_knows_it() -> None:
    (finding,) = [f for f in found(read("leg-down"), site()) if not f.note]
    assert "the switch's port GE0/0/2" in finding.mend
    unnamed = site(nics=tuple(Nic(mac=mac) for mac in MACS))
    assert "its port of the switch" in found(read("leg-down"), unnamed)[0].mend


OPTIONS: list[tuple[dict[str, Any], str, str]] = [
    ({"lacp_rate": "slow"}, "bond0 has lacp_rate fast, the site says slow", "anew"),
    ({"ad_select": "count"}, "bond0 has ad_select stable, the site says count", "anew"),
    ({"min_links": 2}, "bond0 has min_links 1, the site says 2", "sets it"),
    ({"up_delay_ms": 0}, "bond0 has updelay 200, the site says 0", "sets it"),
    (
        {"xmit_hash_policy": "layer2"},
        "bond0 has xmit_hash_policy layer3+4, the site says layer2",
        "sets it",
    ),
    ({"mode": "balance-xor"}, "bond0 is in mode 802.3ad, the site says balance-xor", "anew"),
    ({"mtu": 9000}, "bond0 has MTU 1500, the site says 9000", "sets it"),
]


@pytest.mark.parametrize(("changes", "told", "mended"), OPTIONS, ids=lambda v: str(v)[:40])
def test_an_option_in_force_that_differs(changes: dict[str, Any], told: str, mended: str) -> None:
    (finding,) = found(read("three-legs"), site(model.Bond(**changes)))
    assert f"{finding.where} {finding.wrong}" == told
    assert "deploys/network.py" in finding.mend
    assert mended in finding.mend


def test_arp_targets_are_a_set() -> None:
    of = site_of("arp")
    (bond,) = of.network.bonds
    fewer = of.network.replace(bonds=(bond.replace(arp_targets=("192.168.0.1",)),))
    told = wrong(read("arp"), of.replace(network=fewer))
    assert told[0] == (
        "bond0 has arp_ip_target 192.168.0.1 192.168.0.12, the site says 192.168.0.1"
    )
    assert wrong(read("arp"), of) == told[1:]


def test_another_preferred_leg() -> None:
    nics = (Nic(mac=MACS[0]), Nic(mac=MACS[1], primary=True))
    of = site(site_of("arp").network.bonds[0], nics)
    assert "bond0 prefers enp3s0, the site says enp4s0" in wrong(read("arp"), of)


def test_options_that_were_not_read_are_not_judged() -> None:
    bare = with_bond(read("three-legs"), options=None, link=None)
    assert found(bare, site(model.Bond(min_links=2, mtu=9000))) == []


def test_a_bond_with_another_address_than_its_first_legs() -> None:
    other_order = tuple(Nic(mac=mac) for mac in (MACS[1], MACS[0], MACS[2]))
    assert wrong(read("three-legs"), site(nics=other_order)) == [
        "bond0 has MAC 52:54:00:a1:00:01, its first declared leg's is 52:54:00:a1:00:02"
    ]


def test_a_leg_that_is_elsewhere_and_a_port_that_is_not_there() -> None:
    reading = read("three-legs")
    assert reading.links
    links = tuple(
        replace(link, master="br0" if link.name == "enp5s0" else None)
        for link in reading.links
        if link.name != "enp4s0"
    )
    reading = replace(with_bond(reading, legs=first(reading).legs[:1]), links=links)
    assert wrong(reading, site()) == [
        "bond0 lacks the port with MAC 52:54:00:a1:00:02",
        "bond0 enp5s0 is in br0, not a leg of bond0",
    ]
    alone = replace(links[1], master=None)
    told = wrong(replace(reading, links=(links[0], alone)), site())
    assert told[1] == "bond0 enp5s0 is alone, not a leg of bond0"


def test_a_leg_that_is_not_declared() -> None:
    two = site(nics=tuple(Nic(mac=mac) for mac in MACS[:2]))
    (finding,) = found(read("three-legs"), two)
    assert "enp5s0 is a leg with MAC 52:54:00:a1:00:03" in str(finding)


def test_a_bond_that_is_not_declared() -> None:
    reading = read("three-legs")
    other = replace(first(reading), name="bond9")
    told = found(replace(reading, bonds=(first(reading), other)), site())
    assert [(f.where, f.note) for f in told] == [("bond9", False)]
    empty = replace(other, legs=())
    told = found(replace(reading, bonds=(first(reading), empty)), site())
    assert [(f.where, f.note) for f in told] == [("bond9", True)]


def test_a_port_that_stays_alone_has_to_exist() -> None:
    nics = (*(Nic(mac=mac) for mac in MACS), Nic(mac="52:54:00:a1:00:09", bond=None))
    assert wrong(read("three-legs"), site(nics=nics)) == [
        "the machine lacks the port with MAC 52:54:00:a1:00:09"
    ]


def test_speed_and_duplex() -> None:
    half = with_leg(read("three-legs"), 1, duplex="half")
    assert wrong(half, site()) == ["bond0 enp4s0 runs at half duplex"]
    declared = site(nics=tuple(Nic(mac=mac, speed_mbps=10_000) for mac in MACS))
    told = found(read("three-legs"), declared)
    assert [f.wrong for f in told] == ["has 1000 Mbit/s"] * 3
    assert {f.why for f in told} == {"the site says 10000"}


def test_a_leg_that_is_off_and_one_that_waits() -> None:
    reading = read("leg-down")
    link = leg(reading, 1).link
    assert link
    off = with_leg(reading, 1, link=replace(link, up=False), failures=0)
    assert wrong(off, site()) == ["bond0 enp4s0 is switched off"]
    back = with_leg(reading, 1, mii_status="going back", failures=0)
    assert [(f.wrong, f.note) for f in found(back, site())] == [("is not in use yet", True)]


STATES: list[tuple[dict[str, Any], str]] = [
    (
        {"partner_mac": "00:00:00:00:00:00", "actor_state": LacpState.of(69)},
        "hears no LACP partner",
    ),
    ({"actor_state": LacpState.of(0x47)}, "no longer hears its LACP partner"),
    ({"actor_state": LacpState.of(0x87)}, "waits for its LACP partner"),
    (
        {"aggregator": 2, "partner_key": 6, "partner_state": LacpState.of(7)},
        "is in the switch's group with key 6, enp3s0 in that with 5",
    ),
    ({"aggregator": 2}, "is in aggregator 2, the active one is 1"),
    ({"partner_state": LacpState.of(0x07)}, "is not in use"),
    ({"actor_churn": "churned"}, "is churned"),
]


@pytest.mark.parametrize(("changes", "told"), STATES, ids=[told for _, told in STATES])
def test_a_leg_that_lacp_leaves_out(changes: dict[str, Any], told: str) -> None:
    reading = with_leg(read("three-legs"), 2, **changes)
    assert wrong(reading, site()) == [f"bond0 enp5s0 {told}"]


def test_a_port_that_the_switch_holds_for_its_own() -> None:
    reading = with_leg(read("three-legs"), 2, aggregator=2, partner_state=LacpState.of(0x01))
    (finding,) = found(reading, site())
    assert finding.mend.startswith("the switch holds the switch's port GE0/0/3 for a port of its")


def test_a_switch_that_speaks_slowly_is_worth_a_note() -> None:
    reading = with_leg(read("three-legs"), 0, partner_state=LacpState.of(0x3D))
    (finding,) = found(reading, site())
    assert finding.note
    assert "every 30 s" in finding.wrong
    (finding,) = found(reading, site(model.Bond(lacp_rate="slow")))
    assert "lacp_rate" in finding.wrong


def test_packets_that_were_dropped_are_worth_a_note() -> None:
    reading = read("three-legs")
    link = leg(reading, 0).link
    assert link
    assert link.sent
    busy = replace(link, sent=replace(link.sent, dropped=2000))
    (finding,) = found(with_leg(reading, 0, link=busy), site())
    assert finding.note
    assert finding.wrong == "dropped 2000 of 87654 packets sent (2.28%)"
    for dropped, told in ((300, 0), (600, 1)):  # 0.34 %, 0.68 %: a leg that loses 1 % is found
        some = replace(link, sent=replace(link.sent, dropped=dropped))
        assert len(found(with_leg(reading, 0, link=some), site())) == told
    fresh = replace(link, sent=replace(link.sent, packets=99, dropped=50, errors=1))
    assert found(with_leg(reading, 0, link=fresh), site()) == []


def test_a_foreign_network_and_an_unread_one_are_not_judged() -> None:
    of = site()
    foreign = machine(of).replace(network="foreign")
    assert judge(of, foreign, read("silent-partner")) == []
    assert judge(of, machine(of), replace(read("silent-partner"), bonds=None)) == []


def test_what_is_wrong_comes_before_what_is_only_noted() -> None:
    notes = [finding.note for finding in found(read("slow-leg"), site())]
    assert notes == sorted(notes)
