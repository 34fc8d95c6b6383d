"""The ports of a machine: which bonds, VLANs and bridges it has, and which has its address."""

from __future__ import annotations

from homelab.documents.traits import Traits
from homelab.site.model import Bond, Machine, Site


def bonds(site: Site, machine: Machine) -> tuple[Bond, ...]:
    """The declared bonds that have a leg on this machine."""
    used = {nic.bond for nic in machine.nics}
    return tuple(bond for bond in site.network.bonds if bond.name in used)


def interface(site: Site, machine: Machine, traits: Traits) -> str:
    """The port that carries the machine's address: bridge, VLAN, first bond, or as found."""
    if machine.network == "foreign":
        return traits.interface
    return site.network.bridge or carrier(site, machine, traits)


def names(site: Site, machine: Machine) -> list[str]:
    """All interfaces that are made: those on top first, as they have to be taken away."""
    used = [bond.name for bond in bonds(site, machine)]
    made = [site.network.bridge, *(vlan.bridge for vlan in site.network.vlans)]
    if site.network.vlan is not None:
        made.append(carrier(site, machine, Traits()))
    if used:
        made += [f"{used[0]}.{vlan.id}" for vlan in site.network.vlans]
    return [name for name in made if name is not None] + used


def carrier(site: Site, machine: Machine, traits: Traits) -> str:
    """What is below a bridge, or stands for it: the VLAN, the first bond, a port."""
    used = bonds(site, machine)
    if site.network.vlan is not None:
        return f"{used[0].name}.{site.network.vlan}" if used else f"vlan{site.network.vlan}"
    return used[0].name if used else traits.interface


def mtu_of(site: Site, bond: Bond | None) -> int:
    return bond.mtu if bond and bond.mtu else site.network.mtu
