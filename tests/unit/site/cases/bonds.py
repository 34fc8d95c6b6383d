"""Bonds."""

from __future__ import annotations

from typing import Any

from homelab.site import Bond
from tests.unit.site.cases.case import M0, Case

GATEWAY = "192.168.10.1"
BY_ARP: dict[str, Any] = {
    "mode": "active-backup",
    "miimon_ms": 0,
    "arp_interval_ms": 1000,
    "arp_targets": (GATEWAY,),
}


def bond(rule: str, option: str, value: Any, **others: Any) -> Case:
    """A case of the one bond."""
    return (
        rule,
        f"network.bonds[0].{option}",
        {"network.bonds": (Bond(**{**others, option: value}),)},
    )


def arp(rule: str, field: str, targets: tuple[str, ...]) -> Case:
    """A case of the targets of a bond that ARP watches."""
    bonds = (Bond(**(BY_ARP | {"arp_targets": targets})),)
    return rule, f"network.bonds[0].{field}", {"network.bonds": bonds}


def leg(rule: str, field: str, changes: dict[str, Any]) -> Case:
    """A case of the first machine's second leg."""
    return rule, f"{M0}.nics[1].{field}", changes


CASES: list[Case] = [
    (
        "bond-without-legs",
        "network.bonds[1]",
        {"network.bonds": (Bond(), Bond(name="bond1"))},
    ),
    ("duplicate-bond", "network.bonds[1].name", {"network.bonds": (Bond(), Bond())}),
    bond("bond-mode", "mode", "lacp"),
    bond("bond-mode", "mode", "4"),
    bond("xmit-hash-policy", "xmit_hash_policy", "layer4"),
    bond("bond-option-unused", "lacp_rate", "slow", mode="active-backup"),
    bond("bond-option-unused", "xmit_hash_policy", "layer2", mode="active-backup"),
    bond("bond-option-unused", "xmit_hash_policy", "layer2", mode="balance-alb"),
    bond("bond-option-unused", "min_links", 2, mode="balance-xor"),
    bond("bond-option-unused", "ad_select", "bandwidth", mode="balance-rr"),
    bond("bond-option-unused", "primary_reselect", "failure"),
    bond("bond-option-unused", "fail_over_mac", "active", mode="balance-alb"),
    bond("bond-option-unused", "resend_igmp", 3),
    bond("bond-monitor", "arp_interval_ms", 1000, mode="active-backup", arp_targets=(GATEWAY,)),
    bond("bond-monitor", "arp_interval_ms", -1, mode="active-backup"),
    bond("bond-monitor", "arp_interval_ms", 1000, miimon_ms=0, arp_targets=(GATEWAY,)),
    bond("bond-monitor", "arp_interval_ms", 500, mode="balance-tlb", arp_targets=(GATEWAY,)),
    bond("bond-monitor-option", "down_delay_ms", 100, **BY_ARP),
    bond("bond-monitor-option", "arp_targets", (GATEWAY,), mode="active-backup"),
    bond("bond-monitor-option", "arp_validate", "all", mode="active-backup"),
    bond("bond-monitor-option", "arp_all_targets", "all"),
    bond("arp-targets", "arp_targets", (), **(BY_ARP | {"arp_targets": ()})),
    arp("arp-targets", "arp_targets[1]", (GATEWAY, "10.0.0.1")),
    arp("arp-targets", "arp_targets[0]", ("gateway",)),
    arp("arp-targets", "arp_targets", tuple(f"192.168.10.{n}" for n in range(1, 18))),
    arp("arp-targets", "arp_targets[1]", (GATEWAY, GATEWAY)),
    arp("arp-own-address", "arp_targets", ("192.168.10.11",)),
    bond(
        "arp-own-address",
        "arp_targets",
        (GATEWAY, "192.168.10.11"),
        **{k: v for k, v in BY_ARP.items() if k != "arp_targets"},
        arp_validate="all",
        arp_all_targets="all",
    ),
    bond("arp-all-targets", "arp_all_targets", "all", **BY_ARP),
    bond("arp-all-targets", "arp_all_targets", "all", **BY_ARP | {"mode": "broadcast"}),
    bond("primary-reselect", "primary_reselect", "failure", mode="active-backup"),
    bond("resend-igmp", "resend_igmp", 256, mode="active-backup"),
    bond("bond-partner", "switch", "static"),
    bond("bond-partner", "switch", "none", mode="balance-xor"),
    bond("bond-partner", "switch", "lacp", mode="active-backup"),
    leg("primary-leg", "primary", {f"{M0}.nics[1].primary": True}),
    leg(
        "primary-leg",
        "primary",
        {
            "network.bonds": (Bond(mode="active-backup"),),
            f"{M0}.nics[0].primary": True,
            f"{M0}.nics[1].primary": True,
        },
    ),
    leg(
        "leg-speeds",
        "speed_mbps",
        {f"{M0}.nics[0].speed_mbps": 10000, f"{M0}.nics[1].speed_mbps": 1000},
    ),
    bond("miimon", "miimon_ms", 0),
    bond("miimon", "miimon_ms", 5000, up_delay_ms=0),
    bond("bond-delay", "up_delay_ms", 150),
    bond("bond-delay", "down_delay_ms", -100),
    bond("min-links", "min_links", 0),
    bond("min-links", "min_links", 4),
    bond("bond-mtu-range", "mtu", 9217),
    bond("bond-mtu", "mtu", 1400),
    bond("bond-mtu", "mtu", 9000),
]

TOGETHER: list[Case] = [  # slips that break other rules as well
    bond("bond-name", "name", "bond 0"),
    bond("bond-name", "name", "lo"),
    bond("interface-name-length", "name", "bond-of-the-rack"),
    (
        "interface-name-length",
        "network.bonds[0].name",
        {"network.bonds": (Bond(name="rack-bond-12"),), "network.vlan": 100},
    ),
]
