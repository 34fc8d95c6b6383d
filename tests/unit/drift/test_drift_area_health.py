"""What fails by itself: each fault once, by its own rule; nothing of it in a container."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facts import hardware as hardware_facts
from facts import kernel as kernel_facts
from facts.hardware import Hardware, Memory, Port, Sensor
from facts.hardware_disks import Disk
from facts.kernel import Kernel, Message
from homelab.drift.areas import health
from homelab.drift.catalogue import RULES
from homelab.drift.finding import Finding
from homelab.drift.view import View
from tests.unit.documents.document_sites import rack
from tests.unit.drift.drift_views import member, view
from tests.unit.facts.fact_captures import capture

KERNEL = kernel_facts.parse(capture("kernel-machine"))
WHOLE = hardware_facts.parse(capture("hardware-machine"))
BAD = hardware_facts.parse(capture("hardware-bad-day"))
BOOT = KERNEL.counts


def found(
    hardware: Hardware | None = None, kernel: Kernel | None = None, virt: str = "none"
) -> list[Finding]:
    site = rack()
    facts = {"survey": member(site, virt=virt), "hardware": hardware, "kernel": kernel}
    of: View = view({"x1": facts}, site)
    findings = list(health.findings(of, of.of("x1")))
    assert all(f.rule in RULES and f.kind == "drift" for f in findings)
    return findings


def rules(*args: Any, **named: Any) -> list[tuple[str, str]]:
    return [(finding.rule, finding.subject) for finding in found(*args, **named)]


def counts(**changes: Any) -> Kernel:
    assert BOOT is not None
    return replace(KERNEL, counts=replace(BOOT, **changes))


def test_a_machine_that_is_well_gives_nothing() -> None:
    assert rules(WHOLE, KERNEL) == []
    assert rules(hardware_facts.parse(capture("hardware-vm")), KERNEL) == []


def test_nothing_read_gives_nothing() -> None:
    assert rules() == []
    assert rules(Hardware(unread={"ports": "it broke"}), Kernel(unread={"now": "it broke"})) == []


def test_a_bad_day() -> None:
    assert rules(BAD, kernel_facts.parse(capture("kernel-bad-day"))) == [
        ("host.kernel-messages", "kernel"),
        ("host.oom", "memory"),
        ("host.tasks", "pid_max"),
        ("hardware.ecc-corrected", "mc0"),
        ("hardware.ecc-uncorrected", "mc1"),
        ("hardware.smart", "/dev/sda"),
        ("hardware.sectors", "/dev/sdb"),
        ("hardware.smart", "/dev/nvme0n1"),
        ("hardware.raid", "md0"),
        ("hardware.raid", "md2"),
        ("hardware.temperature", "coretemp"),
        ("hardware.temperature", "drivetemp"),
        ("hardware.nic", "enp5s0"),
        ("hardware.nic", "enp6s0"),
    ]


def test_in_a_container_all_of_it_is_the_hosts() -> None:
    assert rules(BAD, kernel_facts.parse(capture("kernel-bad-day")), virt="docker") == []


def test_the_words_say_where_to_look() -> None:
    by_rule = {(f.rule, f.subject): f.actual for f in found(BAD)}
    assert by_rule["hardware.ecc-corrected", "mc0"] == "7 (CPU_SrcID#0_Ha#0_Chan#1_DIMM#0 7)"
    assert by_rule["hardware.temperature", "coretemp"] == "hwmon1 Package id 0: 95 °C, and 1 more"
    assert by_rule["hardware.raid", "md0"] == "1 of 2 disks"
    assert by_rule["hardware.nic", "enp6s0"] == "500 errors in 1000500 packets sent"


def test_messages_have_their_first_time_and_their_last_text() -> None:
    first = datetime(2026, 11, 26, 1, tzinfo=UTC)
    said = (Message(first, "one"), Message(first.replace(hour=2), "two"))
    (finding,) = found(None, replace(KERNEL, messages=said))
    assert (finding.since, finding.actual) == (first, "2, the last: two")


@pytest.mark.parametrize(("bit", "fault"), [(0, False), (4, True), (7, True), (12, False)])
def test_of_the_taint_only_faults_count_and_once(bit: int, fault: bool) -> None:
    kernel = counts(tainted=1 << bit)
    assert bool(found(None, kernel)) is fault
    message = Message(datetime(2026, 11, 26, tzinfo=UTC), "mce")
    assert len(found(None, replace(kernel, messages=(message,)))) == 1


@pytest.mark.parametrize(
    ("chip", "celsius", "high", "critical", "hot"),
    [
        ("coretemp", 87.9, 88.0, 98.0, False),
        ("coretemp", 88.0, 88.0, 98.0, True),
        ("k10temp", 94.9, None, 100.0, False),
        ("k10temp", 95.0, None, 100.0, True),
        ("nvme", 60.0, 65261.85, None, False),  # the drive has no limit for this sensor
        ("acpitz", 40.0, 0.0, None, False),
        ("nct6779", 127.0, 80.0, 125.0, False),  # an input that nobody uses
        ("coretemp", None, 88.0, 98.0, False),
    ],
)
def test_heat(
    chip: str, celsius: float | None, high: float | None, critical: float | None, hot: bool
) -> None:
    sensor = Sensor("hwmon0", chip, "temp1", celsius, high, critical)
    assert rules(Hardware(temperatures=(sensor,))) == [("hardware.temperature", chip)] * hot


@pytest.mark.parametrize(
    ("disk", "rule"),
    [
        (Disk("/dev/sda", "ATA", True, 0, 0), None),
        (Disk("/dev/sda", "SCSI", None, 0, 0), None),
        (Disk("/dev/sda", "ATA", False, 0, 0), "hardware.smart"),
        (Disk("/dev/nvme0n1", "NVMe", True, 1, 0), "hardware.smart"),
        (Disk("/dev/nvme0n1", "NVMe", False, 2, 0), None),  # heat is told by its sensor
        (Disk("/dev/sda", "ATA", True, 0, 1), "hardware.sectors"),
    ],
)
def test_disks(disk: Disk, rule: str | None) -> None:
    assert [found_rule for found_rule, _ in rules(Hardware(disks=(disk,)))] == [rule] * bool(rule)


def test_legs_of_declared_bonds_are_the_networks() -> None:
    port = Port("enp3s0", "bond0", 1000, 900, 0, 0, 1000, 0)
    assert rules(Hardware(ports=(port,))) == []
    assert rules(Hardware(ports=(replace(port, master="bond7"),))) == [("hardware.nic", "enp3s0")]


@given(st.integers(0, 1 << 40), st.integers(0, 1 << 20))
def test_few_errors_or_a_small_share_are_no_fault(packets: int, errors: int) -> None:
    port = Port("enp5s0", None, packets, errors, 0, 0, 0, 0)
    lossy = errors > 100 and errors / (packets + errors) > 1 / 10_000
    assert bool(rules(Hardware(ports=(port,)))) is lossy


@given(st.integers(0, 3), st.integers(0, 3))
def test_memory_is_told_by_the_worse_of_both(corrected: int, uncorrected: int) -> None:
    memory = (Memory("mc0", "", corrected, uncorrected),)
    worst = "hardware.ecc-uncorrected" if uncorrected else "hardware.ecc-corrected"
    expected = [(worst, "mc0")] if corrected or uncorrected else []
    assert rules(Hardware(memory=memory)) == expected
