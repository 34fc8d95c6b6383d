"""A network that is changed over itself: kept if it is proven, taken back by itself if not."""

from __future__ import annotations

import time

import pytest

from homelab.documents.network_force import DROP_IN
from tests.e2e.support import sites
from tests.e2e.support.pyinfra import Running, changes
from tests.e2e.support.rig import INVENTORY, Rig
from tests.e2e.support.waiting import Condition, wait_for
from tests.vms.bond import Pinging, bond, whole
from tests.vms.twin import (
    BOOTED_S,
    MACHINE,
    NETWORK,
    TAKEN_BACK,
    TRIAL_S,
    apply,
    bonded,
    change_mode,
    mode_of,
    other,
    settle,
    state,
    verdict,
    vms,
)


@pytest.mark.foundation
def test_the_first_move_from_one_plain_port_to_the_bond(rig: Rig) -> None:
    """It begins at DHCP's address and ends at the declared one, and the run follows."""
    assert bond(rig, MACHINE) is None
    run = apply(rig, "first-move")
    assert run.returncode == 0, run.output[-3000:]
    assert whole(rig, MACHINE) == ""
    assert verdict(rig).startswith("confirmed ")
    # networkd's own settings are for its own user to read
    assert "ManageForeignRoutes=no" in rig.root(
        MACHINE, f"runuser -u systemd-network -- cat {DROP_IN}"
    )


def test_a_second_run_changes_nothing_and_loses_no_packet(rig: Rig) -> None:
    with Pinging(rig, rig.address(MACHINE)) as pinging:
        run = apply(rig, "no-op", INVENTORY, "--json")
        lost = pinging.stop()
    assert run.returncode == 0, run.output[-3000:]
    assert not changes(run).made
    assert lost.lost == 0, lost


@pytest.mark.parametrize(
    ("name", "network", "check"),
    [
        ("wrong-gateway", "gateway='10.77.0.99'", "the gateway answers"),
        pytest.param(*("no-such-vlan", "vlan=77", "the gateway answers"), marks=pytest.mark.long),
    ],
)
def test_a_mistake_is_taken_back_by_itself(rig: Rig, name: str, network: str, check: str) -> None:
    before = state(rig)
    run = apply(rig, name, other(rig, name, network))
    assert run.returncode == 1
    assert "Traceback" not in run.output
    assert f"{MACHINE}: {TAKEN_BACK}" in run.output, run.output[-3000:]
    assert check in run.output.partition("Failed: ")[2], run.output[-3000:]
    assert run.seconds < TRIAL_S + 60
    settle(rig, 30)
    assert state(rig) == before


@pytest.mark.long
def test_a_leg_that_is_not_there_is_refused_before_anything_is_touched(rig: Rig) -> None:
    """So is a card that somebody moved into another machine: its MAC address is there now."""
    before, last = state(rig), verdict(rig)
    absent = "52:54:00:77:ff:03"
    machine = "_lab.machines[0]"
    nics = f"(*{machine}.nics[:2], {machine}.nics[2].replace(mac={absent!r}))"
    site = sites.changed(rig, "no-such-leg", f"machines=({machine}.replace(nics={nics}),)")
    run = apply(rig, "no-such-leg", site)
    assert run.returncode == 1
    assert "Traceback" not in run.output
    assert f"no port has the permanent MAC {absent}" in run.output, run.output[-3000:]
    assert (state(rig), verdict(rig)) == (before, last)


@pytest.mark.long
def test_a_leg_without_a_cable_is_taken_back(rig: Rig) -> None:
    """A bond that was whole may lose a cable any day; none is declared anew without one."""
    vms(rig).cut_leg(MACHINE, 3)
    try:
        site = bonded(rig, "no-cable", "lacp_rate='slow'")
        run = apply(rig, "no-cable", site)
    finally:
        vms(rig).heal_leg(MACHINE, 3)
    assert run.returncode == 1
    assert TAKEN_BACK in run.output, run.output[-3000:]
    assert "every leg of bond0 has a link" in run.output.partition("Failed: ")[2], run.output
    settle(rig, 30)
    assert apply(rig, "with-cable").returncode == 0


@pytest.mark.long
def test_a_dead_controller_is_no_harm(rig: Rig) -> None:
    """Killed in the middle of the trial: the machine is back by itself, the next run is as ever."""
    running = Running(
        rig, "killed", NETWORK, "-y", inventory=other(rig, "killed", "gateway='10.77.0.99'")
    )
    on_trial = "test -d /var/lib/homelab/network/trial && echo yes || true"
    assert running.kill_when(lambda: rig.root(MACHINE, on_trial) == "yes\n")
    wait_for([Condition("taken back", lambda: _taken_back(rig))], TRIAL_S + 30)
    run = apply(rig, "after-killed", INVENTORY, "--json")
    assert run.returncode == 0, run.output[-3000:]
    assert whole(rig, MACHINE) == ""


@pytest.mark.long
def test_a_machine_that_is_reset_in_the_middle_has_its_old_network(rig: Rig) -> None:
    running = Running(
        rig, "reset", NETWORK, "-y", inventory=bonded(rig, "reset", "mode='active-backup'")
    )
    on_trial = "test -s /var/lib/homelab/network/trial/state && echo yes || true"
    assert running.kill_when(lambda: rig.root(MACHINE, on_trial) == "yes\n")
    rig.lab.kill(MACHINE)
    rig.lab.start(MACHINE)
    settle(rig, BOOTED_S)
    assert "restarted in the middle" in verdict(rig)
    there = bond(rig, MACHINE)
    assert there is not None
    assert there.mode == "802.3ad"


@pytest.mark.long
def test_another_mode_over_the_bond_itself_and_only_the_first_time(rig: Rig) -> None:
    site = bonded(rig, "active-backup", "mode='active-backup'")
    first = change_mode(rig, "active-backup", site, "--json")
    assert first.returncode == 0, first.output[-3000:]
    assert mode_of(rig) == "active-backup"
    for number in (2, 3):
        again = apply(rig, f"active-backup-{number}", site, "--json")
        assert again.returncode == 0, again.output[-3000:]
        assert not changes(again).made
    # the way back, towards ports that nobody has grouped yet
    early = apply(rig, "lacp-too-early", other(rig, "lacp-too-early", ""))
    assert early.returncode == 1
    assert TAKEN_BACK in early.output
    assert "the switch bundles bond0" in early.output.partition("Failed: ")[2], early.output[-3000:]
    back = change_mode(rig, "lacp-again", INVENTORY)
    assert back.returncode == 0, back.output[-3000:]
    settle(rig, 30)


@pytest.mark.long
def test_what_the_kernel_changes_alive_costs_no_packet(rig: Rig) -> None:
    site = bonded(rig, "hash", "xmit_hash_policy='layer2+3'")
    with Pinging(rig, rig.address(MACHINE)) as pinging:
        run = apply(rig, "hash", site)
        lost = pinging.stop()
    assert run.returncode == 0, run.output[-3000:]
    assert lost.lost == 0, lost
    assert "layer2+3" in rig.root(MACHINE, "cat /sys/class/net/bond0/bonding/xmit_hash_policy")
    assert apply(rig, "hash-back").returncode == 0


def _taken_back(rig: Rig) -> str:
    said = verdict(rig)
    return "" if said.startswith("taken back") else said


@pytest.mark.long
def test_it_survives_a_restart(rig: Rig) -> None:
    """Names, bond, address and default route are the same after it."""
    ask = "ls /sys/class/net; cat /sys/class/net/bond0/address; ip -4 route show default"
    before = rig.root(MACHINE, ask)
    rig.lab.kill(MACHINE)
    rig.lab.start(MACHINE)
    began = time.monotonic()
    settle(rig, BOOTED_S)
    assert rig.root(MACHINE, ask) == before, f"after {time.monotonic() - began:.0f} s"
