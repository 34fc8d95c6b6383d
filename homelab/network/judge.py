"""A machine's bonds against the site's declaration: everything that differs, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from homelab.documents import ports
from homelab.documents.bonds import legs
from homelab.network.finding import DEPLOY, Finding
from homelab.network.lacp import partner_findings
from homelab.network.legs import leg_findings
from homelab.site import bonding
from homelab.site.derived import mac
from homelab.site.model import Bond, Machine, Nic, Site

if TYPE_CHECKING:
    from facts import bond as facts
    from facts.bonds import BondList
    from facts.links import Link

# Interfaces that have a port's MAC address as their own.
MADE_OF_PORTS = ("bond", "vlan", "bridge")


def judge(site: Site, machine: Machine, read: BondList) -> list[Finding]:
    """What is wrong first, then what is only worth knowing; nothing for a foreign network.

    What could not be read (``read.unread``) is not judged.
    """
    if machine.network == "foreign" or read.bonds is None:
        return []
    declared = ports.bonds(site, machine)
    found: list[Finding] = []
    for bond in declared:
        now = read.bond(bond.name)
        found += _bond(site, machine, bond, now, read) if now else _missing(machine, bond, read)
    names = {bond.name for bond in declared}
    found += [_undeclared(bond) for bond in read.bonds if bond.name not in names]
    found += _ports([nic for nic in machine.nics if nic.bond is None], "the machine", read)
    return sorted(found, key=lambda finding: finding.note)


def _missing(machine: Machine, bond: Bond, read: BondList) -> Iterator[Finding]:
    yield Finding(bond.name, "is not there", "the site declares it", f"run {DEPLOY}")
    yield from _ports(legs(machine, bond), bond.name, read)


def _undeclared(bond: facts.Bond) -> Finding:
    return Finding(
        bond.name,
        f"has {len(bond.legs)} leg(s), and is not in the site for this machine",
        "a leg is in one bond only, so it may keep ports from where they belong",
        f"declare it, or remove it: ip link del {bond.name}",
        note=not bond.legs,
    )


def _ports(nics: Iterable[Nic], where: str, read: BondList) -> Iterator[Finding]:
    """Declared ports have to exist, in a bond or not."""
    for nic in nics:
        if read.links is not None and _port(read, nic) is None:
            yield _no_port(where, nic)


def _bond(
    site: Site, machine: Machine, bond: Bond, now: facts.Bond, read: BondList
) -> Iterator[Finding]:
    nics = {mac(nic.mac): nic for nic in legs(machine, bond)}
    yield from _in_force(bond, now)
    yield from _primary(nics, now)
    yield from _address(site, bond, now, next(iter(nics)))
    yield from _members(nics, now, read)
    yield from _state(now)
    yield from partner_findings(bond, now)
    for leg in now.legs:
        yield from leg_findings(now, leg, nics.get(leg.permanent_mac))


def _in_force(bond: Bond, now: facts.Bond) -> Iterator[Finding]:
    """Options that differ. With another mode they all would: then the mode alone is told."""
    if now.mode != bond.mode:
        yield Finding(
            bond.name,
            f"is in mode {now.mode}, the site says {bond.mode}",
            "a bond that has legs keeps its mode, and networkd does not complain",
            f"{DEPLOY} makes it anew",
        )
        return
    for option in bonding.options(bond):
        is_now, wanted = (now.options or {}).get(option.kernel), bonding.value(bond, option)
        if is_now is None or sorted(is_now.split()) == sorted(wanted.split()):
            continue
        yield Finding(
            bond.name,
            f"has {option.kernel} {is_now or 'unset'}, the site says {wanted or 'none'}",
            "the kernel goes by what is in force, not by files",
            f"{DEPLOY} sets it" if option.live else f"{DEPLOY} makes the bond anew",
        )


def _primary(nics: dict[str, Nic], now: facts.Bond) -> Iterator[Finding]:
    preferred = {address for address, nic in nics.items() if nic.primary}
    for leg in now.legs:
        primary = (now.options or {}).get("primary")
        if leg.permanent_mac in preferred and primary is not None and primary != leg.name:
            yield Finding(
                now.name,
                f"prefers {primary or 'no leg'}, the site says {leg.name}",
                "traffic does not come back to that leg by itself",
                f"{DEPLOY} sets it",
            )


def _address(site: Site, bond: Bond, now: facts.Bond, first: str) -> Iterator[Finding]:
    """MTU and MAC address of the bond."""
    mtu = bond.mtu or site.network.mtu
    if now.link and now.link.mtu != mtu:
        yield Finding(
            bond.name,
            f"has MTU {now.link.mtu}, the site says {mtu}",
            "machines of one subnet that differ lose large packets only, which is hard to see",
            f"{DEPLOY} sets it",
        )
    if now.link and now.link.mac != first and bond.fail_over_mac != "active":
        yield Finding(
            bond.name,
            f"has MAC {now.link.mac}, its first declared leg's is {first}",
            "its address changes with the order in which legs come up: leases and ARP go astray",
            f"{DEPLOY} sets it",
        )


def _members(nics: dict[str, Nic], now: facts.Bond, read: BondList) -> Iterator[Finding]:
    """Legs that are missing, and legs that should not be there."""
    there = {leg.permanent_mac for leg in now.legs}
    for address, nic in nics.items():
        if address in there or read.links is None:
            continue
        port = _port(read, nic)
        if port is None:
            yield _no_port(now.name, nic)
            continue
        where = f"in {port.master}" if port.master else "alone"
        yield Finding(
            f"{now.name} {port.name}",
            f"is {where}, not a leg of {now.name}",
            "the bond has one cable less than declared",
            f"run {DEPLOY}",
        )
    for leg in now.legs:
        if leg.permanent_mac not in nics:
            yield Finding(
                f"{now.name} {leg.name}",
                f"is a leg with MAC {leg.permanent_mac}, which the site does not declare",
                "the next deploy may take its cable out of the bond, or another machine's MAC "
                "was written down",
                f'add Nic(mac="{leg.permanent_mac}", bond="{now.name}") to the site, or take it '
                f"out: ip link set {leg.name} nomaster",
            )


def _no_port(where: str, nic: Nic) -> Finding:
    return Finding(
        where,
        f"lacks the port with MAC {mac(nic.mac)}",
        "no port of the machine has that permanent address",
        "compare the site with `ip -br link` there; else the card is dead, or off in the BIOS",
    )


def _port(read: BondList, nic: Nic) -> Link | None:
    address = mac(nic.mac)
    ports = (link for link in read.links or () if link.kind not in MADE_OF_PORTS)
    return next((link for link in ports if link.permanent_mac == address), None)


def _state(now: facts.Bond) -> Iterator[Finding]:
    """A bond through which nothing passes."""
    if not now.legs:
        yield Finding(now.name, "has no legs", "nothing passes", f"run {DEPLOY}")
    elif now.mii_status != "up":
        yield Finding(
            now.name,
            "is down",
            "fewer legs than min_links have a link, so nothing passes",
            "see its legs, below",
        )
