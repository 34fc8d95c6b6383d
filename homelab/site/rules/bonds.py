"""Bonds: names, modes and options, as the kernel has them.

https://docs.kernel.org/networking/bonding.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from homelab.site.fault import Fault
from homelab.site.model import Bond, Site
from homelab.site.rules.rule import items, machines, nearest, repeated, rule

MODES = (
    "balance-rr",
    "active-backup",
    "balance-xor",
    "broadcast",
    "802.3ad",
    "balance-tlb",
    "balance-alb",
)  # in the order of the kernel's numbers, 0 to 6
# What networkd sets, and where: systemd.netdev(5), TransmitHashPolicy=
HASHED = ("balance-xor", "802.3ad", "balance-tlb")
POLICIES = ("layer2", "layer2+3", "layer3+4", "encap2+3", "encap3+4")
LONGEST = 15  # IFNAMSIZ - 1
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
    """One of the kernel's policies that networkd knows."""
    for path, bond in _bonds(site):
        if bond.xmit_hash_policy not in POLICIES:
            mend = nearest(bond.xmit_hash_policy, POLICIES)
            field = f"{path}.xmit_hash_policy"
            yield Fault(field, bond.xmit_hash_policy, "is no transmit hash policy", mend)


@rule
def bond_option_unused(site: Site) -> Iterator[Fault]:
    """An option that the mode does not have does nothing: the mode or the option is a slip."""
    for path, bond in _bonds(site):
        for field, value, modes in (
            ("lacp_rate", bond.lacp_rate, ("802.3ad",)),
            ("xmit_hash_policy", bond.xmit_hash_policy, HASHED),
            ("min_links", bond.min_links, ("802.3ad",)),
        ):
            if bond.mode in MODES and bond.mode not in modes and value != getattr(Bond, field):
                problem = f"does nothing in mode {bond.mode}, only in {', '.join(modes)}"
                yield Fault(f"{path}.{field}", value, problem, "remove it, or choose that mode")


@rule
def miimon(site: Site) -> Iterator[Fault]:
    """0 switches link monitoring off: a pulled cable is never noticed."""
    for path, bond in _bonds(site):
        if not 1 <= bond.miimon_ms <= 1000:
            low = bond.miimon_ms < 1
            problem = "never notices a pulled cable" if low else "notices a pulled cable too late"
            yield Fault(f"{path}.miimon_ms", bond.miimon_ms, problem, "use 100; 1 to 1000 is fine")


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
