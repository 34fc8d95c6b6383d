"""The room itself: what runs in it sees and reaches nothing of this machine."""

from __future__ import annotations

from pathlib import Path

from tests.unit.operations.room import Machine, Room


def test_a_machine_has_files_of_its_own(machine: Machine) -> None:
    machine.does("mkdir -p /etc/kubernetes; echo mine > /etc/kubernetes/file; echo > /run/file")
    assert machine.read("/etc/kubernetes/file") == "mine\n"
    assert not Path("/run/file").exists()
    assert machine.does("id -un").strip() == "root"


def test_it_sees_no_process_of_this_machine(machine: Machine) -> None:
    """Else a script that ends processes by name would end ours."""
    pids = [pid for pid in machine.does("ls /proc").split() if pid.isdigit()]
    assert len(pids) < 6


def test_it_has_a_network_of_its_own(room: Room) -> None:
    links = room.run("ip", "-br", "link").out.splitlines()
    assert [line.split()[0] for line in links] == ["lo"]


def test_two_machines_share_the_network_and_no_file(room: Room) -> None:
    first, second = room.machine("a", "10.0.0.1"), room.machine("b", "10.0.0.2")
    first.write("/etc/only-here")
    assert second.sh("test -e /etc/only-here").code == 1
    assert second.sh("ip -br addr show lo | grep -q 10.0.0.1/32").code == 0
