"""Both ends: proof, cables, and what the machines say."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from facts import lldp
from facts.bonds import parse
from homelab.switch import cabling, machines, proof
from homelab.switch.cabling import Heard
from homelab.switch.machines import Leg
from homelab.switch.parse import Member, Neighbour, Trunk
from homelab.switch.wanted import wanted
from tests.unit.facts.fact_captures import capture
from tests.unit.switch.rack import site

WANT = wanted(site())
PORTS = frozenset(WANT.groups[0].ports)
SYSTEM, BOND = "4c:1f:cc:45:a8:f8", "0c:c4:7a:00:01:01"
GOOD = [Member(port, True, "10111100", BOND) for port in WANT.groups[0].ports]
LEGS = [
    Leg(p.machine, p.mac, "bond0", "802.3ad", True, True, True, SYSTEM)
    for p in WANT.groups[0].plugs
]


def problems(members: list[Member], legs: list[Leg], lacp: bool = True) -> list[str]:
    trunk = Trunk(2, lacp, None, SYSTEM if lacp else None, tuple(members))
    return proof.problems(PORTS, WANT, {2: trunk}, legs)


def test_both_ends_say_yes() -> None:
    assert problems(GOOD, LEGS) == []


@pytest.mark.parametrize(
    ("member", "leg", "said"),
    [
        ({"up": False}, {}, "passes nothing in Eth-Trunk2, says the switch"),
        ({"state": "10100010"}, {}, "passes nothing in Eth-Trunk2, says the switch"),
        ({"port": "GigabitEthernet0/0/9"}, {}, "is in no Eth-Trunk, says the switch"),
        ({"partner": "0c:c4:7a:00:02:01"}, {}, "a cable leads to another machine"),
        ({}, {"up": False}, "has no link, says the machine"),
        ({}, {"aggregated": False}, "is not aggregated, says the machine"),
        ({}, {"aggregated": None}, "can't tell whether it is aggregated"),
        ({}, {"partner": "00:11:22:33:44:55"}, "which is not this switch"),
        ({}, {"mac": "0c:c4:7a:ff:ff:ff"}, "the machine says nothing of it"),
    ],
)
def test_one_end_says_no(member: dict[str, object], leg: dict[str, object], said: str) -> None:
    first, *others = GOOD
    mine, *rest = LEGS
    (problem,) = problems(
        [replace(first, **member), *others],  # type: ignore[arg-type]
        [replace(mine, **leg), *rest],  # type: ignore[arg-type]
    )
    assert said in problem
    assert problem.startswith("n1: ")


def test_ports_in_two_groups_are_one_group_for_nobody() -> None:
    parts = {n: Trunk(n, True, None, SYSTEM, tuple(GOOD[n : n + 2])) for n in (0, 2)}
    assert proof.problems(PORTS, WANT, parts, LEGS) == [
        "n1: bond0's ports are in several Eth-Trunks"
    ]


def answer(**captures: str) -> dict[str, Any]:
    """What pyinfra prints for machines with these captures, through the fact's own parser."""
    read = {machine: parse(capture(name)).to_json() for machine, name in captures.items()}
    return {"facts.bonds.Bonds": read}


def test_legs_of_a_good_day() -> None:
    legs = list(machines.legs(answer(n1="bonds-three-legs")))
    assert [(leg.machine, leg.bond, leg.mode) for leg in legs] == [("n1", "bond0", "802.3ad")] * 3
    assert all(leg.up and leg.active and leg.aggregated for leg in legs)
    assert len({leg.partner for leg in legs}) == 1


@pytest.mark.parametrize(
    ("name", "not_aggregated"),
    [("bonds-silent-partner", 3), ("bonds-two-aggregators", 1), ("bonds-slow-leg", 1)],
)
def test_a_leg_that_carries_nothing_is_seen(name: str, not_aggregated: int) -> None:
    legs = list(machines.legs(answer(n1=name)))
    assert sum(not (leg.aggregated and leg.active) for leg in legs) == not_aggregated


def test_what_can_not_be_told_is_none() -> None:
    assert {leg.aggregated for leg in machines.legs(answer(n1="bonds-not-root"))} == {None}
    assert {leg.aggregated for leg in machines.legs(answer(n1="bonds-active-backup"))} == {None}
    assert list(machines.legs({"facts.bonds.Bonds": {"n3": {"bonds": None}}})) == []


def test_asking_machines_that_cannot_be_asked() -> None:
    with pytest.raises(machines.Unasked, match=r"asking the machines for facts.bonds.Bonds failed"):
        machines.ask("inventories/no-such-file.py", "facts.bonds.Bonds")


def test_neighbours_of_pyinfras_answer() -> None:
    """Through the fact's own parser."""
    read = {"n1": lldp.parse(capture("lldp-three-legs")).to_json(), "n2": None}
    found = list(cabling.heard({"facts.lldp.Lldp": read}))
    assert len(found) == 3
    assert {leg.machine for leg in found} == {"n1"}
    assert all(re.fullmatch(r"([0-9a-f]{2}:){5}[0-9a-f]{2}", leg.mac) for leg in found)
    assert all(leg.port and leg.leg for leg in found)


def heard(**other: str) -> list[Heard]:
    """Every leg in its port, but for those whose last byte of the MAC is a key."""
    legs = [Heard(p.machine, f"eth{n % 3}", p.mac, p.port, "SW") for n, p in enumerate(WANT.plugs)]
    return [replace(h, port=other.get(f"{h.machine}_{h.leg}", h.port)) for h in legs]


def test_every_cable_is_where_the_site_says() -> None:
    assert list(cabling.problems(WANT, heard(), [])) == []


def test_a_leg_in_another_port_by_the_machines_word() -> None:
    found = cabling.problems(WANT, heard(n2_eth2="GE0/0/9"), [])
    assert list(found) == ["leg eth2 of n2 is in port GE0/0/9, the site says GE0/0/6"]


def test_a_leg_in_another_port_by_the_switchs_word() -> None:
    silent = [h for h in heard() if h.mac != "0c:c4:7a:00:02:03"]
    for remote in ("0cc4-7a00-0203", "0c:c4:7a:00:02:03"):
        neighbours = [Neighbour("GigabitEthernet0/0/9", "n2.lan", remote)]
        found = list(cabling.problems(WANT, silent, neighbours))
        if "-" in remote:
            assert found == [
                "leg 0c:c4:7a:00:02:03 of n2 is in port GE0/0/9, the site says GE0/0/6"
            ]
    named = [Neighbour("GigabitEthernet0/0/9", "n2.lan", "eth2")]
    assert list(cabling.problems(WANT, heard(), named)) == [
        "leg eth2 of n2 is in port GE0/0/9, the site says GE0/0/6"
    ]


def test_silence_is_told() -> None:
    silent = [h for h in heard() if h.mac != "0c:c4:7a:00:02:03"]
    assert list(cabling.problems(WANT, silent, [])) == [
        "leg 0c:c4:7a:00:02:03 of n2: neither side hears the other by LLDP in port GE0/0/6"
    ]
    other = [Neighbour("GigabitEthernet0/0/6", "printer", "1")]
    assert list(cabling.problems(WANT, silent, other)) == [
        "leg 0c:c4:7a:00:02:03 of n2: port GE0/0/6 hears printer instead"
    ]


def test_what_pyinfra_prints_of_lldp() -> None:
    answer = {
        "facts.lldp.Lldp": {
            "n1": {"neighbours": [
                {"port": "eth0", "permanent_mac": "0C:C4:7A:00:01:01", "remote": "GE0/0/1",
                 "system": None},
                {"port": "eth9", "permanent_mac": None, "remote": "GE0/0/2", "system": "SW"},
            ]},
            "n2": {"neighbours": None, "unread": {"lldp": "exit code 1"}},
        }
    }  # fmt: skip
    assert list(cabling.heard(answer)) == [Heard("n1", "eth0", "0c:c4:7a:00:01:01", "GE0/0/1", "")]
