"""Chapter 3, the ports: a scan of all of them from three places against the port table."""

from __future__ import annotations

import pytest

from homelab.site import derived
from tests.e2e.support import balancers, scanning, workload
from tests.e2e.support.cluster import Cluster
from tests.e2e.support.rig import Rig
from tests.e2e.support.scanning import Difference, compare, scan, scan_command

pytestmark = pytest.mark.usefixtures("healthy")


def test_the_world_reaches_what_the_table_says(rig: Rig) -> None:
    with scanning.outside(rig) as there:
        found = scan([*there, *scan_command(everywhere(rig))])
    assert not differences(rig, found, scanning.OUTSIDE)


def test_a_stranger_on_the_node_subnet_reaches_what_the_table_says(rig: Rig) -> None:
    found = scan(rig.lab.nsenter(scan_command(everywhere(rig))))
    assert not differences(rig, found, rig.site.network.gateway)


def test_a_node_reaches_what_the_table_says(rig: Rig) -> None:
    node = rig.nodes[-1]
    targets = [machine.address for machine in scanning.one_of_each(rig.site, node)]
    found = scan(rig.on_network_of(node, scan_command(targets)))
    assert not differences(rig, found, rig.address(node))


def test_a_node_reaches_at_the_vip_what_the_table_says(rig: Rig) -> None:
    """From another node: the one above has filled its connection tracking."""
    holder = balancers.holder(rig)
    node = next(name for name in reversed(rig.nodes[:-1]) if name != holder)
    found = scan(rig.on_network_of(node, scan_command([rig.vip])))
    assert not differences(rig, found, rig.address(node))


def test_a_pod_reaches_what_the_table_says(rig: Rig, cluster: Cluster) -> None:
    node = rig.nodes[-1]
    there = scanning.in_pod(rig, node, "httpd")
    targets = [machine.address for machine in scanning.one_of_each(rig.site, node)]
    found = scan([*there, *scan_command(targets)])
    assert not differences(rig, found, workload.pod_of(cluster, node).status.pod_ip)


def everywhere(rig: Rig) -> list[str]:
    """Each machine's own address, and the VIP."""
    return [*(machine.address for machine in rig.site.machines), rig.vip]


def differences(rig: Rig, found: dict[str, list[int]], source: str) -> dict[str, Difference]:
    """By machine (or VIP), where the scan and the table disagree.

    What listens everywhere on the VIP's holder answers at the VIP too; etcd has the holder's own
    address only.
    """
    held = {machine.address: machine for machine in rig.site.machines}
    if rig.vip in found:
        held[rig.vip] = derived.machine(rig.site, balancers.holder(rig))
    told = {
        "VIP" if address == rig.vip else held[address].name: compare(
            rig.site, held[address], source, open_ports, ("etcd",) if address == rig.vip else ()
        )
        for address, open_ports in found.items()
    }
    return {name: difference for name, difference in told.items() if difference}
