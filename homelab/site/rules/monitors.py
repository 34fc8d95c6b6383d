"""How a bond watches its legs: by their link, or by ARP; as the kernel has it."""

from __future__ import annotations

from collections.abc import Iterator

from homelab.site.bonding import BY_ARP, BY_ARP_ONLY, BY_LINK, MODES, watched_by_arp
from homelab.site.fault import Fault
from homelab.site.model import Bond, Site
from homelab.site.rules import text
from homelab.site.rules.bonds import bonding_rule, declared_bonds
from homelab.site.rules.rule import items, machines, repeated

MOST_TARGETS = 16  # BOND_MAX_ARP_TARGETS


@bonding_rule
def bond_monitor(site: Site) -> Iterator[Fault]:
    """Legs are watched by their link or by ARP: the kernel takes one, and drops the other."""
    for path, bond in declared_bonds(site):
        field, value = f"{path}.arp_interval_ms", bond.arp_interval_ms
        if value < 0:
            yield Fault(field, value, "is negative", "use 1000, or 0 for miimon")
        elif value > 0 and bond.mode in MODES and bond.mode not in BY_ARP:
            problem = f"is refused in mode {bond.mode}: it has no way to watch legs by ARP"
            yield Fault(field, value, problem, "remove it: miimon watches the legs")
        elif value > 0 and bond.miimon_ms > 0:
            problem = "and miimon_ms are both set: the kernel takes one of them"
            yield Fault(field, value, problem, "write miimon_ms=0 with it, or remove it")


@bonding_rule
def bond_monitor_option(site: Site) -> Iterator[Fault]:
    """An option of the monitor that is not in use does nothing."""
    for path, bond in declared_bonds(site):
        by_arp = watched_by_arp(bond)
        for field in BY_LINK[1:] if by_arp else BY_ARP_ONLY[1:]:
            value = getattr(bond, field)
            if value != getattr(Bond, field):
                problem = f"does nothing where {'ARP' if by_arp else 'miimon'} watches the legs"
                mend = "remove it" if by_arp else "remove it, or set arp_interval_ms too"
                yield Fault(f"{path}.{field}", value, problem, mend)


@bonding_rule
def arp_targets(site: Site) -> Iterator[Fault]:
    """ARP asks somebody who always answers, in the node subnet: ARP does not cross a router."""
    subnet = text.network(site.network.subnet)
    for path, bond in declared_bonds(site):
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
        values = ((at, target, target) for at, target in items(field, bond.arp_targets))
        for at, first, target in repeated(values):
            yield Fault(at, target, f"is {first} too", "name each target once")


@bonding_rule
def arp_own_address(site: Site) -> Iterator[Fault]:
    """The kernel asks only over the bond, and the way to an own address does not go there."""
    for path, bond in declared_bonds(site):
        targets = bond.arp_targets if watched_by_arp(bond) else ()
        for _, machine in machines(site, "name", "address"):
            uses = bond.name in {nic.bond for _, nic in items("", machine.nics)}
            alone = bond.arp_all_targets == "all" or set(targets) == {machine.address}
            if uses and alone and machine.address in targets:
                problem = f"{machine.address} is {machine.name}'s own: it never answers itself"
                mend = f'name the gateway, "{site.network.gateway}"'
                yield Fault(f"{path}.arp_targets", targets, problem, mend)


@bonding_rule
def arp_all_targets(site: Site) -> Iterator[Fault]:
    """Which targets must answer is asked only by a bond that looks at the answers."""
    for path, bond in declared_bonds(site):
        used = bond.mode == "active-backup" and bond.arp_validate != "none"
        if watched_by_arp(bond) and bond.arp_all_targets != Bond.arp_all_targets and not used:
            problem = "does nothing but in active-backup with arp_validate"
            mend = 'remove it, or set arp_validate="all" in active-backup'
            yield Fault(f"{path}.arp_all_targets", bond.arp_all_targets, problem, mend)


@bonding_rule
def miimon(site: Site) -> Iterator[Fault]:
    """Without a monitor a pulled cable is never noticed."""
    for path, bond in declared_bonds(site):
        if watched_by_arp(bond) and bond.miimon_ms >= 0:
            continue  # told by bond-monitor, if both are set
        if not 1 <= bond.miimon_ms <= 1000:
            low = bond.miimon_ms < 1
            problem = "never notices a pulled cable" if low else "notices a pulled cable too late"
            yield Fault(f"{path}.miimon_ms", bond.miimon_ms, problem, "use 100; 1 to 1000 is fine")


@bonding_rule
def bond_delay(site: Site) -> Iterator[Fault]:
    """updelay and downdelay count in miimon's steps; the kernel rounds others down."""
    for path, bond in declared_bonds(site):
        for field in ("up_delay_ms", "down_delay_ms"):
            value = getattr(bond, field)
            if value < 0:
                yield Fault(f"{path}.{field}", value, "is negative", "use 0 or more")
            elif bond.miimon_ms > 0 and value % bond.miimon_ms:
                problem = "is no multiple of miimon_ms, and the kernel would round it down"
                yield Fault(f"{path}.{field}", value, problem, "use a multiple, or 0")
