"""Bonds on good and bad days."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from facts.bond import Bond
from facts.bond_files import drivers_of, options_of
from facts.bonds import DRIVERS, PROC, SYS, BondList, parse
from facts.lacp import LacpState
from tests.unit.facts.fact_captures import capture


def read(name: str) -> BondList:
    found = parse(capture(f"bonds-{name}"))
    assert not found.unread
    return found


def bond(name: str) -> Bond:
    bond = read(name).bond("bond0")
    assert bond is not None
    return bond


def test_three_legs_in_one_aggregator() -> None:
    found = bond("three-legs")
    assert found.mode == "802.3ad"
    assert (found.active_aggregator, found.aggregated_ports) == (1, 3)
    assert (found.partner_silent, found.one_aggregator) == (False, True)
    assert found.bandwidth_mbps == 3000
    assert [leg.name for leg in found.legs] == ["enp3s0", "enp4s0", "enp5s0"]
    assert [leg.driver for leg in found.legs] == ["igb", "igb", "e1000e"]
    assert all(leg.aggregated for leg in found.legs)
    assert {(leg.partner_mac, leg.partner_key) for leg in found.legs} == {("0c:d8:ff:10:20:30", 5)}
    assert {(leg.actor_key, leg.actor_churn, leg.partner_churn) for leg in found.legs} == {
        (9, "none", "none")
    }
    assert found.legs[2].permanent_mac == "52:54:00:a1:00:03"
    assert found.link is not None
    assert found.link.mtu == 1500
    assert [address.local for address in found.link.addresses] == ["192.168.0.11"]


def test_options_as_the_kernel_has_them() -> None:
    options = bond("three-legs").options
    assert options is not None
    assert (options["lacp_rate"], options["miimon"], options["updelay"]) == ("fast", "100", "200")
    assert (options["xmit_hash_policy"], options["min_links"]) == ("layer3+4", "1")
    assert (options["arp_ip_target"], options["primary"]) == ("", "")


def test_lacp_states_bit_by_bit() -> None:
    carrying = bond("three-legs").legs[0].partner_state
    assert carrying == LacpState(True, True, True, True, True, True, False, False)
    assert carrying.letters == "ATGSCD"
    waiting = bond("silent-partner").legs[1].actor_state  # 69: 0b01000101
    assert waiting == LacpState(True, False, True, False, False, False, True, False)
    assert (waiting.letters, LacpState.of(255).letters, LacpState.of(0).letters) == (
        *("AGF", "ATGSCDFE", ""),
    )
    with pytest.raises(ValueError, match="256 is no LACP port state"):
        LacpState.of(256)


def test_a_silent_partner_though_every_cable_is_up() -> None:
    found = bond("silent-partner")
    assert found.mii_status == "up"
    assert (found.partner_silent, found.one_aggregator) == (True, False)
    assert {leg.aggregator for leg in found.legs} == {1, 2, 3}
    assert [leg.aggregated for leg in found.legs] == [False, False, False]
    assert all(leg.actor_state and leg.actor_state.defaulted for leg in found.legs)
    assert {leg.actor_churn for leg in found.legs} == {"churned"}
    # The kernel lets the one port of its active aggregator send all the same.
    assert found.bandwidth_mbps == 1000


def test_legs_in_two_aggregators_that_go_to_two_switches() -> None:
    found = bond("two-aggregators")
    assert (found.aggregated_ports, found.one_aggregator, found.bandwidth_mbps) == (2, False, 2000)
    assert [leg.aggregator == found.active_aggregator for leg in found.legs] == [True, True, False]
    assert len({leg.partner_mac for leg in found.legs}) == 2


def test_a_leg_at_100_mbit() -> None:
    found = bond("slow-leg")
    assert [leg.speed_mbps for leg in found.legs] == [1000, 1000, 100]
    assert [leg.aggregated for leg in found.legs] == [True, True, False]
    assert (found.legs[2].failures, found.bandwidth_mbps) == (4, 2000)


def test_a_leg_without_a_cable() -> None:
    found = bond("leg-down")
    leg = found.legs[1]
    assert (leg.mii_status, leg.speed_mbps, leg.duplex) == ("down", None, None)
    assert leg.aggregated is False
    assert found.bandwidth_mbps == 2000


def test_a_bond_without_legs() -> None:
    found = bond("no-legs")
    assert (found.legs, found.mii_status) == ((), "down")
    assert (found.active_aggregator, found.partner_silent) == (None, None)
    assert (found.one_aggregator, found.bandwidth_mbps) == (None, 0)


def test_what_lacp_did_is_unknown_to_those_who_are_not_root() -> None:
    found = bond("not-root")
    assert (found.partner_silent, found.active_aggregator) == (None, None)
    assert [leg.aggregated for leg in found.legs] == [None, None, None]
    # Aggregators are shown to all: where there is one, it is the active one.
    assert (found.one_aggregator, found.bandwidth_mbps) == (True, 3000)
    apart = replace(found, legs=(*found.legs[:2], replace(found.legs[2], aggregator=2)))
    assert (apart.one_aggregator, apart.bandwidth_mbps) == (False, None)


def test_an_active_backup_bond_has_no_lacp() -> None:
    found = bond("active-backup")
    assert (found.mode, found.active_leg, found.one_aggregator) == ("active-backup", "enp4s0", None)
    assert [leg.mii_status for leg in found.legs] == ["down", "up"]
    assert found.bandwidth_mbps == 1000


def test_legs_that_are_watched_by_arp() -> None:
    found = bond("arp")
    assert found.mode == "active-backup"
    assert found.options is not None
    assert (found.options["miimon"], found.options["arp_interval"]) == ("0", "1000")
    assert found.options["arp_ip_target"] == "192.168.0.1 192.168.0.12"
    assert (found.options["arp_validate"], found.options["primary"]) == ("all", "enp3s0")
    # A cable that is plugged in, behind which nobody answers.
    assert (found.legs[0].mii_status, found.legs[0].speed_mbps) == ("down", 1000)
    assert found.legs[0].link is not None
    assert found.legs[0].link.carrier


def test_a_leg_that_loses_one_percent_is_found_by_its_counters() -> None:
    found = bond("lossy-leg")
    assert found.options is not None
    assert found.options["xmit_hash_policy"] == "vlan+srcmac"
    received = [leg.link.received for leg in found.legs if leg.link]
    assert [c.errors * 100 // c.packets for c in received if c] == [0, 1, 0]
    assert found.bandwidth_mbps == 3000


@pytest.mark.parametrize(
    ("mode", "mbps"), [("balance-rr", 2100), ("balance-alb", 2100), ("broadcast", 100)]
)
def test_bandwidth_of_the_other_modes(mode: str, mbps: int) -> None:
    assert replace(bond("slow-leg"), mode=mode).bandwidth_mbps == mbps


def test_bandwidth_is_unknown_where_a_port_does_not_know_its_speed() -> None:
    found = bond("three-legs")
    virtual = replace(found.legs[0], speed_mbps=None)
    assert replace(found, legs=(virtual, *found.legs[1:])).bandwidth_mbps is None


def test_a_kernel_without_bonding_has_no_bonds() -> None:
    found = read("no-module")
    assert found.bonds == ()
    assert found.links is not None
    assert found.links[0].name == "lo"


def test_the_shell_reads_what_there_is(tmp_path: Path) -> None:
    """Files that a kernel lacks, and options without a value, are no failure."""
    options = tmp_path / "sys/class/net/bond0/bonding"
    options.mkdir(parents=True)
    (options / "mode").write_text("802.3ad 4\n")
    (options / "arp_ip_target").write_text("192.168.0.1 192.168.0.12\n")
    (options / "primary").touch()
    (tmp_path / "sys/class/net/enp3s0/device").mkdir(parents=True)
    (tmp_path / "sys/class/net/enp3s0/device/driver").symlink_to("../../bus/pci/drivers/igb")
    (tmp_path / "sys/class/net/lo").mkdir()

    assert options_of(run(SYS, tmp_path)) == {
        "bond0": {"mode": "802.3ad", "arp_ip_target": "192.168.0.1 192.168.0.12", "primary": ""}
    }
    assert drivers_of(run(DRIVERS, tmp_path)) == {"enp3s0": "igb"}
    assert run(PROC, tmp_path) == ""
    (tmp_path / "proc/net/bonding").mkdir(parents=True)
    (tmp_path / "proc/net/bonding/bond0").write_text("Ethernet Channel Bonding Driver\n")
    assert run(PROC, tmp_path) == "==> bond0\nEthernet Channel Bonding Driver\n"


def run(script: str, root: Path) -> str:
    moved = script.replace("/sys/", f"{root}/sys/").replace("/proc/", f"{root}/proc/")
    return subprocess.run(["sh", "-c", moved], capture_output=True, text=True, check=True).stdout
