"""What Linux's bonding driver has: modes, options, which go together, and what can be changed when.

Sources: https://docs.kernel.org/networking/bonding.html, and for what is refused where the tables
of drivers/net/bonding/bond_options.c in Linux 6.1 (``unsuppmodes``, ``BOND_OPTFLAG_IFDOWN``).
"""

from __future__ import annotations

from dataclasses import dataclass

from homelab.site.model import Bond

MODES = (
    "balance-rr",
    "active-backup",
    "balance-xor",
    "broadcast",
    "802.3ad",
    "balance-tlb",
    "balance-alb",
)  # in the order of the kernel's numbers, 0 to 6
ONE_ACTIVE = ("active-backup", "balance-tlb", "balance-alb")  # modes with a preferred leg
BY_ARP = ("balance-rr", "active-backup", "balance-xor", "broadcast")  # modes that ARP can watch
HASHED = ("balance-xor", "802.3ad", "balance-tlb")
POLICIES = ("layer2", "layer2+3", "layer3+4", "encap2+3", "encap3+4", "vlan+srcmac")
NOT_NETWORKDS = ("vlan+srcmac",)  # systemd.netdev(5) of Debian 12 and 13 has all the others
REJOINING = ("balance-rr", "active-backup", "balance-tlb", "balance-alb")

# What the switch's ports have to be. The modes without a partner must not meet a group: a switch
# that bundles the ports sends to any of them, and the frames on the inactive ones are dropped.
PARTNER = {
    "balance-rr": "static",
    "active-backup": "none",
    "balance-xor": "static",
    "broadcast": "static",
    "802.3ad": "lacp",
    "balance-tlb": "none",
    "balance-alb": "none",
}


@dataclass(frozen=True)
class Option:
    """One option of a bond: its field in the site, its file in ``/sys/class/net/BOND/bonding``.

    ``live``: the kernel changes it on a bond that is up and has legs; the others need a new bond.
    """

    field: str
    kernel: str
    networkd: str  # key of [Bond] in systemd.netdev(5)
    modes: tuple[str, ...]
    unit: str = ""
    live: bool = True


OPTIONS = (
    Option("mode", "mode", "Mode", MODES, live=False),
    Option("lacp_rate", "lacp_rate", "LACPTransmitRate", ("802.3ad",), live=False),
    Option("ad_select", "ad_select", "AdSelect", ("802.3ad",), live=False),
    Option("min_links", "min_links", "MinLinks", ("802.3ad",)),
    Option("xmit_hash_policy", "xmit_hash_policy", "TransmitHashPolicy", HASHED),
    Option("miimon_ms", "miimon", "MIIMonitorSec", MODES, "ms"),
    Option("up_delay_ms", "updelay", "UpDelaySec", MODES, "ms"),
    Option("down_delay_ms", "downdelay", "DownDelaySec", MODES, "ms"),
    Option("arp_interval_ms", "arp_interval", "ARPIntervalSec", BY_ARP, "ms"),
    Option("arp_targets", "arp_ip_target", "ARPIPTargets", BY_ARP),
    Option("arp_validate", "arp_validate", "ARPValidate", BY_ARP),
    Option("arp_all_targets", "arp_all_targets", "ARPAllTargets", BY_ARP),
    Option("primary_reselect", "primary_reselect", "PrimaryReselectPolicy", ONE_ACTIVE),
    Option("fail_over_mac", "fail_over_mac", "FailOverMACPolicy", ("active-backup",), live=False),
    Option("resend_igmp", "resend_igmp", "ResendIGMP", REJOINING),
)
BY_LINK = ("miimon_ms", "up_delay_ms", "down_delay_ms")
BY_ARP_ONLY = ("arp_interval_ms", "arp_targets", "arp_validate", "arp_all_targets")


def options(bond: Bond) -> list[Option]:
    """Those that say something about ``bond``: its mode has them, and its monitor uses them."""
    unused = BY_LINK if watched_by_arp(bond) else BY_ARP_ONLY
    return [o for o in OPTIONS if bond.mode in o.modes and o.field not in unused]


def watched_by_arp(bond: Bond) -> bool:
    return bond.arp_interval_ms > 0


def value(bond: Bond, option: Option) -> str:
    """As a word for the kernel; several (ARP targets) with a space between them."""
    declared = getattr(bond, option.field)
    return " ".join(declared) if isinstance(declared, tuple) else str(declared)


def partner(bond: Bond) -> str:
    """What the switch's ports are: "lacp", "static", or "none"."""
    return bond.switch or PARTNER[bond.mode]
