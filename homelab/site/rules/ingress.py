"""Ingress: the way in for the world."""

from __future__ import annotations

from collections.abc import Iterator

from homelab.site import derived
from homelab.site.fault import Fault
from homelab.site.model import Site
from homelab.site.rules import text
from homelab.site.rules.rule import Unsure, machines, nearest, roles_are_known, rule

FIELDS = ("http_node_port", "https_node_port")


@rule
def dmz_unknown(site: Site) -> Iterator[Fault]:
    """The DMZ host is a machine of this site."""
    names = [machine.name for _, machine in machines(site, "name")]
    if len(names) < len(site.machines):
        raise Unsure
    if site.ingress and site.ingress.dmz not in names:
        dmz = site.ingress.dmz
        yield Fault("ingress.dmz", dmz, "is no machine of this site", nearest(dmz, names))


@rule
def dmz_not_balancer(site: Site) -> Iterator[Fault]:
    """HAProxy runs on the DMZ host, since it hands 80 and 443 to the cluster."""
    roles_are_known(site)
    for _, machine in machines(site, "name"):
        if site.ingress and machine.name == site.ingress.dmz:
            names = [m.name for m in derived.balancers(site) if hasattr(m, "name")]
            if machine.name not in names:
                problem = "runs no HAProxy, so nothing would take the world's traffic"
                mend = f"name a balancer: {', '.join(names) or 'there is none'}"
                yield Fault("ingress.dmz", machine.name, problem, mend)


@rule
def router(site: Site) -> Iterator[Fault]:
    """The router's WAN side is a DNS name or an IPv4 address."""
    name = site.ingress.router if site.ingress else None
    if name is not None and text.address(name) is None:
        if text.looks_like_address(name):
            yield Fault("ingress.router", name, *text.why_no_address(name))
        elif not text.is_domain(name.lower()):
            mend = "write it like home.example.org, or leave it out"
            yield Fault("ingress.router", name, "is no DNS name and no IPv4 address", mend)


@rule
def router_on_lan(site: Site) -> Iterator[Fault]:
    """The WAN side is outside the node subnet."""
    subnet = text.network(site.network.subnet)
    address = text.address(site.ingress.router or "") if site.ingress else None
    if site.ingress and subnet and address and address in subnet:
        mend = "write its public name or address, or leave it out"
        problem = "is the router's inner side"
        yield Fault("ingress.router", site.ingress.router, problem, mend)


@rule
def node_port_range(site: Site) -> Iterator[Fault]:
    """kube-apiserver's --service-node-port-range, 30000-32767."""
    for field in FIELDS if site.ingress else ():
        port = getattr(site.ingress, field)
        if not 30000 <= port <= 32767:
            mend = "use 30000 to 32767"
            yield Fault(f"ingress.{field}", port, "is outside the node ports", mend)


@rule
def node_port_twice(site: Site) -> Iterator[Fault]:
    """HTTP and HTTPS are told apart by their ports."""
    if site.ingress and site.ingress.http_node_port == site.ingress.https_node_port:
        problem = "is http_node_port too"
        yield Fault("ingress.https_node_port", site.ingress.https_node_port, problem, "use another")
