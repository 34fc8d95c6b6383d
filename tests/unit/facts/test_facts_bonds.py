"""Bonds on good and bad days."""

from __future__ import annotations

from facts.bonds import Bond, parse
from tests.unit.facts.fact_captures import capture


def bond(name: str) -> Bond:
    found = parse(capture(f"bonds-{name}"))
    assert not found.unread
    bond = found.bond("bond0")
    assert bond is not None
    return bond


def test_three_legs_in_one_aggregator() -> None:
    found = bond("three-legs")
    assert (found.mode, found.xmit_hash_policy) == ("802.3ad", "layer3+4")
    assert (found.lacp_rate, found.lacp_active, found.min_links) == ("fast", True, 1)
    assert (found.miimon_ms, found.up_delay_ms, found.down_delay_ms) == (100, 200, 0)
    assert (found.active_aggregator, found.aggregated_ports) == (1, 3)
    assert found.partner_silent is False
    assert [leg.name for leg in found.legs] == ["enp3s0", "enp4s0", "enp5s0"]
    assert all(leg.aggregated for leg in found.legs)
    assert {leg.partner_mac for leg in found.legs} == {"0c:d8:ff:10:20:30"}
    assert found.legs[2].permanent_mac == "52:54:00:a1:00:03"
    assert found.link is not None
    assert found.link.mtu == 1500
    assert [address.local for address in found.link.addresses] == ["192.168.0.11"]


def test_a_silent_partner_though_every_cable_is_up() -> None:
    found = bond("silent-partner")
    assert found.mii_status == "up"
    assert found.partner_silent is True
    assert {leg.aggregator for leg in found.legs} == {1, 2, 3}
    assert [leg.aggregated for leg in found.legs] == [False, False, False]
    assert {leg.churn for leg in found.legs} == {"churned"}


def test_legs_in_two_aggregators_that_go_to_two_switches() -> None:
    found = bond("two-aggregators")
    assert found.aggregated_ports == 2
    assert [leg.aggregator == found.active_aggregator for leg in found.legs] == [True, True, False]
    assert len({leg.partner_mac for leg in found.legs}) == 2


def test_a_leg_at_100_mbit() -> None:
    found = bond("slow-leg")
    assert [leg.speed_mbps for leg in found.legs] == [1000, 1000, 100]
    assert [leg.aggregated for leg in found.legs] == [True, True, False]
    assert found.legs[2].failures == 4


def test_a_leg_without_a_cable() -> None:
    leg = bond("leg-down").legs[1]
    assert (leg.mii_status, leg.speed_mbps, leg.duplex) == ("down", None, None)
    assert leg.aggregated is False


def test_a_bond_without_legs() -> None:
    found = bond("no-legs")
    assert (found.legs, found.mii_status) == ((), "down")
    assert (found.active_aggregator, found.partner_silent) == (None, None)


def test_what_lacp_did_is_unknown_to_those_who_are_not_root() -> None:
    found = bond("not-root")
    assert (found.partner_silent, found.active_aggregator) == (None, None)
    assert [leg.aggregated for leg in found.legs] == [None, None, None]


def test_an_active_backup_bond_has_no_lacp() -> None:
    found = bond("active-backup")
    assert (found.mode, found.active_leg, found.lacp_rate) == ("active-backup", "enp4s0", None)
    assert [leg.mii_status for leg in found.legs] == ["down", "up"]


def test_a_kernel_without_bonding_has_no_bonds() -> None:
    assert parse(capture("bonds-no-module")).bonds == ()
