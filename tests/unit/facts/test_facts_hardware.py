"""Memory errors, temperatures, disks, ports and arrays."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from facts import hardware, hardware_disks
from facts.hardware import Hardware, Memory, Port, Sensor
from tests.unit.facts.fact_captures import capture


def read(name: str) -> Hardware:
    return hardware.parse(capture(f"hardware-{name}"))


def shell(script: str, folder: Path) -> list[str]:
    """What a script prints in dash, with ``folder`` in front of /sys."""
    script = script.replace("/sys/", f"{folder}/sys/")
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def files(folder: Path, contents: dict[str, str]) -> None:
    for name, text in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text + "\n")


def test_a_machine_that_is_well() -> None:
    found = read("machine")
    assert not found.unread
    assert found.memory is not None
    assert [m.controller for m in found.memory if not m.module] == ["mc0", "mc1"]
    assert found.temperatures is not None
    assert found.temperatures[0] == Sensor("hwmon0", "nvme", "Composite", 38.85, 84.85, 89.85)
    assert found.temperatures[-1] == Sensor("hwmon4", "acpitz", "temp1", None, 0.0, 16.8)
    assert found.smartctl is True
    assert [(d.name, d.protocol, d.passed) for d in found.disks or ()] == [
        ("/dev/sda", "ATA", True), ("/dev/nvme0n1", "NVMe", True),
    ]  # fmt: skip
    assert [(p.name, p.master) for p in found.ports or ()] == [
        ("enp3s0", "bond0"), ("enp4s0", "bond0"), ("enp5s0", None),
    ]  # fmt: skip
    assert [(a.name, a.degraded) for a in found.arrays or ()] == [("md0", False)]


def test_a_machine_on_a_bad_day() -> None:
    found = read("bad-day")
    assert Memory("mc0", "CPU_SrcID#0_Ha#0_Chan#1_DIMM#0", 7, 0) in (found.memory or ())
    assert [(d.name, d.passed, d.warning, d.bad_sectors) for d in found.disks or ()] == [
        ("/dev/sda", False, 0, 24),
        ("/dev/sdb", True, 0, 8),
        ("/dev/sdc", None, 0, 0),  # a virtual disk has no SMART
        ("/dev/nvme0n1", False, 4, 0),
    ]
    assert found.unread == {
        "/dev/sdd": "smartctl's exit code 2: Smartctl open device: /dev/sdd failed: No such device"
    }
    assert Port("enp5s0", None, 1000000, 900, 899, 3, 1000000, 0) in (found.ports or ())
    assert [(a.name, a.level, a.degraded) for a in found.arrays or ()] == [
        ("md0", "raid1", True), ("md1", "raid5", False), ("md2", "", True),
        ("md127", "container", False),
    ]  # fmt: skip


def test_a_virtual_machine_has_nothing_of_it_and_that_is_known() -> None:
    found = read("vm")
    assert not found.unread
    assert (found.memory, found.temperatures, found.disks, found.arrays) == ((), (), (), ())
    assert found.smartctl is False
    assert found.ports is not None
    assert [port.name for port in found.ports] == ["eth0"]


def test_a_disk_of_ata_without_a_verdict_has_not_answered() -> None:
    lines = ["installed", '/dev/sda {"smartctl":{"exit_status":4},"device":{"protocol":"ATA"}}']
    assert hardware_disks.disks_of(lines) == (
        True, (), {"/dev/sda": "smartctl's exit code 4: it said nothing"},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("question", "line"),
    [
        ("memory", "mc0\tDIMM\t1"),
        ("temperatures", "hwmon0\tcoretemp\ttemp1\t-\thot\t-\t-"),
        ("disks", "/dev/sdz smartctl 7.3"),
        ("disks", '/dev/sdz {"smartctl":{"exit_status":0},"smart_status":{"passed":"maybe"}}'),
        ("ports", "eth0\t\t1\t2\t3"),
        ("arrays", "md5 is well"),
    ],
)
def test_what_makes_no_sense_is_refused(question: str, line: str) -> None:
    lines = capture("hardware-machine")
    at = lines.index(f"@@ask {question}") + 2
    with pytest.raises((ValueError, LookupError)):
        hardware.parse([*lines[:at], line, *lines[at:]])


def test_sysfs_as_the_kernel_lays_it_out(tmp_path: Path) -> None:
    edac, hwmon, net = "sys/devices/system/edac/mc/mc0", "sys/class/hwmon/hwmon0", "sys/class/net"
    counters = ("rx_packets", "rx_errors", "rx_crc_errors", "rx_dropped", "tx_packets", "tx_errors")
    files(tmp_path, {
        f"{edac}/ce_count": "3", f"{edac}/ue_count": "1",
        f"{edac}/dimm0/dimm_ce_count": "3", f"{edac}/dimm0/dimm_ue_count": "0",
        f"{edac}/dimm0/dimm_label": "CPU 0 DIMM A",
        f"{edac}/dimm1/dimm_ce_count": "0", f"{edac}/dimm1/dimm_ue_count": "1",
        f"{hwmon}/name": "coretemp", f"{hwmon}/temp1_input": "45000",
        f"{hwmon}/temp1_label": "Package id 0", f"{hwmon}/temp1_crit": "98000",
        f"{hwmon}/temp2_max": "80000",
        f"{net}/bond0/carrier": "1", f"{net}/eth0/device/uevent": "",
        **{f"{net}/eth0/statistics/{name}": str(n) for n, name in enumerate(counters)},
    })  # fmt: skip
    (tmp_path / hwmon / "temp2_input").mkdir()  # reading it fails, as of a sensor that is off
    (tmp_path / net / "eth0/master").symlink_to("../bond0")
    assert list(map(hardware._memory, shell(hardware.EDAC, tmp_path))) == [
        Memory("mc0", "", 3, 1), Memory("mc0", "CPU 0 DIMM A", 3, 0), Memory("mc0", "dimm1", 0, 1),
    ]  # fmt: skip
    assert list(map(hardware._sensor, shell(hardware.TEMPERATURES, tmp_path))) == [
        Sensor("hwmon0", "coretemp", "Package id 0", 45.0, None, 98.0),
        Sensor("hwmon0", "coretemp", "temp2", None, 80.0, None),
    ]
    assert list(map(hardware._port, shell(hardware.PORTS, tmp_path))) == [
        Port("eth0", "bond0", 0, 1, 2, 3, 4, 5)
    ]


def test_a_machine_without_any_of_it_has_none(tmp_path: Path) -> None:
    for script in (hardware.EDAC, hardware.TEMPERATURES, hardware.PORTS):
        assert shell(script, tmp_path) == []
