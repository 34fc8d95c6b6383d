"""HAProxy as it runs, and who holds the VIP; their files are the layers' affair."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from homelab.drift.finding import CLUSTER, Finding
from homelab.drift.view import Told, View
from homelab.site import derived

if TYPE_CHECKING:
    from facts.haproxy import Server

API = "api"  # the backend: homelab/documents/readiness.py


def findings(view: View, told: Told) -> Iterator[Finding]:
    """The servers of one balancer's backend for the API, as HAProxy has them now."""
    state = told.facts.haproxy
    if state is None or state.servers is None:
        return
    declared = {m.name: m for m in derived.control_planes(view.site)}
    for server in state.backend(API):
        machine = declared.get(server.name)
        if machine is None or server.address != f"{machine.address}:{derived.API_PORT}":
            where = f"{server.name} at {server.address}"
            yield Finding("balancer.undeclared", told.name, where, "no such server", server.status,
                          "undeclared")  # fmt: skip
        elif _taken_out(server):
            yield Finding("balancer.disabled", told.name, server.name, "in use", server.status)
        elif not server.up:
            words = f"{server.status}: {server.last_check or server.check or 'no check yet'}"
            yield Finding("balancer.backend", told.name, server.name, "UP", words)
    there = {server.name for server in state.backend(API)}
    for name in declared:
        if name not in there:
            yield Finding("balancer.backend", told.name, name, "UP", "not in its configuration")


def _taken_out(server: Server) -> bool:
    """By a person over the socket ("disable server", "set server … state"): no check does that."""
    return server.status.split(" ")[0] in ("MAINT", "DRAIN", "NOLB")


def cluster_findings(view: View) -> Iterator[Finding]:
    """One holder. With a balancer that could not be read nobody knows whether there is none."""
    vip = view.site.api.vip
    balancers = [view.of(machine.name) for machine in derived.balancers(view.site)]
    answers = {t.name: t.facts.vrrp.holds for t in balancers if t.facts.vrrp is not None}
    # Any machine may have the address by a mistake, balancer or not.
    holders = [
        told.name
        for told in view.told
        if answers.get(told.name)
        or (told.facts.survey is not None and vip in told.facts.survey.addresses)
    ]
    if len(holders) > 1:
        yield Finding("vip.two", CLUSTER, ", ".join(holders), "one machine", ", ".join(holders))
    elif not holders and len(answers) == len(balancers) and None not in answers.values():
        yield Finding("vip.none", CLUSTER, vip, "one machine", "nobody")
    elif holders and holders[0] not in {told.name for told in balancers}:
        yield Finding("vip.elsewhere", holders[0], vip, "a balancer", holders[0], "undeclared")
