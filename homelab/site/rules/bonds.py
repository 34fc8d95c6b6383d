"""Bonds: names, modes and options, as the kernel has them.

https://docs.kernel.org/networking/bonding.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from homelab.site.bonding import (
    BY_ARP_ONLY,
    MODES,
    ONE_ACTIVE,
    OPTIONS,
    PARTNER,
    POLICIES,
)
from homelab.site.fault import Fault
from homelab.site.model import Bond, Site
from homelab.site.rules.rule import items, machines, nearest, repeated, rule, rule_from

bonding_rule = rule_from("https://docs.kernel.org/networking/bonding.html")

LONGEST = 15  # IFNAMSIZ - 1
CONSEQUENCES = {  # of another partner than this one
    "lacp": "without LACP on the ports the bond has one leg, whichever came first",
    "static": "each leg would show the same MAC address on a port of its own, which flaps",
    "none": "the switch would send frames to legs that do not listen",
}
RESERVED = ("lo", "all", "default", ".", "..", "bonding_masters", "eth0")


@rule
def bond_name(site: Site) -> Iterator[Fault]:
    """dev_valid_name() of the kernel, and names that /proc/sys and /sys have taken."""
    for path, bond in declared_bonds(site):
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", bond.name) or bond.name in RESERVED:
            mend = "use letters, digits, dots and dashes, e.g. bond0"
            yield Fault(f"{path}.name", bond.name, "is no name for a bond", mend)


@rule
def interface_name_length(site: Site) -> Iterator[Fault]:
    """Linux interface names have 15 characters at most, with the VLAN's suffix."""
    tagged = site.network.vlan is not None and 1 <= site.network.vlan <= 4094
    vlan = f".{site.network.vlan}" if tagged else ""
    for path, bond in declared_bonds(site):
        if len(bond.name) > LONGEST:
            problem = f"has {len(bond.name)} characters, an interface name 15 at most"
            yield Fault(f"{path}.name", bond.name, problem, "choose a shorter one, e.g. bond0")
        elif len(bond.name + vlan) > LONGEST:
            problem = f"makes the VLAN's name {bond.name}{vlan} longer than 15 characters"
            yield Fault(f"{path}.name", bond.name, problem, "choose a shorter one, e.g. bond0")


@rule
def duplicate_bond(site: Site) -> Iterator[Fault]:
    """A bond is declared once."""
    named = ((f"{path}.name", bond.name, bond.name) for path, bond in declared_bonds(site))
    for path, first, name in repeated(named):
        yield Fault(path, name, f"is {first} too", "declare each bond once")


@rule
def bond_without_legs(site: Site) -> Iterator[Fault]:
    """A bond that we set up has legs on some machine."""
    nics = [nic for path, m in machines(site) for _, nic in items(f"{path}.nics", m.nics)]
    ours = any(machine.network == "networkd" for _, machine in machines(site))
    for path, bond in declared_bonds(site):
        if ours and nics and bond.name not in {nic.bond for nic in nics}:
            mend = f'give machines legs, Nic(mac=…, bond="{bond.name}"), or remove the bond'
            yield Fault(path, bond.name, "has no legs on any machine", mend)


@bonding_rule
def bond_mode(site: Site) -> Iterator[Fault]:
    """One of the kernel's modes, by name."""
    for path, bond in declared_bonds(site):
        if bond.mode not in MODES:
            mend = nearest(bond.mode, MODES)
            if bond.mode in tuple("0123456"):
                mend = f'write its name, "{MODES[int(bond.mode)]}"'
            yield Fault(f"{path}.mode", bond.mode, "is no bonding mode", mend)


@bonding_rule
def xmit_hash_policy(site: Site) -> Iterator[Fault]:
    """One of the kernel's policies."""
    for path, bond in declared_bonds(site):
        if bond.xmit_hash_policy not in POLICIES:
            mend = nearest(bond.xmit_hash_policy, POLICIES)
            field = f"{path}.xmit_hash_policy"
            yield Fault(field, bond.xmit_hash_policy, "is no transmit hash policy", mend)


@bonding_rule
def bond_option_unused(site: Site) -> Iterator[Fault]:
    """An option that the mode does not have does nothing: the mode or the option is a slip."""
    for path, bond in declared_bonds(site):
        for option in OPTIONS:
            value = getattr(bond, option.field)
            if bond.mode not in MODES or bond.mode in option.modes or option.field in BY_ARP_ONLY:
                continue
            if value != getattr(Bond, option.field):
                problem = f"does nothing in mode {bond.mode}, only in {', '.join(option.modes)}"
                mend = "remove it, or choose that mode"
                yield Fault(f"{path}.{option.field}", value, problem, mend)


@bonding_rule
def primary_reselect(site: Site) -> Iterator[Fault]:
    """When to go back to the preferred leg is a question only where one is preferred."""
    for path, bond in declared_bonds(site):
        legs = [
            nic
            for _, machine in machines(site)
            for _, nic in items("", machine.nics)
            if nic.bond == bond.name
        ]
        unset = bond.primary_reselect == Bond.primary_reselect
        if unset or bond.mode not in ONE_ACTIVE or any(nic.primary for nic in legs):
            continue  # in other modes told by bond-option-unused
        mend = "remove it, or prefer a leg: Nic(…, primary=True)"
        problem = "does nothing where no leg is preferred"
        yield Fault(f"{path}.primary_reselect", bond.primary_reselect, problem, mend)


@bonding_rule
def resend_igmp(site: Site) -> Iterator[Fault]:
    """The kernel counts up to 255."""
    for path, bond in declared_bonds(site):
        if not 0 <= bond.resend_igmp <= 255:
            field = f"{path}.resend_igmp"
            yield Fault(field, bond.resend_igmp, "is not between 0 and 255", "use 1")


@bonding_rule
def bond_partner(site: Site) -> Iterator[Fault]:
    """What the switch does with the ports and what the machine does have to fit."""
    for path, bond in declared_bonds(site):
        wanted = PARTNER.get(bond.mode)
        if bond.switch is None or wanted is None or bond.switch == wanted:
            continue
        problem = f"does not go with mode {bond.mode}: {CONSEQUENCES[wanted]}"
        fitting = ", ".join(m for m in MODES if PARTNER[m] == bond.switch)
        mend = f'set the ports to "{wanted}", or choose a mode for "{bond.switch}" ({fitting})'
        yield Fault(f"{path}.switch", bond.switch, problem, mend)


@bonding_rule
def primary_leg(site: Site) -> Iterator[Fault]:
    """A bond prefers one leg at most, and only where one leg at a time is active."""
    modes = {bond.name: bond.mode for _, bond in declared_bonds(site)}
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


@bonding_rule
def leg_speeds(site: Site) -> Iterator[Fault]:
    """Ports of another speed fall out of the aggregator (IEEE 802.1AX: one operational key)."""
    modes = {bond.name: bond.mode for _, bond in declared_bonds(site)}
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


@bonding_rule
def min_links(site: Site) -> Iterator[Fault]:
    """A bond never comes up that wants more links than it has legs."""
    for path, bond in declared_bonds(site):
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
    for path, bond in declared_bonds(site):
        if bond.mtu is not None and not 68 <= bond.mtu <= 9216:
            mend = "use 1500 or 9000, or None for network.mtu"
            yield Fault(f"{path}.mtu", bond.mtu, "is no MTU between 68 and 9216", mend)


@rule
def bond_mtu(site: Site) -> Iterator[Fault]:
    """What is above fits through what is below, and one interface has one MTU."""
    network = site.network
    for path, bond in declared_bonds(site):
        if bond.mtu is not None and bond.mtu < network.mtu:
            problem = "is smaller than network.mtu above it: large packets would be lost"
            yield Fault(f"{path}.mtu", bond.mtu, problem, "use network.mtu or more, or None")
        elif bond.mtu is not None and network.mtu < bond.mtu <= 9216 and network.vlan is None:
            problem = "is larger than network.mtu, but without a VLAN both are one interface"
            yield Fault(f"{path}.mtu", bond.mtu, problem, "set network.mtu, and None here")


def declared_bonds(site: Site) -> Iterator[tuple[str, Bond]]:
    """Path and bond."""
    return items("network.bonds", site.network.bonds)
