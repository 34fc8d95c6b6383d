"""VLANs beside the node subnet, and bridges on top."""

from __future__ import annotations

import re
from collections.abc import Iterator

from homelab.site.fault import Fault
from homelab.site.model import Site
from homelab.site.rules.bonds import LONGEST, RESERVED
from homelab.site.rules.rule import items, repeated, rule

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@rule
def extra_vlan_range(site: Site) -> Iterator[Fault]:
    """IEEE 802.1Q: 12 bits, 0 and 4095 reserved."""
    for path, vlan in items("network.vlans", site.network.vlans):
        if not 1 <= vlan.id <= 4094:
            yield Fault(f"{path}.id", vlan.id, "is no VLAN id", "use 1 to 4094")


@rule
def duplicate_vlan(site: Site) -> Iterator[Fault]:
    """A VLAN is declared once; the node subnet's is network.vlan."""
    declared = [("network.vlan", site.network.vlan)]
    declared += [(f"{p}.id", vlan.id) for p, vlan in items("network.vlans", site.network.vlans)]
    valid = [(path, str(n), n) for path, n in declared if n is not None and 1 <= n <= 4094]
    for path, first, number in repeated(valid):
        yield Fault(path, number, f"is {first} too", "declare each VLAN once")


@rule
def vlan_without_bond(site: Site) -> Iterator[Fault]:
    """VLANs stand on the machine's bond."""
    if site.network.vlans and not site.network.bonds:
        mend = "declare a bond, with one leg if need be"
        yield Fault("network.vlans", site.network.vlans, "have no bond to stand on", mend)


@rule
def bridge_name(site: Site) -> Iterator[Fault]:
    """As a bond's name: 15 characters, nothing that /proc/sys has taken."""
    for path, name in _bridges(site):
        if not NAME.fullmatch(name) or name in RESERVED or len(name) > LONGEST:
            mend = "use up to 15 letters, digits, dots and dashes, e.g. br0"
            yield Fault(path, name, "is no name for a bridge", mend)


@rule
def duplicate_bridge(site: Site) -> Iterator[Fault]:
    """A name is one interface's; a bridge over two VLANs would join them."""
    bonds = [
        (f"{path}.name", bond.name, bond.name)
        for path, bond in items("network.bonds", site.network.bonds)
    ]
    named = [(path, name, name) for path, name in _bridges(site)]
    for path, first, name in repeated([*bonds, *named]):
        if path.endswith("bridge"):
            yield Fault(path, name, f"is {first} too", "choose another name")


def _bridges(site: Site) -> Iterator[tuple[str, str]]:
    if site.network.bridge is not None:
        yield "network.bridge", site.network.bridge
    for path, vlan in items("network.vlans", site.network.vlans):
        if vlan.bridge is not None:
            yield f"{path}.bridge", vlan.bridge
