"""Bonds: names, modes and options, as the kernel has them.

https://docs.kernel.org/networking/bonding.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from homelab.site.bonding import (
    BY_ARP,
    BY_ARP_ONLY,
    BY_LINK,
    MODES,
    ONE_ACTIVE,
    OPTIONS,
    PARTNER,
    POLICIES,
    watched_by_arp,
)
from homelab.site.fault import Fault
from homelab.site.model import Bond, Site
from homelab.site.rules import text
from homelab.site.rules.rule import items, machines, nearest, repeated, rule

LONGEST = 15  # IFNAMSIZ - 1
MOST_TARGETS = 16  # BOND_MAX_ARP_TARGETS
CONSEQUENCES = {  # of another partner than this one
    "lacp": "without LACP on the ports the bond has one leg, whichever came first",
    "static": "each leg would show the same MAC address on a port of its own, which flaps",
    "none": "the switch would send frames to legs that do not listen",
}
RESERVED = ("lo", "all", "default", ".", "..", "bonding_masters", "eth0")


@rule
def bond_name(site: Site) -> Iterator[Fault]:
    """dev_valid_name() of the kernel, and names that /proc/sys and /sys have taken."""
    for path, bond in _bonds(site):
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", bond.name) or bond.name in RESERVED:
            mend = "use letters, digits, dots and dashes, e.g. bond0"
            yield Fault(f"{path}.name", bond.name, "is no name for a bond", mend)


@rule
def interface_name_length(site: Site) -> Iterator[Fault]:
    """Linux interface names have 15 characters at most, with the VLAN's suffix."""
    tagged = site.network.vlan is not None and 1 <= site.network.vlan <= 4094
    vlan = f".{site.network.vlan}" if tagged else ""
    for path, bond in _bonds(site):
        if len(bond.name) > LONGEST:
            problem = f"has {len(bond.name)} characters, an interface name 15 at most"
            yield Fault(f"{path}.name", bond.name, problem, "choose a shorter one, e.g. bond0")
        elif len(bond.name + vlan) > LONGEST:
            problem = f"makes the VLAN's name {bond.name}{vlan} longer than 15 characters"
            yield Fault(f"{path}.name", bond.name, problem, "choose a shorter one, e.g. bond0")


@rule
def duplicate_bond(site: Site) -> Iterator[Fault]:
    """A bond is declared once."""
    named = ((f"{path}.name", bond.name, bond.name) for path, bond in _bonds(site))
    for path, first, name in repeated(named):
        yield Fault(path, name, f"is {first} too", "declare each bond once")


@rule
def bond_without_legs(site: Site) -> Iterator[Fault]:
    """A bond that we set up has legs on some machine."""
    nics = [nic for path, m in machines(site) for _, nic in items(f"{path}.nics", m.nics)]
    ours = any(machine.network == "networkd" for _, machine in machines(site))
    for path, bond in _bonds(site):
        if ours and nics and bond.name not in {nic.bond for nic in nics}:
            mend = f'give machines legs, Nic(mac=…, bond="{bond.name}"), or remove the bond'
            yield Fault(path, bond.name, "has no legs on any machine", mend)


@rule
def bond_mode(site: Site) -> Iterator[Fault]:
    """One of the kernel's modes, by name."""
    for path, bond in _bonds(site):
        if bond.mode not in MODES:
            mend = nearest(bond.mode, MODES)
            if bond.mode in tuple("0123456"):
                mend = f'write its name, "{MODES[int(bond.mode)]}"'
            yield Fault(f"{path}.mode", bond.mode, "is no bonding mode", mend)


@rule
def xmit_hash_policy(site: Site) -> Iterator[Fault]:
    """One of the kernel's policies."""
    for path, bond in _bonds(site):
        if bond.xmit_hash_policy not in POLICIES:
            mend = nearest(bond.xmit_hash_policy, POLICIES)
            field = f"{path}.xmit_hash_policy"
            yield Fault(field, bond.xmit_hash_policy, "is no transmit hash policy", mend)


@rule
def bond_option_unused(site: Site) -> Iterator[Fault]:
    """An option that the mode does not have does nothing: the mode or the option is a slip."""
    for path, bond in _bonds(site):
        for option in OPTIONS:
            value = getattr(bond, option.field)
            if bond.mode not in MODES or bond.mode in option.modes or option.field in BY_ARP_ONLY:
                continue
            if value != getattr(Bond, option.field):
                problem = f"does nothing in mode {bond.mode}, only in {', '.join(option.modes)}"
                mend = "remove it, or choose that mode"
                yield Fault(f"{path}.{option.field}", value, problem, mend)


@rule
def bond_monitor(site: Site) -> Iterator[Fault]:
    """Legs are watched by their link or by ARP: the kernel takes one, and drops the other."""
    for path, bond in _bonds(site):
        field, value = f"{path}.arp_interval_ms", bond.arp_interval_ms
        if value < 0:
            yield Fault(field, value, "is negative", "use 1000, or 0 for miimon")
        elif value > 0 and bond.mode in MODES and bond.mode not in BY_ARP:
            problem = f"is refused in mode {bond.mode}: it has no way to watch legs by ARP"
            yield Fault(field, value, problem, "remove it: miimon watches the legs")
        elif value > 0 and bond.miimon_ms > 0:
            problem = "and miimon_ms are both set: the kernel takes one of them"
            yield Fault(field, value, problem, "write miimon_ms=0 with it, or remove it")


@rule
def bond_monitor_option(site: Site) -> Iterator[Fault]:
    """An option of the monitor that is not in use does nothing."""
    for path, bond in _bonds(site):
        by_arp = watched_by_arp(bond)
        for field in BY_LINK[1:] if by_arp else BY_ARP_ONLY[1:]:
            value = getattr(bond, field)
            if value != getattr(Bond, field):
                problem = f"does nothing where {'ARP' if by_arp else 'miimon'} watches the legs"
                mend = "remove it" if by_arp else "remove it, or set arp_interval_ms too"
                yield Fault(f"{path}.{field}", value, problem, mend)


@rule
def arp_targets(site: Site) -> Iterator[Fault]:
    """ARP asks somebody who always answers, in the node subnet: ARP does not cross a router."""
    subnet = text.network(site.network.subnet)
    for path, bond in _bonds(site):
        field = f"{path}.arp_targets"
        if watched_by_arp(bond) and not bond.arp_targets:
            mend = f'write arp_targets=("{site.network.gateway}",)'
            yield Fault(field, (), "is empty: whom to ask?", mend)
        if len(bond.arp_targets) > MOST_TARGETS:
            problem = f"has {len(bond.arp_targets)} addresses, the kernel takes {MOST_TARGETS}"
            yield Fault(field, bond.arp_targets, problem, "keep two or three")
        for at, target in items(field, bond.arp_targets):
            address = text.address(target)
            if address is None:
                yield Fault(at, target, *text.why_no_address(target))
            elif subnet and address not in subnet:
                problem = "is not in the node subnet, and ARP does not cross a router"
                yield Fault(at, target, problem, "name the gateway, or another machine")


@rule
def miimon(site: Site) -> Iterator[Fault]:
    """Without a monitor a pulled cable is never noticed."""
    for path, bond in _bonds(site):
        if watched_by_arp(bond) and bond.miimon_ms >= 0:
            continue  # told by bond-monitor, if both are set
        if not 1 <= bond.miimon_ms <= 1000:
            low = bond.miimon_ms < 1
            problem = "never notices a pulled cable" if low else "notices a pulled cable too late"
            yield Fault(f"{path}.miimon_ms", bond.miimon_ms, problem, "use 100; 1 to 1000 is fine")


@rule
def resend_igmp(site: Site) -> Iterator[Fault]:
    """The kernel counts up to 255."""
    for path, bond in _bonds(site):
        if not 0 <= bond.resend_igmp <= 255:
            field = f"{path}.resend_igmp"
            yield Fault(field, bond.resend_igmp, "is not between 0 and 255", "use 1")


@rule
def bond_partner(site: Site) -> Iterator[Fault]:
    """What the switch does with the ports and what the machine does have to fit."""
    for path, bond in _bonds(site):
        wanted = PARTNER.get(bond.mode)
        if bond.switch is None or wanted is None or bond.switch == wanted:
            continue
        problem = f"does not go with mode {bond.mode}: {CONSEQUENCES[wanted]}"
        fitting = ", ".join(m for m in MODES if PARTNER[m] == bond.switch)
        mend = f'set the ports to "{wanted}", or choose a mode for "{bond.switch}" ({fitting})'
        yield Fault(f"{path}.switch", bond.switch, problem, mend)


@rule
def primary_leg(site: Site) -> Iterator[Fault]:
    """A bond prefers one leg at most, and only where one leg at a time is active."""
    modes = {bond.name: bond.mode for _, bond in _bonds(site)}
    for path, machine in machines(site):
        preferred: dict[str | None, str] = {}
        for at, nic in items(f"{path}.nics", machine.nics):
            mode = modes.get(getattr(nic, "bond", None) or "", "")
            if not nic.primary:
                continue
            if mode not in ONE_ACTIVE:
                where = f"in mode {mode}" if mode else "without a bond"
                problem = f"does nothing {where}, only in {', '.join(ONE_ACTIVE)}"
                yield Fault(f"{at}.primary", True, problem, "remove it, or choose that mode")
            elif nic.bond in preferred:
                problem = f"is the second of {nic.bond}: {preferred[nic.bond]} is preferred too"
                yield Fault(f"{at}.primary", True, problem, "prefer one leg")
            else:
                preferred[nic.bond] = at


@rule
def leg_speeds(site: Site) -> Iterator[Fault]:
    """Ports of another speed fall out of the aggregator (IEEE 802.1AX: one operational key)."""
    modes = {bond.name: bond.mode for _, bond in _bonds(site)}
    for path, machine in machines(site):
        first: dict[str, int] = {}
        for at, nic in items(f"{path}.nics", machine.nics):
            bond, speed = getattr(nic, "bond", None), nic.speed_mbps
            if speed is None or bond is None or modes.get(bond) != "802.3ad":
                continue
            if first.setdefault(bond, speed) != speed:
                problem = f"differs from {first[bond]} of {bond}'s first leg: it would be left out"
                mend = "use ports of one speed, or active-backup"
                yield Fault(f"{at}.speed_mbps", speed, problem, mend)


@rule
def bond_delay(site: Site) -> Iterator[Fault]:
    """updelay and downdelay count in miimon's steps; the kernel rounds others down."""
    for path, bond in _bonds(site):
        for field in ("up_delay_ms", "down_delay_ms"):
            value = getattr(bond, field)
            if value < 0:
                yield Fault(f"{path}.{field}", value, "is negative", "use 0 or more")
            elif bond.miimon_ms > 0 and value % bond.miimon_ms:
                problem = "is no multiple of miimon_ms, and the kernel would round it down"
                yield Fault(f"{path}.{field}", value, problem, "use a multiple, or 0")


@rule
def min_links(site: Site) -> Iterator[Fault]:
    """A bond never comes up that wants more links than it has legs."""
    for path, bond in _bonds(site):
        if bond.min_links < 1:
            yield Fault(f"{path}.min_links", bond.min_links, "is less than one leg", "use 1")
        legs = [
            (sum(nic.bond == bond.name for _, nic in items("", machine.nics)), machine.name)
            for _, machine in machines(site, "name")
        ]
        fewest, name = min((pair for pair in legs if pair[0]), default=(bond.min_links, ""))
        if bond.min_links > fewest:
            problem = f"is more than the {fewest} leg(s) of {name}: the bond stays down"
            mend = "use 1, which keeps the machine reachable to its last cable"
            yield Fault(f"{path}.min_links", bond.min_links, problem, mend)


@rule
def bond_mtu_range(site: Site) -> Iterator[Fault]:
    """As network.mtu."""
    for path, bond in _bonds(site):
        if bond.mtu is not None and not 68 <= bond.mtu <= 9216:
            mend = "use 1500 or 9000, or None for network.mtu"
            yield Fault(f"{path}.mtu", bond.mtu, "is no MTU between 68 and 9216", mend)


@rule
def bond_mtu(site: Site) -> Iterator[Fault]:
    """What is above fits through what is below, and one interface has one MTU."""
    network = site.network
    for path, bond in _bonds(site):
        if bond.mtu is not None and bond.mtu < network.mtu:
            problem = "is smaller than network.mtu above it: large packets would be lost"
            yield Fault(f"{path}.mtu", bond.mtu, problem, "use network.mtu or more, or None")
        elif bond.mtu is not None and network.mtu < bond.mtu <= 9216 and network.vlan is None:
            problem = "is larger than network.mtu, but without a VLAN both are one interface"
            yield Fault(f"{path}.mtu", bond.mtu, problem, "set network.mtu, and None here")


def _bonds(site: Site) -> Iterator[tuple[str, Bond]]:
    return items("network.bonds", site.network.bonds)
