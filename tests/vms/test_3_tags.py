"""The node subnet in a VLAN and on a bridge, for KubeVirt, made over the plain bond itself."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from homelab.lab.vms.switch import BRIDGE
from tests.e2e.support.pyinfra import Run, Running, changes
from tests.e2e.support.rig import INVENTORY, Rig
from tests.vms.bond import Pinging
from tests.vms.twin import MACHINE, NETWORK, apply, other, settle, vms

pytestmark = pytest.mark.long
VLAN, PODS = 77, 88
LAN = "lan77"
TAGGED = f"vlan={VLAN}, bridge='br0', vlans=(Vlan(id={PODS}, bridge='br{PODS}'),)"


@pytest.fixture(scope="module", autouse=True)
def a_gateway_in_the_vlan(rig: Rig) -> Iterator[None]:
    settle(rig)
    switch = vms(rig).switch
    switch.plug(LAN, vlan=VLAN)
    yield
    switch.gateway(BRIDGE)
    switch.unplug(LAN)


def test_into_a_vlan_and_onto_a_bridge(rig: Rig) -> None:
    run = follow(rig, "tagged", other(rig, "tagged", TAGGED), f"bond0.{VLAN}", LAN)
    assert run.returncode == 0, run.output[-3000:]
    assert kinds(rig) == {
        f"bond0.{VLAN}": ("vlan", "br0"),
        f"bond0.{PODS}": ("vlan", f"br{PODS}"),
        "br0": ("bridge", ""),
        f"br{PODS}": ("bridge", ""),
    }
    assert f"{rig.address(MACHINE)}/" in rig.root(MACHINE, "ip -4 -br addr show br0")
    with Pinging(rig, rig.address(MACHINE)) as pinging:
        again = apply(rig, "tagged-again", other(rig, "tagged", TAGGED), "--json")
        lost = pinging.stop()
    assert again.returncode == 0, again.output[-3000:]
    assert not changes(again).made
    assert lost.lost == 0, lost


def test_and_back_to_the_plain_bond(rig: Rig) -> None:
    run = follow(rig, "untagged", INVENTORY, "", BRIDGE)
    assert run.returncode == 0, run.output[-3000:]
    assert kinds(rig) == {}


def follow(rig: Rig, name: str, site: object, vlan: str, gateway: str) -> Run:
    """The deploy; the router's port at the switch follows as soon as the machine has moved."""
    running = Running(rig, name, NETWORK, "-y", inventory=str(site))
    while running.process.poll() is None:
        tagged = rig.root(MACHINE, f"ls /sys/class/net | grep -x 'bond0.{VLAN}' || :").strip()
        if tagged == vlan:
            vms(rig).switch.gateway(gateway)
            break
        time.sleep(1)
    return running.wait()


def kinds(rig: Rig) -> dict[str, tuple[str, str]]:
    """VLANs and bridges by name: their kind, and the bridge they are a port of."""
    script = (
        "for kind in vlan bridge; do for name in $(ip -o link show type $kind | "
        "awk -F'[:@ ]+' '{print $2}'); do "
        'echo "$name $kind $(basename "$(readlink /sys/class/net/$name/master)")"; done; done'
    )
    rows = [line.split(" ") for line in rig.root(MACHINE, script).splitlines()]
    return {name: (kind, master) for name, kind, master in rows}
