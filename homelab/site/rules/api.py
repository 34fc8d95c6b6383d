"""API: its name, its virtual address, and who balances it."""

from __future__ import annotations

from collections.abc import Iterator

from homelab.site import derived
from homelab.site.fault import Fault
from homelab.site.model import Site
from homelab.site.rules import text
from homelab.site.rules.rule import items, machines, roles_are_known, rule


@rule
def api_name(site: Site) -> Iterator[Fault]:
    """A DNS name (RFC 1123), not an address: the certificate and all kubeconfigs hold it."""
    name = site.api.name
    if text.looks_like_address(name):
        mend = "write a name, e.g. api.home.arpa; api.vip is its address"
        yield Fault("api.name", name, "is an address, not a name", mend)
    elif not text.is_domain(name):
        mend = "use small letters, digits, dashes and dots, e.g. api.home.arpa"
        yield Fault("api.name", name, "is no DNS name", mend)


@rule
def api_name_taken(site: Site) -> Iterator[Fault]:
    """The endpoint's name leads to the VIP, never to one machine."""
    for path, machine in machines(site, "name"):
        if machine.name == site.api.name:
            problem = f"is the name of {path} too, and that is another address"
            yield Fault("api.name", site.api.name, problem, "choose a name of its own")


@rule
def api_name_in_cluster(site: Site) -> Iterator[Fault]:
    """Names below dns_domain are the cluster's own DNS's, which is down when the API is."""
    domain = site.kubernetes.dns_domain
    if domain and site.api.name.endswith(f".{domain}"):
        problem = f"lies in kubernetes.dns_domain {domain}, which only pods can resolve"
        yield Fault("api.name", site.api.name, problem, "choose a name outside, e.g. api.home.arpa")


@rule
def vip(site: Site) -> Iterator[Fault]:
    """The virtual address is one IPv4 address."""
    if text.address(site.api.vip) is None:
        problem, mend = text.why_no_address(site.api.vip)
        yield Fault("api.vip", site.api.vip, problem, mend)


@rule
def vip_outside_subnet(site: Site) -> Iterator[Fault]:
    """Gratuitous ARP moves the VIP, so it is on the machines' own subnet."""
    subnet, address = text.network(site.network.subnet), text.address(site.api.vip)
    if subnet and address and address not in subnet:
        problem = f"is outside the node subnet {subnet}"
        mend = f"choose a free address from {subnet[0]} to {subnet[-1]}"
        yield Fault("api.vip", site.api.vip, problem, mend)


@rule
def vip_reserved(site: Site) -> Iterator[Fault]:
    """The first and the last address of a subnet are nobody's."""
    subnet, address = text.network(site.network.subnet), text.address(site.api.vip)
    if subnet and address in (subnet.network_address, subnet.broadcast_address):
        problem = f"is the network or broadcast address of {subnet}"
        yield Fault("api.vip", site.api.vip, problem, "choose a free address in between")


@rule
def vip_is_machine(site: Site) -> Iterator[Fault]:
    """The VIP moves between machines, so it is none's own."""
    address = text.address(site.api.vip)
    for path, machine in machines(site, "address"):
        if address and text.address(machine.address) == address:
            problem = f"is {path}.address too"
            yield Fault("api.vip", site.api.vip, problem, "choose an address that no machine has")


@rule
def vip_is_server(site: Site) -> Iterator[Fault]:
    """The VIP is nobody else's either, as far as the site knows: gateway, DNS, NTP."""
    others = [("network.gateway", site.network.gateway)]
    others += items("network.dns", site.network.dns)
    others += items("network.ntp", site.network.ntp)
    address = text.address(site.api.vip)
    for path, other in others:
        if address and text.address(other) == address:
            problem = f"is {path} too"
            yield Fault("api.vip", site.api.vip, problem, "choose a free address")


@rule
def vrrp_id(site: Site) -> Iterator[Fault]:
    """RFC 5798 section 5.2.3: one byte, and 0 is reserved."""
    if not 1 <= site.api.vrrp_id <= 255:
        mend = "use 1 to 255, one that nobody else on this subnet has"
        yield Fault("api.vrrp_id", site.api.vrrp_id, "is no VRRP router id", mend)


@rule
def no_balancer(site: Site) -> Iterator[Fault]:
    """``balancers="machines"`` needs such machines."""
    roles_are_known(site)
    if site.api.balancers == "machines" and not derived.with_role(site, "balancer"):
        mend = 'give two machines the role "balancer", or write balancers="control_planes"'
        yield Fault("api.balancers", "machines", "no machine is a balancer", mend)


@rule
def single_balancer(site: Site) -> Iterator[Fault]:
    """A VIP with one holder goes down with it."""
    roles_are_known(site)
    alone = len(derived.with_role(site, "balancer")) == 1 and not site.allow_no_ha
    if site.api.balancers == "machines" and alone:
        mend = "declare a second one"
        yield Fault("api.balancers", "machines", "one balancer is not highly available", mend)


@rule
def balancer_unused(site: Site) -> Iterator[Fault]:
    """``balancers="control_planes"``: no other machine holds the VIP."""
    for path, machine in machines(site, "roles"):
        if site.api.balancers == "control_planes" and "balancer" in machine.roles:
            mend = 'remove the role, or write balancers="machines"'
            problem = 'has "balancer", but api.balancers says the control planes do that'
            yield Fault(f"{path}.roles", machine.roles, problem, mend)


@rule
def balancer_on_control_plane(site: Site) -> Iterator[Fault]:
    """``balancers="machines"``: VIP:6443 would meet the API server's own 6443."""
    for path, machine in machines(site, "roles"):
        both = {"balancer", "control_plane"} <= set(machine.roles)
        if site.api.balancers == "machines" and both:
            problem = "HAProxy and the API server would both listen on 6443"
            mend = 'write balancers="control_planes", or use machines of their own'
            yield Fault(f"{path}.roles", machine.roles, problem, mend)
