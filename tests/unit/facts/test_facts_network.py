"""Interfaces, routes, and who holds the virtual address."""

from __future__ import annotations

from facts import links, routes, vrrp
from tests.unit.facts.fact_captures import capture


def test_a_machine_that_holds_the_vip() -> None:
    found = links.parse(capture("links-vip-holder"))
    link = found.holding("10.77.0.10")
    assert link is not None
    assert (link.name, link.kind, link.mtu, link.up, link.carrier) == (
        "eth0", "veth", 1500, True, True,
    )  # fmt: skip
    assert [(a.local, a.prefix) for a in link.addresses if a.family == "inet"] == [
        ("10.77.0.11", 24),
        ("10.77.0.10", 32),
    ]
    assert link.received is not None
    assert link.received.packets > 0
    assert found.holding("10.77.0.99") is None


def test_an_interface_that_is_down() -> None:
    link = links.parse(capture("links-machine")).link("ifb0")
    assert link is not None
    assert (link.kind, link.up, link.carrier, link.addresses) == ("ifb", False, False, ())


def test_routes_of_all_tables_and_both_families() -> None:
    found = routes.parse(capture("routes-machine"))
    assert {route.gateway for route in found.to("default")} == {"192.0.2.1", "fd00::1"}
    assert [route.type for route in found.to("127.0.0.0/8", "local")] == ["local"]
    assert {(rule.family, rule.table) for rule in found.rules or ()} >= {
        ("inet", "main"),
        ("inet6", "main"),
    }


def test_a_route_of_the_kernels_own() -> None:
    (route,) = routes.parse(capture("routes-node-container")).to("10.77.0.0/24")
    assert (route.device, route.protocol, route.scope, route.source) == (
        "eth0", "kernel", "link", "10.77.0.11",
    )  # fmt: skip


def test_a_route_over_two_gateways() -> None:
    text = (
        '[{"dst":"10.0.0.0/8","protocol":"static","flags":[],"nexthops":['
        '{"gateway":"192.168.0.1","dev":"eth0","weight":1,"flags":[]},'
        '{"gateway":"192.168.0.2","dev":"eth0","weight":2,"flags":["linkdown"]}]}]'
    )
    lines = [
        line
        for name in ("routes-inet", "routes-inet6", "rules-inet", "rules-inet6")
        for line in (f"@@ask {name}", text if name == "routes-inet" else "", "@@answer 0 ")
    ]
    found = routes.parse(lines)
    (route,) = found.to("10.0.0.0/8")
    assert route.gateway is None
    assert [(hop.gateway, hop.weight) for hop in route.hops] == [
        ("192.168.0.1", 1),
        ("192.168.0.2", 2),
    ]
    assert found.rules == ()  # ip prints nothing where there is none


def test_the_holder_of_the_vip() -> None:
    found = vrrp.parse(capture("vrrp-holder"))
    assert (found.vip, found.holds, found.interface) == ("10.77.0.10", True, "eth0")
    assert found.transition == "MASTER"
    assert found.keepalived is not None
    assert found.keepalived.running


def test_a_dead_keepalived_leaves_its_address_behind() -> None:
    found = vrrp.parse(capture("vrrp-killed"))
    assert found.holds is True
    assert found.keepalived is not None
    assert (found.keepalived.active_state, found.keepalived.result) == ("failed", "signal")


def test_a_machine_that_does_not_take_part() -> None:
    found = vrrp.parse(capture("vrrp-stopped"))
    assert (found.holds, found.interface, found.transition) == (False, None, None)
    assert found.keepalived is not None
    assert found.keepalived.exists
    assert not found.keepalived.running
