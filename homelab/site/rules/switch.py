"""The switch, and which of its ports each leg is plugged into."""

from __future__ import annotations

import re
from collections.abc import Iterator

from homelab.site import switch_ports
from homelab.site.bonding import MODES, partner
from homelab.site.fault import Fault
from homelab.site.model import Nic, Site
from homelab.site.rules import text
from homelab.site.rules.rule import items, machines, repeated, rule

LAST_TRUNK = 127  # the S5700's Eth-Trunks are 0 to 63, or to 127
LARGEST_FRAME = 9216  # the default of jumboframe enable: bytes on the wire, with header and tag
FRAME = 22  # bytes that a tagged frame has beside its payload, the MTU
HANDED_ON = ("HOMELAB_", "XDG_CACHE_", "CI")  # noxfile.py, as_root
MOST_LEGS = 8  # members of one Eth-Trunk, on every S series


@rule
def switch_address(site: Site) -> Iterator[Fault]:
    """An IPv4 address that is nobody else's."""
    if site.switch is None:
        return
    address = site.switch.address
    if text.address(address) is None:
        yield Fault("switch.address", address, *text.why_no_address(address))
        return
    taken = {site.api.vip: "the VIP", site.network.gateway: "the gateway"}
    taken |= {m.address: f"{m.name}'s" for _, m in machines(site, "name", "address")}
    if address in taken:
        problem = f"is {taken[address]} too"
        yield Fault("switch.address", address, problem, "write the switch's own")


@rule
def switch_password_variable(site: Site) -> Iterator[Fault]:
    """The name of an environment variable; a password itself has no place in a site."""
    name = site.switch.password_variable if site.switch else "X"
    if not re.fullmatch(r"[A-Z_][A-Z0-9_]*", name):
        problem = "is no name of an environment variable"
        mend = "write its name in capitals, and the password nowhere, e.g. SWITCH_PASSWORD"
        yield Fault("switch.password_variable", "…", problem, mend)
    elif name.startswith(HANDED_ON):
        problem = "would be handed on to sudo as an argument by ./nox, and ps shows those"
        yield Fault("switch.password_variable", name, problem, "call it SWITCH_PASSWORD")


@rule
def switch_numbers(site: Site) -> Iterator[Fault]:
    """Ranges of VRP: VLANs 1 to 4094, Eth-Trunks 0 to 127, a delay that a change fits into."""
    for field, low, high in (
        ("ssh_port", 1, 65535),
        ("untagged_vlan", 1, 4094),
        ("first_trunk", 0, LAST_TRUNK),
        ("reboot_min", 5, 60),
    ):
        value = getattr(site.switch, field) if site.switch else low
        if not low <= value <= high:
            mend = f"use {low} to {high}"
            yield Fault(f"switch.{field}", value, f"is not between {low} and {high}", mend)


@rule
def switch_trunks(site: Site) -> Iterator[Fault]:
    """Each machine's group needs a number."""
    if site.switch is None or not 0 <= site.switch.first_trunk <= LAST_TRUNK:
        return
    count = sum(bool(_groups(site, path)) for path, _ in machines(site))
    last = site.switch.first_trunk + count - 1
    if last > LAST_TRUNK:
        problem = f"and {count} groups end at {last}, the switch's numbers at {LAST_TRUNK}"
        yield Fault("switch.first_trunk", site.switch.first_trunk, problem, "start lower, e.g. 1")


@rule
def switch_vlan(site: Site) -> Iterator[Fault]:
    """One VLAN can't come tagged and untagged on the same leg."""
    if site.switch is None:
        return
    tagged = [("network.vlan", site.network.vlan)]
    tagged += [(f"{p}.id", v.id) for p, v in items("network.vlans", site.network.vlans)]
    for path, number in tagged:
        if number == site.switch.untagged_vlan:
            mend = "use another VLAN for what is untagged, e.g. 1"
            yield Fault("switch.untagged_vlan", number, f"is {path} too, which is tagged", mend)


@rule
def switch_mtu(site: Site) -> Iterator[Fault]:
    """Ports pass frames of 9216 bytes: an MTU is smaller by header, tag and checksum."""
    mtus = [("network.mtu", site.network.mtu)]
    mtus += [(f"{p}.mtu", b.mtu or 0) for p, b in items("network.bonds", site.network.bonds)]
    for path, mtu in mtus if site.switch is not None else ():
        if LARGEST_FRAME - FRAME < mtu <= LARGEST_FRAME:
            problem = f"makes frames that are longer than the switch's {LARGEST_FRAME} bytes"
            yield Fault(path, mtu, problem, "use 9000")


@rule
def switch_port_syntax(site: Site) -> Iterator[Fault]:
    """A port as VRP names it: type, slot, card, number."""
    for path, nic in _legs(site):
        if nic.port is not None and switch_ports.port(nic.port) is None:
            mend = "write it like GigabitEthernet0/0/7 or GE0/0/7 (display interface brief)"
            yield Fault(f"{path}.port", nic.port, "is no port of a VRP switch", mend)


@rule
def switch_port_twice(site: Site) -> Iterator[Fault]:
    """A port takes one cable."""
    named = (
        (f"{path}.port", switch_ports.port(nic.port or "") or "", nic.port)
        for path, nic in _legs(site)
        if switch_ports.port(nic.port or "")
    )
    for path, first, port in repeated(named):
        yield Fault(path, port, f"is {first} too, and a port takes one cable", "mend one of them")


@rule
def switch_port_without_switch(site: Site) -> Iterator[Fault]:
    """Ports are of use where a switch is declared."""
    if site.switch is not None:
        return
    for path, nic in _legs(site):
        if nic.port is not None:
            mend = "declare Site(switch=Switch(…)), or remove it"
            yield Fault(f"{path}.port", nic.port, "is a port of no switch", mend)


@rule
def switch_port_missing(site: Site) -> Iterator[Fault]:
    """All legs of a machine's group, or none: half a group would leave the others in no group."""
    for path, machine in machines(site) if site.switch is not None else ():
        for bond, legs in _groups(site, path).items():
            if any(nic.port for _, nic in legs):
                for at, nic in legs:
                    if nic.port is None:
                        problem = f"is not declared, but other legs of {bond} have a port"
                        mend = "write the port of each leg, or of none"
                        yield Fault(f"{at}.port", nic.port, problem, mend)
            elif machine.network == "networkd":
                problem = (
                    f"name no port of their legs, which {bond} needs a group on the switch for"
                )
                mend = 'write Nic(mac=…, port="GE0/0/7") for each'
                yield Fault(f"{path}.nics", machine.nics, problem, mend)


@rule
def switch_port_types(site: Site) -> Iterator[Fault]:
    """An Eth-Trunk takes ports of one type, eight of them."""
    for path, machine in machines(site):
        for bond, legs in _groups(site, path).items():
            ports = [p for _, nic in legs if (p := switch_ports.port(nic.port or ""))]
            types = sorted({switch_ports.split(port)[0] for port in ports})
            if len(types) > 1:
                problem = f"give {bond} ports of types {' and '.join(types)}: a group takes one"
                mend = "plug them into ports of one type"
                yield Fault(f"{path}.nics", machine.nics, problem, mend)
            if len(ports) > MOST_LEGS:
                problem = f"give {bond} {len(ports)} ports: a group takes {MOST_LEGS}"
                yield Fault(f"{path}.nics", machine.nics, problem, f"keep {MOST_LEGS} legs")


def _groups(site: Site, path: str) -> dict[str, list[tuple[str, Nic]]]:
    """The legs of one machine, of each bond that the switch has a group for."""
    grouped = {
        bond.name
        for _, bond in items("network.bonds", site.network.bonds)
        if bond.mode in MODES and partner(bond) != "none"
    }
    found: dict[str, list[tuple[str, Nic]]] = {}
    for at, nic in _legs(site):
        if at.startswith(f"{path}.") and nic.bond in grouped:
            found.setdefault(nic.bond or "", []).append((at, nic))
    return found


def _legs(site: Site) -> Iterator[tuple[str, Nic]]:
    for path, machine in machines(site):
        yield from items(f"{path}.nics", machine.nics)
