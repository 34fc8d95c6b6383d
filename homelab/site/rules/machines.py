"""Machines: their names and addresses."""

from __future__ import annotations

from collections.abc import Iterator

from homelab.site.fault import Fault
from homelab.site.model import Site
from homelab.site.rules import text
from homelab.site.rules.rule import machines, repeated, rule


@rule
def site_name(site: Site) -> Iterator[Fault]:
    """The site's name is an RFC 1123 label: it is kubeadm's clusterName and a folder's name."""
    if not text.is_label(site.name):
        yield Fault("name", site.name, "is no name for a cluster", _label(site.name))


@rule
def no_machines(site: Site) -> Iterator[Fault]:
    """A site has machines."""
    if not site.machines:
        yield Fault("machines", site.machines, "is empty", "declare three control planes or more")


@rule
def machine_name(site: Site) -> Iterator[Fault]:
    """Host names are RFC 1123 labels, without a domain (hostname(7) allows no more than 64)."""
    for path, machine in machines(site, "name"):
        if machine.name == "localhost":
            yield Fault(f"{path}.name", machine.name, "means the machine itself", "choose another")
        elif not text.is_label(machine.name):
            mend = _label(machine.name)
            yield Fault(f"{path}.name", machine.name, "is no RFC 1123 host name", mend)
        elif machine.name.isdigit():
            mend = "put a letter in it"
            yield Fault(f"{path}.name", machine.name, "would be read as an address", mend)


def _label(name: str) -> str:
    plain = name.partition(".")[0].lower().replace("_", "-").replace(" ", "-")[:63].strip("-")
    allowed = "use up to 63 small letters, digits and dashes, with no dash at either end"
    return f'{allowed}, e.g. "{plain}"' if text.is_label(plain) else allowed


@rule
def duplicate_name(site: Site) -> Iterator[Fault]:
    """No two machines have one name; names differ in more than their case."""
    named = ((f"{path}.name", m.name.lower(), m.name) for path, m in machines(site, "name"))
    for path, first, name in repeated(named):
        yield Fault(path, name, f"is the name of {first} too", "give each machine a name")


@rule
def machine_address(site: Site) -> Iterator[Fault]:
    """A machine's address is one IPv4 address."""
    for path, machine in machines(site, "address"):
        if text.address(machine.address) is None:
            problem, mend = text.why_no_address(machine.address)
            yield Fault(f"{path}.address", machine.address, problem, mend)


@rule
def duplicate_address(site: Site) -> Iterator[Fault]:
    """No two machines have one address."""
    addressed = (
        (f"{path}.address", machine.address, machine.address)
        for path, machine in machines(site, "address")
        if text.address(machine.address)
    )
    for path, first, address in repeated(addressed):
        yield Fault(path, address, f"is {first} too", "give each machine an address of its own")


@rule
def address_outside_subnet(site: Site) -> Iterator[Fault]:
    """All machines are on the node subnet: VRRP and the routes to pods need it."""
    subnet = text.network(site.network.subnet)
    for path, machine in machines(site, "address"):
        address = text.address(machine.address)
        if subnet and address and address not in subnet:
            problem = f"is outside the node subnet {subnet}"
            mend = f"choose one from {subnet[0]} to {subnet[-1]}, or mend network.subnet"
            yield Fault(f"{path}.address", machine.address, problem, mend)


@rule
def address_reserved(site: Site) -> Iterator[Fault]:
    """The first and the last address of a subnet are nobody's (RFC 1122 section 3.2.1.3)."""
    subnet = text.network(site.network.subnet)
    for path, machine in machines(site, "address"):
        address = text.address(machine.address)
        if subnet and address in (subnet.network_address, subnet.broadcast_address):
            which = "network" if address == subnet.network_address else "broadcast"
            problem = f"is the {which} address of {subnet}"
            yield Fault(f"{path}.address", machine.address, problem, "choose one in between")


@rule
def address_is_gateway(site: Site) -> Iterator[Fault]:
    """The gateway's address is the router's."""
    gateway = text.address(site.network.gateway)
    for path, machine in machines(site, "address"):
        if gateway and text.address(machine.address) == gateway:
            problem = "is network.gateway, the router's address"
            yield Fault(f"{path}.address", machine.address, problem, "choose a free address")


@rule
def first_address(site: Site) -> Iterator[Fault]:
    """Where a new machine answers; only if this toolkit sets up its network."""
    for path, machine in machines(site):
        first = machine.first_address
        if first is None:
            continue
        if text.address(first) is None:
            yield Fault(f"{path}.first_address", first, *text.why_no_address(first))
        elif machine.network == "foreign":
            problem = 'is never left on a machine whose network is "foreign"'
            yield Fault(f"{path}.first_address", first, problem, "write it as its address")
