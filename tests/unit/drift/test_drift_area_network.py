"""Addresses and routes that nobody declared; bonds by the network's own report."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from facts import bonds
from facts.routes import Route, RouteTable
from homelab.drift.areas.network import findings
from homelab.site.load import load_site
from tests.unit.documents.document_sites import lab
from tests.unit.drift.drift_views import member, view
from tests.unit.facts.fact_captures import capture


def found(**facts: Any) -> list[tuple[str, str, str]]:
    seen = view({"cp1": facts})
    return [(f.rule, f.subject, f.kind) for f in findings(seen, seen.of("cp1"))]


OWN = {"192.168.0.11": "eth0", "192.168.0.100": "eth0", "10.244.1.1": "cni0", "127.0.0.1": "lo"}


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, []),
        ({"192.168.0.99": "eth0"}, [("network.address", "192.168.0.99 on eth0", "undeclared")]),
        ({"192.168.0.99": "cni0"}, []),  # of a pod's network
        ({"172.16.0.9": "eth1"}, []),  # another network is not ours to judge
    ],
)
def test_addresses(more: dict[str, str], expected: list[tuple[str, str, str]]) -> None:
    assert found(survey=member(lab(), addresses=OWN | more)) == expected


def route(gateway: str, metric: int = 0, family: str = "inet") -> Route:
    return Route("default", family, "unicast", "main", gateway, "eth0", None, "static", "global",
                 metric, (), ())  # fmt: skip


@pytest.mark.parametrize(
    ("routes", "expected"),
    [
        ((route("192.168.0.1"),), 0),
        ((route("192.168.0.9"),), 1),
        ((route("192.168.0.9", 100), route("192.168.0.1", 10)), 0),
        ((route("192.168.0.9", 10), route("192.168.0.1", 100)), 1),
        ((route("fe80::1", 0, "inet6"), route("192.168.0.1", 10)), 0),
        ((), 0),  # whose network is somebody else's may have none
    ],
)
def test_the_way_out(routes: tuple[Route, ...], expected: int) -> None:
    assert [rule for rule, *_ in found(routes=RouteTable(routes=routes))] == [
        "network.default-route"
    ] * expected


def test_routes_that_were_not_read_are_not_judged() -> None:
    unread = RouteTable(routes=(route("192.168.0.9"),), unread={"routes-inet": "timed out"})
    assert found(routes=unread) == []


def test_a_bond_is_judged_by_its_own_report_and_its_id_has_no_figures() -> None:
    site = load_site("inventories/homelab.py")
    seen = view({}, site)
    first = seen.told[0]
    read = bonds.parse(capture("bonds-no-module"))
    told = replace(first, facts=replace(first.facts, bonds=read))
    (missing, *ports) = findings(seen, told)
    assert (missing.rule, missing.subject) == ("network.bond", "bond0 is not there")
    assert all(f.rule in ("network.bond", "network.note") for f in ports)
    assert not [f.id for f in ports if any(word.isdigit() for word in f.subject.split())]
