"""A control plane over its own bond, with a kernel, a clock and a boot of its own."""

from __future__ import annotations

import time

import pytest

from homelab.probe import writes
from homelab.probe.running import Running as Probes
from homelab.probe.running import command
from tests.e2e.support.health import wait_until_healthy
from tests.e2e.support.pyinfra import CLUSTER, Running, changes
from tests.e2e.support.rig import INVENTORY, Rig
from tests.e2e.support.waiting import Condition, wait_for
from tests.vms.bond import whole
from tests.vms.twin import BOOTED_S, MACHINE, bonded, change_mode, mode_of, settle

DEPLOY_S = 2400  # emulated: kubeadm's first minutes alone take three
BACK_S = 900


@pytest.mark.foundation
def test_one_command_makes_the_cluster(rig: Rig) -> None:
    run = Running(rig, "cluster", CLUSTER, "-y").wait(DEPLOY_S)
    assert run.returncode == 0, run.output[-5000:]
    wait_until_healthy(rig, BACK_S)
    print(f"the cluster was made in {run.seconds:.0f} s")


def test_the_kernels_own_settings_are_in_force(rig: Rig) -> None:
    """What a container shares with its host, and so can't show."""
    assert rig.root(MACHINE, "swapon --show") == ""
    assert rig.root(MACHINE, "ls -d /sys/module/overlay /sys/module/br_netfilter")
    assert rig.root(MACHINE, "sysctl -n net.ipv4.ip_forward").strip() == "1"
    # the kernel does not show this one in /sys
    assert "options bonding max_bonds=0" in rig.root(MACHINE, "modprobe --showconfig")
    assert rig.root(MACHINE, "hostname").strip() == MACHINE
    for setting in rig.root(MACHINE, "grep -hv '^#' /etc/sysctl.d/90-homelab.conf").splitlines():
        name, _, value = (part.strip() for part in setting.partition("="))
        if name:
            assert rig.root(MACHINE, f"sysctl -n {name}").split() == value.split(), name


@pytest.mark.long
def test_a_second_run_changes_nothing(rig: Rig) -> None:
    run = Running(rig, "again", CLUSTER, "-y", "--json").wait(DEPLOY_S)
    assert run.returncode == 0, run.output[-3000:]
    assert not changes(run).made


@pytest.mark.long
def test_another_mode_under_a_live_control_plane(rig: Rig) -> None:
    """Over that bond itself, while a client writes: not one acknowledged write is lost."""
    api = rig.api(timeout=60.0)
    writes.prepare(api)
    api.close()  # this connection would not outlive the bond
    name = rig.unique("another-mode")
    through = ["--address", rig.vip, "--kubeconfig", str(rig.kubeconfig)]
    probes = {"writes": rig.lab.nsenter(command("writes", *through, "--run", name))}
    site = bonded(rig, "active-backup", "mode='active-backup'")
    with Probes(probes, rig.folder / "probes" / name) as probing:
        run = change_mode(rig, "active-backup", site, patience=DEPLOY_S)
        assert run.returncode == 0, run.output[-3000:]
        changed = time.monotonic()
        wait_for([Condition("writes are acknowledged", lambda: _written(probing, changed))], BACK_S)
        probing.check()
    attempts = probing.attempts("writes")  # after its end: what is written later is stored too
    api = rig.api(timeout=60.0)
    verdict = writes.judge(attempts, writes.stored(api, name))
    api.close()
    assert not verdict.faults, verdict
    assert mode_of(rig) == "active-backup"
    assert whole(rig, MACHINE) == ""
    back = change_mode(rig, "lacp", INVENTORY, patience=DEPLOY_S)
    assert back.returncode == 0, back.output[-3000:]
    settle(rig)


@pytest.mark.long
def test_a_restart_brings_all_of_it_back(rig: Rig) -> None:
    """Names, bond, addresses and routes as before; the cluster too, without a hand."""
    before = shape(rig)
    rig.lab.kill(MACHINE)
    rig.lab.start(MACHINE)
    settle(rig, BOOTED_S)
    wait_until_healthy(rig, BACK_S)
    assert shape(rig) == before


def shape(rig: Rig) -> str:
    """Interfaces with their MAC and IPv4 addresses, and routes; of pods' nothing."""
    script = (
        "ip -br link | grep -vE '^(veth|cni)' | awk '{print $1, $3}' | sort; "
        "ip -br -4 addr | grep -v '^veth' | awk '{$2 = \"\"; print}' | sort; ip -4 route | sort"
    )
    return rig.root(MACHINE, script)


def _written(probing: Probes, since: float) -> str:
    after = [a for a in probing.attempts("writes") if a.ok and a.start > since]
    return "" if len(after) > 5 else f"{len(after)} acknowledged since"
