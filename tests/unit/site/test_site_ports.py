"""The port table: who may reach what, on which machine."""

from __future__ import annotations

from typing import Any

import pytest

from homelab.site import Site, derived
from homelab.site.ports import Port, addresses, forwarded, ports
from tests.unit.site.cases.case import BALANCERS, MACHINES, ON_MACHINES
from tests.unit.site.example_site import changed

OWN = {"machines": (*MACHINES, *BALANCERS), **ON_MACHINES}
BRIDGE: dict[str, Any] = {"kubernetes.cni": "bridge"}


def reach(site: Site, name: str, source: str) -> set[str]:
    """What the source may reach on the machine, as ``22/tcp``."""
    return {
        str(port) for port in ports(site, derived.machine(site, name)) if source in port.sources
    }


def test_the_world_reaches_http_and_the_api_and_nothing_else() -> None:
    site = changed({})
    assert reach(site, "n1", "world") == {"80/tcp", "443/tcp", "8443/tcp", "icmp"}
    assert reach(site, "n2", "world") == {"8443/tcp", "icmp"}
    assert reach(site, "n4", "world") == {"icmp"}


def test_without_ingress_the_world_reaches_nothing() -> None:
    site = changed({"ingress": None})
    assert {port for m in site.machines for port in reach(site, m.name, "world")} == {"icmp"}


def test_the_node_subnet_reaches_ssh_and_the_balanced_api() -> None:
    site = changed({})
    assert reach(site, "n1", "subnet") == {"22/tcp", "8443/tcp"}
    assert reach(site, "n4", "subnet") == {"22/tcp"}
    assert reach(site, "n1", "admin") == reach(site, "n1", "subnet")


def test_pods_reach_the_api_and_the_kubelet() -> None:
    site = changed(BRIDGE)
    assert reach(site, "n1", "pods") == {"6443/tcp", "8443/tcp", "10250/tcp"}
    assert reach(site, "n4", "pods") == {"10250/tcp"}


def test_etcd_is_for_control_planes_only() -> None:
    site = changed({})
    for number in ("2379/tcp", "2380/tcp"):
        (port,) = (p for p in ports(site, MACHINES[0]) if str(p) == number)
        assert port.sources == {"control_planes"}
    assert not {"2379/tcp", "2380/tcp"} & {str(p) for p in ports(site, MACHINES[3])}


def test_node_ports_are_for_machines_only() -> None:
    for port in ports(changed({}), MACHINES[3]):
        if port.service == "node ports":
            assert port.sources == {"nodes"}


@pytest.mark.parametrize(
    ("changes", "there", "not_there"),
    [
        ({}, {"4240/tcp", "8472/udp"}, {"4244/tcp"}),
        ({"kubernetes.hubble": True}, {"4244/tcp"}, set()),
        (BRIDGE, {"10249/tcp", "10256/tcp"}, {"4240/tcp", "8472/udp", "4244/tcp"}),
        ({"kubernetes.kube_proxy": False}, {"10256/tcp"}, {"10249/tcp"}),
        ({"machines[3].ssh_port": 2222}, {"2222/tcp"}, {"22/tcp"}),
    ],
)
def test_ports_follow_the_site(
    changes: dict[str, Any], there: set[str], not_there: set[str]
) -> None:
    site = changed(changes)
    found = {str(port) for port in ports(site, site.machines[3])}
    assert there <= found
    assert not not_there & found


def test_balancers_of_their_own_listen_where_the_api_does() -> None:
    site = changed(OWN)
    assert {str(port) for port in ports(site, BALANCERS[0])} == {
        "22/tcp",
        "80/tcp",
        "443/tcp",
        "6443/tcp",
        "8404/tcp",
        "icmp",
        "vrrp",
    }
    assert reach(site, "n1", "world") == {"icmp"}
    assert forwarded(site, BALANCERS[0]) == ()
    assert addresses(site, "balancers") == ("192.168.10.21/32", "192.168.10.22/32")


def test_one_balancer_has_nobody_to_talk_vrrp_with() -> None:
    alone = (MACHINES[0], MACHINES[3])
    site = changed({"machines": alone, "allow_no_ha": True})
    assert "vrrp" not in {str(port) for port in ports(site, site.machines[0])}


@pytest.mark.parametrize("changes", [{}, BRIDGE, OWN, {"kubernetes.hubble": True}])
def test_no_port_is_listed_twice_and_all_say_why(changes: dict[str, Any]) -> None:
    site = changed(changes)
    for machine in site.machines:
        found = ports(site, machine)
        assert len({(port.protocol, port.number) for port in found}) == len(found)
        assert all(port.service and port.why and port.sources for port in found)
        order = ("tcp", "udp", "icmp", "vrrp")
        assert list(found) == sorted(found, key=lambda p: (order.index(p.protocol), p.span))


@pytest.mark.parametrize(
    ("number", "span"), [(22, (22, 22)), ("30000-32767", (30000, 32767)), (None, (0, 0))]
)
def test_a_port_spans_numbers(number: int | str | None, span: tuple[int, int]) -> None:
    assert Port("tcp", number, frozenset({"world"}), "a", "b").span == span


def test_sources_are_networks() -> None:
    site = changed({})
    assert addresses(site, "world") == ("0.0.0.0/0",)
    assert addresses(site, "subnet") == ("192.168.10.0/24",)
    assert addresses(site, "admin") == ("10.8.0.0/24",)
    assert addresses(site, "pods") == ("10.244.0.0/16",)
    assert addresses(site, "local") == ("127.0.0.0/8",)
    assert addresses(site, "nodes") == tuple(f"192.168.10.1{n}/32" for n in (1, 2, 3, 4))
    assert addresses(site, "control_planes") == addresses(site, "balancers")


def test_nodes_pass_traffic_on_to_their_pods() -> None:
    (port,) = forwarded(changed({}), MACHINES[3])
    assert port.sources == {"nodes", "pods"}
