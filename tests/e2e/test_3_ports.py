"""Chapter 3, the ports: a scan of all of them from three places against the port table."""

from __future__ import annotations

import pytest

from homelab.site import derived
from tests.e2e.support import scanning, workload
from tests.e2e.support.cluster import Cluster
from tests.e2e.support.rig import Rig
from tests.e2e.support.scanning import Difference, compare, scan, scan_command

pytestmark = pytest.mark.usefixtures("healthy")


def test_the_world_reaches_what_the_table_says(rig: Rig) -> None:
    with scanning.outside(rig) as there:
        found = scan([*there, *scan_command([m.address for m in rig.site.machines])])
    assert not differences(rig, found, scanning.OUTSIDE)


def test_a_stranger_on_the_node_subnet_reaches_what_the_table_says(rig: Rig) -> None:
    found = scan(rig.lab.nsenter(scan_command([m.address for m in rig.site.machines])))
    assert not differences(rig, found, rig.site.network.gateway)


def test_a_node_reaches_what_the_table_says(rig: Rig) -> None:
    node = rig.nodes[-1]
    targets = [machine.address for machine in scanning.one_of_each(rig.site, node)]
    found = scan(rig.on_network_of(node, scan_command(targets)))
    assert not differences(rig, found, rig.address(node))


def test_a_pod_reaches_what_the_table_says(rig: Rig, cluster: Cluster) -> None:
    node = rig.nodes[-1]
    there = scanning.in_pod(rig, node, "httpd")
    targets = [machine.address for machine in scanning.one_of_each(rig.site, node)]
    found = scan([*there, *scan_command(targets)])
    assert not differences(rig, found, workload.pod_of(cluster, node).status.pod_ip)


def differences(rig: Rig, found: dict[str, list[int]], source: str) -> dict[str, Difference]:
    """By machine, where the scan and the table disagree."""
    names = {machine.address: machine.name for machine in rig.site.machines}
    held = {
        names[address]: compare(
            rig.site, derived.machine(rig.site, names[address]), source, open_ports
        )
        for address, open_ports in found.items()
    }
    return {name: difference for name, difference in held.items() if difference}
