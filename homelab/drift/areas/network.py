"""Bonds and legs by the network's own report, and addresses and routes that nobody declared."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from homelab.drift.finding import Finding
from homelab.drift.view import Told, View
from homelab.network.judge import judge
from homelab.site.model import Machine, Site

# Interfaces of pods and their networks have addresses of their own.
PODS = ("veth", "cni", "cilium", "lxc", "flannel", "docker")


def findings(view: View, told: Told) -> Iterator[Finding]:
    """One finding of the report each; its words are the finding's."""
    bonds = told.facts.bonds
    if bonds is not None:
        for found in judge(view.site, told.machine, bonds):
            rule = "network.note" if found.note else "network.bond"
            words = f"{found.wrong} ({found.why}; {found.mend})"
            yield Finding(rule, told.name, f"{found.where} {_topic(found.wrong)}",
                          "as declared", words)  # fmt: skip
    yield from _addresses(view, told)
    yield from _route(view.site, told)


def _topic(words: str) -> str:
    """The subject of an id must not have the figures that change from run to run."""
    return " ".join(word for word in words.split() if not any(c.isdigit() for c in word))[:60]


def _addresses(view: View, told: Told) -> Iterator[Finding]:
    """On the nodes' subnet only the machine's own address and the VIP have any business."""
    survey = told.facts.survey
    if survey is None:
        return
    subnet = ipaddress.ip_network(view.site.network.subnet)
    allowed = {told.machine.address, view.site.api.vip}
    for address, interface in survey.addresses.items():
        if interface.startswith(PODS) or ipaddress.ip_address(address) not in subnet:
            continue
        if address not in allowed:
            yield Finding("network.address", told.name, f"{address} on {interface}",
                          "not there", "there", "undeclared")  # fmt: skip


def _route(site: Site, told: Told) -> Iterator[Finding]:
    """Whoever sets it, the way out is the declared gateway."""
    read = told.facts.routes
    if read is None or read.routes is None or "routes-inet" in read.unread:
        return
    found = [route for route in read.to("default") if route.family == "inet"]
    if not found and _managed(told.machine):
        yield Finding("network.default-route", told.name, "default", site.network.gateway, "none")
    best = min(found, key=lambda route: route.metric, default=None)
    if best is not None and best.gateway != site.network.gateway:
        yield Finding("network.default-route", told.name, "default", site.network.gateway,
                      f"{best.gateway} over {best.device}")  # fmt: skip


def _managed(machine: Machine) -> bool:
    return machine.network == "networkd"
