"""What fails by itself: memory, disks, heat, ports, arrays, and what the kernel says of them.

All of it belongs to a kernel and its hardware; in a container they are the host's, and not looked
at.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from homelab.documents import ports
from homelab.drift.finding import Finding
from homelab.drift.view import Told, View
from homelab.network.legs import DAMAGED

if TYPE_CHECKING:
    from facts.hardware import Hardware, Port, Sensor
    from facts.kernel import Kernel

# Bits of the kernel's taint that a fault sets (admin-guide/tainted-kernels): what is told of it
# otherwise (modules that are not free, or signed) is no fault.
TAINTS = {4: "a machine check exception", 5: "a bad page of memory", 7: "an oops", 14: "a lock-up"}
TASKS = 0.8  # of pid_max: then nothing can be started to look after it either
# Super I/O chips have the limits that the BIOS or nobody has set, on inputs that nobody uses
# (docs.kernel.org/hwmon/nct6775.html); all others know their own.
NO_LIMITS = ("nct", "it8", "w83", "f71", "sch5", "asus")
HOT = range(1, 150)  # limits beyond, in degrees, are placeholders
NEAR = 5.0  # so much below its critical limit a chip is too hot
NVME_HOT = 0b10  # of the critical warning's bits (NVMe base specification, SMART log)
ERRORS = 100  # of fewer nothing follows; the share is that of a bond's leg


def findings(view: View, told: Told) -> Iterator[Finding]:
    """Of one machine with a kernel of its own."""
    if told.facts.survey is None or told.facts.survey.is_container:
        return
    if told.facts.kernel is not None:
        yield from _kernel(told, told.facts.kernel)
    if told.facts.hardware is not None:
        yield from _memory(told, told.facts.hardware)
        yield from _disks(told, told.facts.hardware)
        yield from _temperatures(told, told.facts.hardware)
        yield from _ports(view, told, told.facts.hardware)


def _kernel(told: Told, kernel: Kernel) -> Iterator[Finding]:
    """Messages first: a fault that taints has its message, while the kernel has kept it."""
    counts = kernel.counts
    if kernel.messages:
        last = kernel.messages[-1]
        more = f"{len(kernel.messages)}, the last: " if len(kernel.messages) > 1 else ""
        yield Finding("host.kernel-messages", told.name, "kernel", "none of level crit or worse",
                      f"{more}{last.text}", since=kernel.messages[0].at)  # fmt: skip
    elif counts and (marks := [what for bit, what in TAINTS.items() if counts.tainted >> bit & 1]):
        yield Finding("host.kernel-messages", told.name, "kernel", "not tainted by a fault",
                      f"tainted by {', '.join(marks)}", since=counts.booted_at)  # fmt: skip
    if counts and counts.oom_kills:
        yield _found(told, "host.oom", "memory", "no process killed",
                     f"{counts.oom_kills} killed since boot")  # fmt: skip
    if counts and counts.tasks > counts.pid_max * TASKS:
        yield _found(told, "host.tasks", "pid_max", f"less than {TASKS:.0%} of {counts.pid_max}",
                     str(counts.tasks))  # fmt: skip


def _memory(told: Told, read: Hardware) -> Iterator[Finding]:
    """By controller, with its modules in words; the worse of both kinds."""
    for whole in read.memory or ():
        if whole.module:
            continue
        parts = [p for p in read.memory or () if p.module and p.controller == whole.controller]
        if whole.uncorrected:
            where = [f"{p.module} {p.uncorrected}" for p in parts if p.uncorrected]
            yield _found(told, "hardware.ecc-uncorrected", whole.controller, "0",
                         _of(whole.uncorrected, where))  # fmt: skip
        elif whole.corrected:
            where = [f"{p.module} {p.corrected}" for p in parts if p.corrected]
            yield _found(told, "hardware.ecc-corrected", whole.controller, "0",
                         _of(whole.corrected, where))  # fmt: skip


def _of(number: int, where: list[str]) -> str:
    return f"{number} ({', '.join(where)})" if where else f"{number}"


def _disks(told: Told, read: Hardware) -> Iterator[Finding]:
    for disk in read.disks or ():
        warning = disk.warning & ~NVME_HOT  # heat is told by its sensor
        if warning:
            yield _found(told, "hardware.smart", disk.name, "no warning",
                         f"critical warning 0x{warning:02x}")  # fmt: skip
        elif disk.passed is False and not disk.warning:
            yield _found(told, "hardware.smart", disk.name, "passed", "failed")
        elif disk.bad_sectors:
            yield _found(told, "hardware.sectors", disk.name, "0", f"{disk.bad_sectors}")
    for array in read.arrays or ():
        if array.degraded:
            actual = f"{array.working} of {array.wanted} disks" if array.active else "not started"
            yield _found(told, "hardware.raid", array.name, "all disks", actual)


def _temperatures(told: Told, read: Hardware) -> Iterator[Finding]:
    """One for each kind of chip: what heats one core heats them all. The hottest is told."""
    hot: dict[str, list[Sensor]] = {}
    for sensor in read.temperatures or ():
        if _excess(sensor) >= 0:
            hot.setdefault(sensor.chip, []).append(sensor)
    for chip, sensors in hot.items():
        worst = max(sensors, key=_excess)
        more = f", and {len(sensors) - 1} more" if len(sensors) > 1 else ""
        yield _found(told, "hardware.temperature", chip, f"below {_limit(worst):.0f} °C",
                     f"{worst.device} {worst.name}: {worst.celsius:.0f} °C{more}")  # fmt: skip


def _limit(sensor: Sensor) -> float:
    """In degrees; infinite for a sensor without any that can be believed."""
    limits = []
    if not sensor.chip.startswith(NO_LIMITS):
        if sensor.max is not None and int(sensor.max) in HOT:
            limits.append(sensor.max)
        if sensor.critical is not None and int(sensor.critical) in HOT:
            limits.append(sensor.critical - NEAR)
    return min(limits, default=float("inf"))


def _excess(sensor: Sensor) -> float:
    return float("-inf") if sensor.celsius is None else sensor.celsius - _limit(sensor)


def _ports(view: View, told: Told, read: Hardware) -> Iterator[Finding]:
    """But legs of the declared bonds, which the network's report judges."""
    judged = told.machine.network == "networkd"
    bonds = {bond.name for bond in ports.bonds(view.site, told.machine)} if judged else set()
    for port in read.ports or ():
        if port.master not in bonds and (lossy := _losses(port)):
            yield _found(told, "hardware.nic", port.name,
                         f"less than {DAMAGED:.2%} damaged", ", ".join(lossy))  # fmt: skip


def _losses(port: Port) -> list[str]:
    """Both ways that lose too much, in words. The kernel's sum has CRC errors in it; not every
    driver's has."""
    ways = (("received", port.received, max(port.received_errors, port.crc_errors)),
            ("sent", port.sent, port.sent_errors))  # fmt: skip
    return [
        f"{errors} errors in {packets + errors} packets {way}"
        for way, packets, errors in ways
        if errors > ERRORS and errors > (packets + errors) * DAMAGED
    ]


def _found(told: Told, rule: str, subject: str, expected: str, actual: str) -> Finding:
    return Finding(rule, told.name, subject, expected, actual)
