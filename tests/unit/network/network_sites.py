"""Readings of the facts' captures, and a site that declares what they show on their good days."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from facts.bond import Bond, Leg
from facts.bonds import BondList, parse
from homelab.network.finding import Finding
from homelab.network.judge import judge
from homelab.site import Machine, Nic, Site, model
from tests.unit.facts.fact_captures import capture
from tests.unit.site.example_site import example

MACS = tuple(f"52:54:00:A1:00:{number:02X}" for number in (1, 2, 3))
ARP = model.Bond(
    mode="active-backup",
    miimon_ms=0,
    up_delay_ms=0,
    arp_interval_ms=1000,
    arp_targets=("192.168.0.12", "192.168.0.1"),
    arp_validate="all",
    primary_reselect="better",
)
BACKUP = model.Bond(mode="active-backup", up_delay_ms=0, fail_over_mac="active")
XOR = model.Bond(mode="balance-xor", xmit_hash_policy="vlan+srcmac")
# Captures of another bond than the example's.
BONDS = {"arp": ARP, "active-backup": BACKUP, "lossy-leg": XOR}


def read(name: str) -> BondList:
    return parse(capture(f"bonds-{name}"))


def site(bond: model.Bond | None = None, nics: tuple[Nic, ...] | None = None) -> Site:
    """The example with the captures' machine as its first."""
    given: Any = example()
    nics = nics or tuple(Nic(mac=mac, port=f"GE0/0/{n}") for n, mac in enumerate(MACS, start=1))
    first = given.machines[0].replace(nics=nics)
    network = given.network.replace(bonds=(bond or model.Bond(),))
    changed = given.replace(machines=(first, *given.machines[1:]), network=network)
    assert isinstance(changed, Site)
    return changed


def site_of(name: str) -> Site:
    """What the capture called ``name`` should look like."""
    two = tuple(Nic(mac=mac) for mac in MACS[:2])
    return site(BONDS.get(name), two if name in ("arp", "active-backup") else None)


def machine(of: Site) -> Machine:
    return of.machines[0]


def found(read: BondList, of: Site) -> list[Finding]:
    return judge(of, machine(of), read)


def with_bond(read: BondList, **changes: Any) -> BondList:
    """A reading whose one bond is changed."""
    assert read.bonds
    return replace(read, bonds=(replace(read.bonds[0], **changes), *read.bonds[1:]))


def with_leg(read: BondList, number: int, **changes: Any) -> BondList:
    """A reading with one leg changed."""
    bond = first(read)
    legs = [replace(leg, **changes) if at == number else leg for at, leg in enumerate(bond.legs)]
    return with_bond(read, legs=tuple(legs))


def first(read: BondList) -> Bond:
    assert read.bonds
    return read.bonds[0]


def leg(read: BondList, number: int) -> Leg:
    return first(read).legs[number]
