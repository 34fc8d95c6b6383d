"""The conditions of gates: etcd's on a real etcd, and all of them as shell that can be run."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from deploys import conditions
from deploys.kubernetes import manifests
from deploys.machine import sound
from homelab.documents import kept
from homelab.documents.traits import Traits
from homelab.site.model import Site
from operations.condition import Condition
from operations.gate import wait_script
from tests.unit.documents.document_sites import lab, rack
from tests.unit.facts.fact_captures import FOLDER
from tests.unit.operations.etcd_cluster import EtcdCluster
from tests.unit.operations.room import Machine, Room


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with Room(tmp_path / "room") as room:
        yield room


def told(machine: Machine, *asked: Condition) -> str:
    """What a gate that may not wait says; "" if it is passed."""
    return machine.sh(wait_script("test", asked, 0)).err


def test_etcd_is_whole_or_it_is_told_what_is_missing(room: Room) -> None:
    cluster = EtcdCluster(room, 2)
    first, second = cluster.machines
    cluster.found(first)
    assert told(first, *conditions.etcd(lab(), 1)) == ""
    assert "etcd has 2 members, all voters: 1 members, all vote" in told(
        first, *conditions.etcd(lab(), 2)
    )
    cluster.announce(second)
    said = told(first, *conditions.etcd(lab(), 2))
    assert "etcd has 2 members, all voters: 2 members, not voting: (unstarted, learner)" in said


def test_several_members_agree_on_one_leader(room: Room) -> None:
    cluster = EtcdCluster(room, 3)
    cluster.found(*cluster.machines)
    assert told(cluster.machines[0], *conditions.etcd(lab(), 3)) == ""


def every(site: Site) -> list[Condition]:
    machine = site.machines[0]
    return [
        conditions.balanced_api(site),
        conditions.runtime(site),
        *conditions.balancer(site, machine),
        conditions.kubelet(),
        conditions.node_registered(machine),
        *conditions.etcd(site, 3),
        conditions.others_sound(["10.99.0.11"], ["10.99.0.12"]),
        *conditions.restarted(),
        conditions.nodes_ready(site),
        *conditions.static_pods(site),
        conditions.serving_certificates(site),
        *conditions.sound(site, machine)[3:],  # the first three stand above
        *sound.base(site, machine, Traits(container=False)),
        *sound.network(site, machine),
    ]


@pytest.mark.parametrize("site", [lab(), rack()], ids=["lab", "rack"])
def test_every_condition_is_shell_with_a_name_of_its_own(site: Site) -> None:
    found = every(site)
    assert len({condition.name for condition in found}) == len(found)
    for condition in found:
        for shell in (condition.probe, condition.look):
            assert subprocess.run(["sh", "-n", "-c", shell]).returncode == 0, shell


@pytest.mark.parametrize("site", [lab(), rack()], ids=["lab", "rack"])
def test_none_is_met_on_a_machine_where_nothing_runs(site: Site, room: Room) -> None:
    """A probe that passes where there is nothing would open its gate too early."""
    machine = room.machine("bare")
    machine.does("mount -t tmpfs none /usr/local")  # no kubectl of this machine's
    passed = [c.name for c in every(site) if machine.sh(c.probe).code == 0]
    # systemctl answers yes to everything in a chroot; a disk has room without a cluster, too
    runs = {name for name in passed if name.endswith(" runs")}
    assert set(passed) - runs <= {"there is room on its disk", "there is no swap"}


@pytest.mark.parametrize(
    ("day", "said"), [("three-legs", ""), ("leg-down", "2 of 3 are up"), ("no-legs", "0 of 3")]
)
def test_a_bond_has_all_its_legs_or_it_is_told(room: Room, day: str, said: str) -> None:
    site, machine = rack(), room.machine("x1")
    declared = site.machines[0]
    three = declared.replace(nics=(*declared.nics, declared.nics[0])[:3])
    (bond,) = [c for c in sound.network(site, three) if "legs" in c.name]
    machine.write("/run/bond0", (FOLDER / f"bonds-{day}.txt").read_text())
    told_of = replace(bond, probe=bond.probe.replace("/proc/net/bonding/", "/run/"))
    assert said in told(machine, told_of)
    assert bool(said) == bool(told(machine, told_of))


ENDLESS = "#!/bin/sh\nwhile :; do sleep 1; done\n"
MANIFEST = """spec:
  containers:
  - command:
    - etcd
    - --data-dir=/var/lib/etcd
    - --heartbeat-interval={heartbeat}
    livenessProbe: {{failureThreshold: {patience}}}
"""


def test_a_pod_that_kubelet_has_not_restarted_yet_is_not_taken_for_the_new_one(room: Room) -> None:
    """Its API server and its etcd go on being healthy until then."""
    machine = room.machine("cp1")
    machine.program("etcd", ENDLESS)
    restarted = conditions.restarted()[0]

    def declare(heartbeat: int, patience: int) -> None:
        """As a change of the control plane's layer does it."""
        machine.does(manifests.remember())
        text = MANIFEST.format(heartbeat=heartbeat, patience=patience)
        machine.write(f"{kept.FOLDER}/etcd.yaml", text)

    def restart(heartbeat: int) -> None:
        machine.does(
            "pkill -x etcd; setsid /usr/local/bin/etcd --data-dir=/var/lib/etcd "
            f"--heartbeat-interval={heartbeat} >/dev/null 2>&1 </dev/null & sleep 0.3"
        )

    declare(100, 8)
    assert "etcd runs as its manifest says: it does not run" in told(machine, restarted)
    restart(100)
    assert told(machine, restarted) == ""
    declare(250, 8)
    assert "it runs without --heartbeat-interval=250" in told(machine, restarted)
    restart(250)
    assert told(machine, restarted) == ""
    declare(250, 8)  # written anew with the same text: kubelet leaves the pod alone
    assert told(machine, restarted) == ""
    declare(250, 60)
    assert "it has not been restarted yet" in told(machine, restarted)
    restart(250)
    assert told(machine, restarted) == ""


def test_every_static_pod_is_asked_by_the_name_that_linux_keeps(room: Room) -> None:
    machine = room.machine("cp1")
    for name in kept.NAMES:
        machine.program(name, ENDLESS)
        text = f"  - command:\n    - {name}\n    - --v=1\n"
        machine.write(f"{kept.FOLDER}/{name}.yaml", text)
        machine.does(f"setsid {name} --v=1 >/dev/null 2>&1 </dev/null & sleep 0.3")
    assert told(machine, *conditions.restarted()) == ""
