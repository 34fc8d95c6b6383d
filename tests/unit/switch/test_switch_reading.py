"""Names, and what a switch shows: read from what real ones showed to others."""

from __future__ import annotations

import pytest

from homelab.site import switch_ports
from homelab.switch import parse

# networktocode/ntc-templates, tests/huawei_vrp/display_eth-trunk (a S series, V200R00x)
S_SERIES = """\
Eth-Trunk0's state information is:
WorkingMode: NORMAL         Hash arithmetic: According to SIP-XOR-DIP
Least Active-linknumber: 1  Max Bandwidth-affected-linknumber: 8
Operate status: up          Number Of Up Port In Trunk: 1
--------------------------------------------------------------------------------
PortName                      Status      Weight
GigabitEthernet0/0/27         Up          1
GigabitEthernet0/0/28         Down        1

Eth-Trunk1's state information is:
Local:
LAG ID: 1                   WorkingMode: LACP
Preempt Delay: Disabled     Hash arithmetic: According to SA-XOR-DA
System Priority: 32768      System ID: 4c1f-cc45-a8f8
Least Active-linknumber: 1  Max Active-linknumber: 8
Operate status: up          Number Of Up Port In Trunk: 2
--------------------------------------------------------------------------------
ActorPortName          Status   PortType PortPri PortNo PortKey PortState Weight
GigabitEthernet0/0/11  Selected 1GE      32768   1      305     10111100  1
GigabitEthernet0/0/12  Unselect 1GE      32768   2      305     10100010  1

Partner:
--------------------------------------------------------------------------------
ActorPortName          SysPri   SystemID        PortPri PortNo PortKey PortState
GigabitEthernet0/0/11  65535    0cc4-7a00-0101  255     1      9       10111100
GigabitEthernet0/0/12  0        0000-0000-0000  0       0      0       10100011
"""
CLOUD_ENGINE = """\
Eth-Trunk7's state information is:
Local:
LAG ID: 7                      Working Mode: Static
Preempt Delay: Disabled        Hash Arithmetic: profile default
System Priority: 32768         System ID: 0025-9e95-7c31
--------------------------------------------------------------------------------
ActorPortName          Status   PortType PortPri   PortNo PortKey  PortState Weight
10GE1/0/1              Selected 10GE     32768     1      369      10111100  1
"""
LLDP = """\
Local Intf       Neighbor Dev             Neighbor Intf             Exptime(s)
GE0/0/7          x99-2                    eth2                      101
GE0/0/9          -                        d843-ae33-d748            2759
XGE0/0/1         the other switch         10GE1/0/31                99
"""
LLDP_CLOUD_ENGINE = """\
Local Interface         Exptime(s) Neighbor Interface      Neighbor Device
-------------------------------------------------------------------------------
10GE1/0/1                     111  0cc4-7a10-0021          x99-2
"""
CONFIGURATION = """\
!Software Version V200R005C00SPC500
#
sysname SW
#
vlan batch 10 20 to 22
#
lldp enable
#
vlan 30
 description iot
#
interface Vlanif1
 ip address 192.168.10.2 255.255.255.0
#
interface Eth-Trunk2
 mode lacp
#
interface GigabitEthernet0/0/4
 eth-trunk 2
#
interface GigabitEthernet0/0/5
#
interface NULL0
#
return
"""


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("GigabitEthernet0/0/7", "GigabitEthernet0/0/7"),
        ("GE0/0/7", "GigabitEthernet0/0/7"),
        ("ge 0/0/07", "GigabitEthernet0/0/7"),
        ("Gi0/0/7", "GigabitEthernet0/0/7"),
        ("XGE0/0/1", "XGigabitEthernet0/0/1"),
        ("10GE1/0/1", "XGigabitEthernet1/0/1"),
        ("40GE1/0/1", "40GE1/0/1"),
        ("Eth0/0/3", "Ethernet0/0/3"),
        ("Eth-Trunk1", None), ("7", None), ("GE0/0", None), ("MEth0/0/0", None), ("", None),
    ],
)  # fmt: skip
def test_a_port_has_one_name_to_compare_by(text: str, name: str | None) -> None:
    assert switch_ports.port(text) == name


def test_a_port_is_split_as_it_is_spelled() -> None:
    assert switch_ports.split("10GE1/0/1") == ("10GE", "1/0/1")
    with pytest.raises(ValueError, match="no port"):
        switch_ports.split("eth0")


def test_groups_with_lacp_and_without() -> None:
    found = parse.trunks(S_SERIES)
    assert (found[0].lacp, found[0].hashing, found[0].system) == (False, "SIP-XOR-DIP", None)
    assert [(m.port, m.passes) for m in found[0].members] == [
        ("GigabitEthernet0/0/27", True),
        ("GigabitEthernet0/0/28", False),
    ]
    assert (found[1].lacp, found[1].hashing) == (True, "SA-XOR-DA")
    assert found[1].system == "4c:1f:cc:45:a8:f8"
    assert [(m.passes, m.partner) for m in found[1].members] == [
        (True, "0c:c4:7a:00:01:01"),
        (False, None),
    ]


def test_a_port_that_is_selected_and_not_in_sync_passes_nothing() -> None:
    assert not parse.Member("GigabitEthernet0/0/1", True, "10110000").passes


def test_a_cloud_engines_group() -> None:
    (found,) = parse.trunks(CLOUD_ENGINE).values()
    assert (found.number, found.lacp, found.hashing) == (7, True, None)
    assert [m.port for m in found.members] == ["XGigabitEthernet1/0/1"]


@pytest.mark.parametrize("text", ["", "Info: No valid trunk in the system.", "\x00\ufffd", "Eth-"])
def test_no_group_and_garbage(text: str) -> None:
    assert parse.trunks(text) == {}
    assert parse.neighbours(text) == ()
    assert parse.running(text).interfaces == {}
    assert parse.version(text) is None
    assert parse.scheduled(text) is None


def test_neighbours_of_both_series() -> None:
    assert parse.neighbours(LLDP) == (
        parse.Neighbour("GigabitEthernet0/0/7", "x99-2", "eth2"),
        parse.Neighbour("GigabitEthernet0/0/9", "-", "d843-ae33-d748"),
        parse.Neighbour("XGigabitEthernet0/0/1", "the other switch", "10GE1/0/31"),
    )
    assert parse.neighbours(LLDP_CLOUD_ENGINE) == (
        parse.Neighbour("XGigabitEthernet1/0/1", "x99-2", "0cc4-7a10-0021"),
    )


def test_a_configuration() -> None:
    found = parse.running(CONFIGURATION)
    assert found.vlans == {1, 10, 20, 21, 22, 30}
    assert found.lldp
    assert found.trunk_of("GigabitEthernet0/0/4") == 2
    assert found.trunk_of("GigabitEthernet0/0/5") is None
    assert found.members(2) == {"GigabitEthernet0/0/4"}


def test_the_comment_of_who_saved_it_is_no_difference() -> None:
    saved = CONFIGURATION.replace("!Soft", "!Last configuration was saved at 22:00 by admin\n!Soft")
    assert parse.same(CONFIGURATION, saved)
    assert not parse.same(CONFIGURATION, CONFIGURATION.replace("batch 10", "batch 11"))


@pytest.mark.parametrize(
    ("text", "vrp", "word"),
    [
        ("VRP (R) software, Version 5.150 (S5700 V200R005C00SPC500)", 5, "lacp"),
        ("VRP (R) software, Version 5.130 (S5700 V200R003C00SPC300)", 5, "lacp-static"),
        ("VRP (R) software, Version 5.70 (S5700 V100R006C00SPC800)", 5, "lacp-static"),
        ("VRP (R) software, Version 5.170 (S5720 V200R019C10SPC500)", 5, "lacp"),
        ("VRP (R) software, Version 8.150 (CE5800 V200R002C50SPC800)", 8, "lacp-static"),
    ],
)
def test_how_a_release_calls_lacp(text: str, vrp: int, word: str) -> None:
    found = parse.version(f"Huawei Versatile Routing Platform Software\n{text}\nCopyright")
    assert found is not None
    assert (found.vrp, found.lacp) == (vrp, word)
