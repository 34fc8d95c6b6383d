"""Bonds as somebody might declare them: sensible, contradictory, and out of range."""

from __future__ import annotations

import random
from typing import Any

from homelab.site.bonding import MODES, POLICIES
from homelab.site.model import Bond


def drawn(draw: random.Random, gateway: str) -> Bond:
    """One at random; each option is left as it is three times of four.

    Bonds that ARP watches turn the link's monitor off more often than chance would, or hardly any
    of them would be accepted.
    """
    choices: dict[str, tuple[Any, ...]] = {
        "lacp_rate": ("fast", "slow"),
        "ad_select": ("stable", "bandwidth", "count"),
        "min_links": (0, 1, 2, 3, 4),
        "xmit_hash_policy": POLICIES,
        "miimon_ms": (0, 50, 100, 1000),
        "up_delay_ms": (0, 100, 200, 250),
        "down_delay_ms": (0, 100, 200, 250),
        "primary_reselect": ("always", "better", "failure"),
        "fail_over_mac": ("none", "active", "follow"),
        "resend_igmp": (0, 1, 255, 256),
        "arp_validate": ("none", "active", "backup", "all"),
        "arp_all_targets": ("any", "all"),
        "switch": (None, "lacp", "static", "none"),
    }
    options = {name: draw.choice(of) for name, of in choices.items() if draw.random() < 0.25}
    if draw.random() < 0.4:
        by_arp = {"arp_interval_ms": draw.choice((100, 1000)), "miimon_ms": 0}
        options |= by_arp | {"up_delay_ms": 0, "down_delay_ms": 0, "arp_targets": (gateway,)}
    return Bond(mode=draw.choice(MODES), **options)
