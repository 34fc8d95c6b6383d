"""Bonds."""

from __future__ import annotations

from typing import Any

from homelab.site import Bond
from tests.unit.site.cases.case import Case


def bond(rule: str, option: str, value: Any, **others: Any) -> Case:
    """A case of the one bond."""
    return (
        rule,
        f"network.bonds[0].{option}",
        {"network.bonds": (Bond(**{option: value}, **others),)},
    )


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
