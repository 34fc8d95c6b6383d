"""Cilium's values: every key and type as the chart has it, and what they promise.

Cilium's own chart and images can't be had here: cilium_values.txt says where the keys are from.
That helm reads the text as it is meant is proven in tests/unit/operations/test_operations_helm.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from homelab.documents import cilium
from homelab.documents.firewall import ruleset
from homelab.site import Artefacts, Ingress, Site, check, derived
from homelab.site.ports import NODE_PORTS, ports
from tests.unit.documents.document_sites import NETWORK, lab, rack

KNOWN = Path(__file__).with_name("cilium_values.txt")
TYPES = {"bool": bool, "int": int, "str": str, "list": list, "null": type(None)}


def home(**changes: Any) -> Site:
    """As inventories/homelab.py: Cilium alone, and the DMZ host is a control plane."""
    site = lab()
    plain = site.kubernetes.replace(
        version="1.36.4", cni="cilium", kube_proxy=False, hubble=True, coredns=True
    )
    return site.replace(kubernetes=plain).replace(**changes)


def kubernetes(site: Site, **changes: Any) -> Site:
    return site.replace(kubernetes=site.kubernetes.replace(**changes))


SITES = {
    "home": home(),
    "own balancers": rack(),
    "kube-proxy": kubernetes(home(), kube_proxy=True),
    "no hubble": kubernetes(home(), hubble=False),
    "no dns": kubernetes(home(), coredns=False),
    "bundle": home(artefacts=Artefacts(source="bundle", base="/srv/bundle")),
    "mirror": rack(artefacts=Artefacts(source="mirror", base="http://mirror.lan")),
    "bundle, no hubble": kubernetes(
        home(artefacts=Artefacts(source="bundle", base="/srv/bundle")), hubble=False
    ),
    "no ingress": home(ingress=None),
    "vlan": rack(network=NETWORK.replace(vlan=10)),
}


def tree(site: Site) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(cilium.values(site))
    return found


def leaves(node: dict[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in node.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value


def known() -> dict[str, tuple[type, ...]]:
    rows = [row.split() for row in KNOWN.read_text().splitlines() if not row.startswith("#")]
    return {key: tuple(TYPES[name] for name in names) for key, *names in rows}


@pytest.mark.parametrize("site", SITES.values(), ids=SITES)
def test_every_key_is_the_charts_and_has_its_type(site: Site) -> None:
    table = known()
    for key, value in leaves(tree(site)):
        assert key in table, f"{key} is not in {KNOWN.name}"
        assert type(value) in table[key], f"{key}: {value!r}"


def test_every_known_key_is_used() -> None:
    used = {key for site in SITES.values() for key, _ in leaves(tree(site))}
    assert set(known()) == used


def test_in_place_of_kube_proxy_the_api_is_reached_without_a_service() -> None:
    values = tree(home())
    assert (values["k8sServiceHost"], values["k8sServicePort"]) == ("192.168.0.100", 8443)
    assert tree(rack())["k8sServicePort"] == 6443
    assert values["kubeProxyReplacement"] is True
    assert values["bpf"]["masquerade"] is True
    assert values["kubeProxyReplacementHealthzBindAddr"].endswith(":10256")


def test_beside_kube_proxy_cilium_leaves_services_alone() -> None:
    values = tree(kubernetes(home(), kube_proxy=True))
    assert values["kubeProxyReplacement"] is False
    assert values["bpf"]["masquerade"] is False
    assert "nodePort" not in values


def test_no_node_port_is_on_the_wire_of_a_dmz_host() -> None:
    """No address of a machine is in 127.0.0.0/8, and Cilium skips loopback addresses anyway."""
    for site in (home(), home(ingress=None)):
        assert tree(site)["nodePort"]["addresses"] == ["127.0.0.0/8"]
        assert tree(site)["socketLB"]["enabled"] is True  # HAProxy's way to them


def test_a_dmz_host_that_is_no_node_reaches_node_ports_on_the_wire() -> None:
    site = rack()
    assert site.ingress
    assert derived.machine(site, site.ingress.dmz) not in derived.nodes(site)
    assert tree(site)["nodePort"]["addresses"] == [site.network.subnet]


@pytest.mark.parametrize(
    ("site", "sources"),
    [
        (kubernetes(home(), kube_proxy=True), {"nodes"}),
        (home(), {"nodes", "pods"}),
        (rack(), {"nodes", "pods", "subnet"}),
        (rack(ingress=None), {"nodes", "pods"}),
        (lab(), {"nodes"}),
    ],
)
def test_the_port_table_says_who_reaches_node_ports(site: Site, sources: set[str]) -> None:
    for node in derived.nodes(site):
        assert {p.sources for p in ports(site, node) if p.number == NODE_PORTS} == {
            frozenset(sources)
        }


def test_the_firewall_still_drops_what_cilium_lets_pass() -> None:
    """A SYN from the world to a node port finds no Service in tc and comes to nftables."""
    site = home()
    rules = ruleset(site, derived.machine(site, "cp1"))
    line = next(
        row for row in rules.splitlines() if f"tcp dport {NODE_PORTS}" in row and "!=" in row
    )
    assert "ip saddr != @nodes" in line
    assert line.endswith("counter drop")


def test_cilium_listens_where_the_port_table_has_it() -> None:
    site = home()
    table = {str(port) for port in ports(site, site.machines[0])}
    assert f"{tree(site)['tunnelPort']}/udp" in table
    assert {"4240/tcp", "4244/tcp", "9878/tcp", "9879/tcp", "10256/tcp"} <= table
    assert not {"9963/tcp", "9964/tcp"} & table
    assert not tree(site)["operator"]["prometheus"]["enabled"]
    assert not tree(site)["envoy"]["prometheus"]["enabled"]


@pytest.mark.parametrize(
    ("site", "devices"),
    [
        (rack(), ["bond0"]),
        (SITES["vlan"], ["bond0.10"]),
        (home(), None),  # somebody else's network: its names are not ours to know
    ],
)
def test_devices_are_named_where_all_nodes_declare_them(
    site: Site, devices: list[str] | None
) -> None:
    assert tree(site).get("devices") == devices


def test_images_go_by_tag_where_the_index_is_not_to_be_had() -> None:
    assert "useDigest" not in cilium.values(home())
    for name in ("bundle", "mirror"):
        values = tree(SITES[name])
        hubble = values["hubble"]
        owners = [values, values["operator"], values["envoy"], hubble["relay"]]
        for owner in (*owners, hubble["ui"]["backend"], hubble["ui"]["frontend"]):
            assert owner["image"] == {"useDigest": False, "pullPolicy": "IfNotPresent"}


def test_one_operator_on_each_of_two_nodes() -> None:
    assert tree(home())["operator"]["replicas"] == 2
    alone = home(machines=home().machines[:1], allow_no_ha=True)
    assert tree(alone)["operator"]["replicas"] == 1


def test_hubble_outlives_a_quiet_year_and_needs_dns_for_its_window() -> None:
    values = tree(home())
    assert values["hubble"]["tls"]["auto"]["certValidityDuration"] == 3650
    assert values["hubble"]["relay"]["enabled"]
    assert not tree(SITES["no dns"])["hubble"]["relay"]["enabled"]
    assert tree(SITES["no hubble"])["hubble"] == {"enabled": False}


def test_values_follow_the_site_and_nothing_else() -> None:
    assert cilium.values(home()) == cilium.values(home())
    assert len({cilium.values(site) for site in SITES.values()}) == len(SITES) - 1  # no ingress


def test_the_site_is_valid() -> None:
    assert [str(fault) for fault in check(home(), "test.py")] == []
    assert home().ingress == Ingress(dmz="cp1")
