"""A change of a switch over real SSH, by netmiko as it is: kept on proof, else as it was."""

from __future__ import annotations

import pytest

from homelab.switch import reading
from homelab.switch.apply import Failed
from homelab.switch.plan import Refused
from homelab.switch.session import SwitchError
from tests.unit.switch.rack import OTHERS, machine, rig

BOTH = pytest.mark.parametrize("v8", [False, True], ids=["vrp5", "vrp8"])


@BOTH
def test_a_change_is_proven_saved_and_disarmed(v8: bool) -> None:
    switch = machine(v8)
    with rig(switch) as found:
        found.apply()
        assert found.said[0].startswith("armed: System will reboot")
        assert found.said[-1] == "proven, saved, and the reboot disarmed"
    for group in (2, 3):  # 1 is the other switch's
        first = 3 * group - 5
        ports = [f"GigabitEthernet0/0/{n}" for n in range(first, first + 3)]
        assert switch.running.members(f"Eth-Trunk{group}") == ports
        own = switch.running.interfaces[f"Eth-Trunk{group}"]
        assert ("mode lacp-static" if v8 else "mode lacp") in own
        assert "lacp timeout fast" in own
    assert switch.saved.text() == switch.running.text()
    assert switch.reboot_at is None
    assert {name: switch.running.interfaces[name] for name in OTHERS} == OTHERS


@BOTH
def test_a_second_run_sends_no_line(v8: bool) -> None:
    switch = machine(v8)
    with rig(switch) as found:
        found.apply()
        switch.typed.clear()
        assert found.steps() == []
        found.apply()
        assert switch.configured == []


def test_the_lifeline_moves_last_and_is_proven_last() -> None:
    with rig(machine()) as found:
        steps = [step for step in found.steps() if step.what.startswith("n2:")]
        joins = [step.what.split()[1] for step in steps if "joins" in step.what]
        assert [name.rpartition("/")[2] for name in joins] == ["4", "6", "5"]
        assert [len(step.proves) for step in steps] == [0, 0, 2, 3]


@BOTH
def test_without_proof_it_is_as_it_was_and_nothing_is_saved(v8: bool) -> None:
    ports = {
        "GigabitEthernet0/0/4": ["port link-type access", "port default vlan 10"],
        "GigabitEthernet0/0/5": ["description n2", "port link-type trunk",
                                 "undo port trunk allow-pass vlan 1",
                                 "port trunk allow-pass vlan 10"],
        "GigabitEthernet0/0/6": ["jumboframe enable 1518"],
    }  # fmt: skip
    switch = machine(v8, ports)
    before, saved = switch.running.text(), switch.saved.text()
    switch.silent = {"GigabitEthernet0/0/6"}
    with rig(switch) as found, pytest.raises(Failed) as failure:
        found.apply()
    assert failure.value.restored
    assert "leg 0c:c4:7a:00:02:03 in GigabitEthernet0/0/6 passes nothing" in str(failure.value)
    assert "Undone: the switch runs what it ran before, unsaved" in str(failure.value)
    assert switch.running.text() == before
    assert switch.saved.text() == saved
    assert switch.reboot_at is None
    assert "save" not in switch.typed
    assert "GigabitEthernet0/0/5" not in " ".join(switch.typed)  # the lifeline stayed out of it


@BOTH
def test_a_line_that_the_switch_refuses_is_told_in_its_words(v8: bool) -> None:
    switch = machine(v8)
    before = switch.running.text()
    switch.refuse = ("lacp timeout fast",)
    with rig(switch) as found, pytest.raises(Failed) as failure:
        found.apply()
    said = str(failure.value)
    assert "step 1 of 8, n1: Eth-Trunk2 for bond0" in said
    assert "'lacp timeout fast': Error: Unrecognized command" in said
    assert failure.value.restored
    assert switch.running.text() == before


@BOTH
def test_a_connection_that_drops_is_made_again_and_the_change_undone(v8: bool) -> None:
    switch = machine(v8)
    before = switch.running.text()
    switch.drop_at = "trunkport GigabitEthernet 0/0/6"
    with rig(switch) as found, pytest.raises(Failed) as failure:
        found.apply()
    assert "the connection was lost at 'trunkport GigabitEthernet 0/0/6'" in str(failure.value)
    assert failure.value.restored
    assert switch.running.text() == before
    assert (switch.reboot_at, switch.reboots) == (None, 0)


def test_a_switch_out_of_reach_brings_itself_back() -> None:
    """The connection drops and stays away: the reboot that was armed before does it."""
    switch = machine()
    before = switch.running.text()
    switch.drop_at = "trunkport GigabitEthernet 0/0/3"
    switch.stays_away = True
    with rig(switch) as found:
        with pytest.raises(Failed) as failure:
            found.apply()
        assert not failure.value.restored
        assert "within 10 minutes the switch reboots into what it has saved" in str(failure.value)
        assert switch.running.text() != before
        switch.advance(600)
        assert (switch.running.text(), switch.reboots) == (before, 1)
        found.session.connect()
        assert found.session.armed() is None


def test_a_proof_that_takes_too_long_ends_before_the_reboot() -> None:
    switch = machine()
    switch.silent = {"GigabitEthernet0/0/1"}
    with rig(switch) as found, pytest.raises(Failed) as failure:
        found.apply(sleep=lambda _: switch.advance(500))
    assert failure.value.restored
    assert switch.reboots == 0


def test_the_trap_of_the_scheduled_reboot_is_answered_no() -> None:
    """VRP asks whether to save first: what is not proven would be saved."""
    switch = machine()
    with rig(switch) as found:
        found.session.arm(10)
        assert found.session.armed()
        found.session.disarm()
    assert [line for line in switch.configured if line in "yn"] == ["n", "y"]


def test_a_switch_that_asks_where_to_save() -> None:
    switch = machine()
    switch.asks_file = True
    with rig(switch) as found:
        found.apply()
    assert switch.saved.text() == switch.running.text()


def test_what_somebody_else_has_not_saved_is_not_lost() -> None:
    switch = machine()
    switch.running.interfaces["GigabitEthernet0/0/20"].append("stp edged-port enable")
    with rig(switch) as found, pytest.raises(Failed, match="runs what it has not saved"):
        found.apply()
    assert switch.configured == []


def test_somebody_elses_reboot_is_left_alone() -> None:
    switch = machine()
    switch.reboot_at = 9000.0
    with rig(switch) as found, pytest.raises(Failed, match="somebody else has armed"):
        found.apply()
    assert (switch.configured, switch.reboot_at) == ([], 9000.0)


def test_a_machine_whose_bond_is_not_ready_is_told_before_anything_is_typed() -> None:
    switch = machine()
    with rig(switch) as found:
        found.machines.mode = "active-backup"
        with pytest.raises(Refused, match="n1's bond0 is active-backup"):
            found.apply()
        found.machines.plugs = ()
        with pytest.raises(Refused, match="n1 does not say how its leg"):
            found.apply()
    assert switch.configured == []


def test_a_platform_that_the_site_has_wrong() -> None:
    with rig(machine()) as found, pytest.raises(SwitchError, match=r"set switch\.platform"):
        reading.switch(found.session, "vrp8")
