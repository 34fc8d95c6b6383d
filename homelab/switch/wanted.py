"""What the site wants of the switch: a group for each bond that needs one, and single ports."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from homelab.site.bonding import partner
from homelab.site.derived import mac
from homelab.site.model import Bond, Machine, Network, Nic, Site, Switch
from homelab.site.switch_ports import port as port_name

FRAME = 22  # bytes of header, one tag and checksum around an MTU


@dataclass(frozen=True)
class Carried:
    """VLANs of a port: the one of frames without a tag, and those that come tagged."""

    untagged: int
    tagged: frozenset[int]


@dataclass(frozen=True)
class Plug:
    """A cable: a machine's port (its MAC, lower case with colons) in a port of the switch."""

    machine: str
    mac: str
    port: str
    primary: bool = False


@dataclass(frozen=True)
class Group:
    """The switch's side of one machine's bond. ``frame`` is the longest frame in bytes."""

    machine: str
    bond: str
    plugs: tuple[Plug, ...]
    lacp: bool  # False: a static group, which sends to every member that has a link
    fast: bool  # LACPDUs each second, a silent machine is out after three
    load_balance: str
    lone_legs: bool
    carried: Carried
    frame: int

    @property
    def ports(self) -> tuple[str, ...]:
        return tuple(plug.port for plug in self.plugs)


@dataclass(frozen=True)
class Single:
    """A port that is in no group: of a bond whose switch knows nothing of it, or of no bond."""

    plug: Plug
    carried: Carried
    frame: int


@dataclass(frozen=True)
class Wanted:
    """All of it, in the order of the site's machines."""

    groups: tuple[Group, ...]
    singles: tuple[Single, ...]

    def of(self, machine: str) -> Wanted:
        """What one machine needs of it."""
        groups = tuple(g for g in self.groups if g.machine == machine)
        return Wanted(groups, tuple(s for s in self.singles if s.plug.machine == machine))

    @property
    def plugs(self) -> tuple[Plug, ...]:
        return (*(p for g in self.groups for p in g.plugs), *(s.plug for s in self.singles))

    @property
    def vlans(self) -> frozenset[int]:
        carried = [*(g.carried for g in self.groups), *(s.carried for s in self.singles)]
        return frozenset(v for c in carried for v in (c.untagged, *c.tagged))


def wanted(site: Site) -> Wanted:
    """What a valid site with a switch wants; legs without a port are nobody's business here."""
    assert site.switch is not None
    groups: list[Group] = []
    singles: list[Single] = []
    for machine in site.machines:
        for bond, plugs in _by_bond(site, machine):
            if bond is not None and partner(bond) != "none":
                groups.append(_group(site.switch, site.network, bond, plugs))
            else:
                carried, frame = _carried(site.switch, site.network), _frame(site.network, bond)
                singles += [Single(plug, carried, frame) for plug in plugs]
    return Wanted(tuple(groups), tuple(singles))


def _group(switch: Switch, network: Network, bond: Bond, plugs: tuple[Plug, ...]) -> Group:
    lacp = partner(bond) == "lacp"
    return Group(
        machine=plugs[0].machine,
        bond=bond.name,
        plugs=plugs,
        lacp=lacp,
        fast=lacp and bond.lacp_rate == "fast",
        load_balance=switch.load_balance,
        lone_legs=lacp and switch.lone_legs,
        carried=_carried(switch, network),
        frame=_frame(network, bond),
    )


def _by_bond(site: Site, machine: Machine) -> Iterator[tuple[Bond | None, tuple[Plug, ...]]]:
    bonds = {bond.name: bond for bond in site.network.bonds}
    for name in dict.fromkeys(nic.bond for nic in machine.nics):
        legs = [nic for nic in machine.nics if nic.bond == name]
        plugs = tuple(plug for nic in legs if (plug := _plug(machine, nic)))
        if plugs:
            yield bonds.get(name or ""), plugs


def _plug(machine: Machine, nic: Nic) -> Plug | None:
    port = port_name(nic.port or "")
    return Plug(machine.name, mac(nic.mac), port, nic.primary) if port else None


def _carried(switch: Switch, network: Network) -> Carried:
    tagged = {vlan.id for vlan in network.vlans}
    tagged |= {network.vlan} if network.vlan is not None else set()
    return Carried(switch.untagged_vlan, frozenset(tagged))


def _frame(network: Network, bond: Bond | None) -> int:
    return FRAME + max(network.mtu, (bond.mtu or 0) if bond else 0)
