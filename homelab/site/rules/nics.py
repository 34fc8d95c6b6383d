"""NICs: MAC addresses, and which port carries the machine's address."""

from __future__ import annotations

from collections.abc import Iterator

from homelab.site.fault import Fault
from homelab.site.model import Machine, Nic, Site
from homelab.site.rules import text
from homelab.site.rules.rule import items, machines, nearest, repeated, rule

SPEEDS = (10, 100, 1000, 2500, 5000, 10000, 25000, 40000, 100000)
# ethtool -K's short names, and their keys in systemd.link(5) of Debian 12
OFFLOADS = {
    "rx": "ReceiveChecksumOffload",
    "tx": "TransmitChecksumOffload",
    "tso": "TCPSegmentationOffload",
    "gso": "GenericSegmentationOffload",
    "gro": "GenericReceiveOffload",
    "lro": "LargeReceiveOffload",
    "rxvlan": "ReceiveVLANCTAGHardwareAcceleration",
    "txvlan": "TransmitVLANCTAGHardwareAcceleration",
}


@rule
def mac_syntax(site: Site) -> Iterator[Fault]:
    """Six bytes in hex; colons, dashes, Cisco's dots and upper case are all fine."""
    for path, nic in _all(site):
        if text.mac(nic.mac) is None:
            mend = "write six bytes, like 0c:c4:7a:12:34:56 (ip -br link shows it)"
            yield Fault(f"{path}.mac", nic.mac, "is no MAC address", mend)


@rule
def mac_zero(site: Site) -> Iterator[Fault]:
    """All zeros is what a port without an address shows."""
    for path, nic in _all(site):
        if text.mac(nic.mac) == "0" * 12:
            yield Fault(f"{path}.mac", nic.mac, "is nobody's MAC address", "write the port's own")


@rule
def mac_multicast(site: Site) -> Iterator[Fault]:
    """The lowest bit of the first byte marks a group (IEEE 802); no port has such an address."""
    for path, nic in _all(site):
        bare = text.mac(nic.mac)
        if bare and int(bare[:2], 16) & 1:
            problem = "is a multicast address, which no port has"
            yield Fault(f"{path}.mac", nic.mac, problem, "write the port's own")


@rule
def duplicate_mac(site: Site) -> Iterator[Fault]:
    """A MAC address is one port of one machine, in whatever spelling."""
    for path, first, mac in repeated(_macs(_all(site))):
        if _owner(path) != _owner(first):
            yield Fault(path, mac, f"is {first} too", "write each port's own MAC address")


@rule
def leg_twice(site: Site) -> Iterator[Fault]:
    """A port is declared once, so it is a leg of one bond at most."""
    for path, first, mac in repeated(_macs(_all(site))):
        if _owner(path) == _owner(first):
            yield Fault(path, mac, f"is {first} too: one port, used twice", "remove one of them")


@rule
def port_speed(site: Site) -> Iterator[Fault]:
    """What Ethernet over copper or fibre runs at."""
    for path, nic in _all(site):
        if nic.speed_mbps is not None and nic.speed_mbps not in SPEEDS:
            problem = f"is no speed of Ethernet in Mbit/s ({', '.join(map(str, SPEEDS))})"
            yield Fault(f"{path}.speed_mbps", nic.speed_mbps, problem, "write 1000 for 1 GbE")


@rule
def offload(site: Site) -> Iterator[Fault]:
    """Features that ethtool -K and systemd.link(5) both know."""
    for path, nic in _all(site):
        for name, on in nic.offloads.items():
            if name not in OFFLOADS:
                problem = "is no offload that can be set here"
                yield Fault(f"{path}.offloads[{name!r}]", on, problem, nearest(name, OFFLOADS))


@rule
def nics_missing(site: Site) -> Iterator[Fault]:
    """networkd is told which port carries the address."""
    for path, machine in machines(site):
        if machine.network == "networkd" and not machine.nics:
            mend = 'declare its Nic(mac=…) ports, or network="foreign" if somebody else sets it up'
            yield Fault(f"{path}.nics", machine.nics, "is empty", mend)


@rule
def foreign_bond(site: Site) -> Iterator[Fault]:
    """Where the network is somebody else's, nothing of ours is bonded."""
    for path, machine in machines(site):
        for at, nic in _nics(path, machine) if machine.network == "foreign" else ():
            if nic.bond is not None:
                problem = 'is a bond on a machine whose network is "foreign": it is never set up'
                mend = 'write bond=None, or network="networkd"'
                yield Fault(f"{at}.bond", nic.bond, problem, mend)


@rule
def unknown_bond(site: Site) -> Iterator[Fault]:
    """A leg belongs to a bond that is declared."""
    bonds = [bond.name for _, bond in items("network.bonds", site.network.bonds)]
    for path, nic in _all(site):
        if nic.bond is not None and nic.bond not in bonds:
            problem = "is not declared in network.bonds"
            yield Fault(f"{path}.bond", nic.bond, problem, nearest(nic.bond, bonds))


@rule
def uplink_ambiguous(site: Site) -> Iterator[Fault]:
    """One bond, or one port that stays alone, carries the machine's address."""
    declared = {bond.name for _, bond in items("network.bonds", site.network.bonds)}
    for path, machine in machines(site):
        nics = [nic for _, nic in _nics(path, machine)]
        bonds = sorted({nic.bond for nic in nics if nic.bond in declared})
        alone = [nic for nic in nics if nic.bond is None]
        if machine.network == "networkd" and (len(bonds) > 1 or (not bonds and len(alone) > 1)):
            what = f"bonds {', '.join(bonds)}" if bonds else f"{len(alone)} ports without a bond"
            mend = "put its legs into one bond"
            problem = f"has {what}: which one carries the address?"
            yield Fault(f"{path}.nics", machine.nics, problem, mend)


def _nics(path: str, machine: Machine) -> Iterator[tuple[str, Nic]]:
    for at, nic in items(f"{path}.nics", machine.nics):
        if hasattr(nic, "mac"):
            yield at, nic


def _all(site: Site) -> Iterator[tuple[str, Nic]]:
    for path, machine in machines(site):
        yield from _nics(path, machine)


def _macs(nics: Iterator[tuple[str, Nic]]) -> Iterator[tuple[str, str, str]]:
    for path, nic in nics:
        bare = text.mac(nic.mac)
        if bare and int(bare, 16):
            yield f"{path}.mac", bare, nic.mac


def _owner(path: str) -> str:
    return path.partition(".")[0]
