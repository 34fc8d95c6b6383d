"""Disks by SMART, and RAID arrays of the kernel."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from facts.record import Record

# smartctl's exit code is a bit field that says how the disk is; its JSON has it as well.
SMART = r"""command -v smartctl >/dev/null || { echo 'not installed'; exit 0; }
echo installed
for d in /dev/sd[a-z] /dev/sd[a-z][a-z] /dev/nvme[0-9]n1 /dev/nvme[0-9][0-9]n1; do
  [ -b "$d" ] || continue
  printf '%s ' "$d"; smartctl --json=c -H -A "$d" | tr -d '\n'; echo
done"""
MDSTAT = "[ ! -e /proc/mdstat ] || cat /proc/mdstat"

# Bits of smartctl(8)'s exit code: the command line did not parse, the device did not open. Most
# others are about the disk's health.
UNUSABLE = 0b011
ARRAY = re.compile(r"(md\S*) : (active|broken|inactive)( \(\S+\))?(?: ([a-z]\w+)(?: |$))?")
PENDING, UNCORRECTABLE = 197, 198  # ATA attributes: sectors that could not be read


@dataclass(frozen=True)
class Disk(Record):
    """What a disk says by SMART. ``bad_sectors`` could not be read, and were not written since."""

    name: str  # "/dev/sda"
    protocol: str  # "ATA", "SCSI", "NVMe"
    passed: bool | None  # its own verdict; None: it has none (a virtual disk, a RAID controller)
    warning: int  # NVMe's critical warning, a bit field; 0 for others
    bad_sectors: int


@dataclass(frozen=True)
class Array(Record):
    """One array of /proc/mdstat; ``wanted`` and ``working`` are 0 where its level has no spare.

    ``level`` is "" of an array that did not start, and "container" of what only holds others'
    metadata, which is never active.
    """

    name: str
    active: bool
    level: str
    wanted: int
    working: int

    @property
    def degraded(self) -> bool:
        return self.working < self.wanted or not (self.active or self.level == "container")


def disks_of(lines: list[str]) -> tuple[bool, tuple[Disk, ...], dict[str, str]]:
    """Whether there is smartctl, the disks that answered, and why others did not, by path.

    ValueError and the like on text that is none of :data:`SMART`.
    """
    if lines == ["not installed"]:
        return False, (), {}
    if lines[0] != "installed":
        raise ValueError(f"expected 'installed', met {lines[0]!r}")
    found: list[Disk] = []
    silent: dict[str, str] = {}
    for line in lines[1:]:
        name, _, text = line.partition(" ")
        said = json.loads(text)
        disk = _disk(name, said)
        if disk is None:
            silent[name] = _reason(said["smartctl"])
        else:
            found.append(disk)
    return True, tuple(found), silent


def _disk(name: str, said: Mapping[str, Any]) -> Disk | None:
    """None for a disk that should have answered, and did not.

    A SCSI disk without a verdict is one of those that have no SMART: virtual ones, USB sticks.
    """
    code = int(said["smartctl"]["exit_status"])
    protocol = str(said["device"]["protocol"]) if "device" in said else ""
    passed = said["smart_status"].get("passed") if "smart_status" in said else None
    if code & UNUSABLE or (passed is None and protocol != "SCSI"):
        return None
    if passed not in (True, False, None):
        raise ValueError(f"expected a verdict of {name}, met {passed!r}")
    health = said.get("nvme_smart_health_information_log", {})
    attributes = said.get("ata_smart_attributes", {}).get("table", ())
    raw = {int(item["id"]): int(item["raw"]["value"]) for item in attributes}
    return Disk(
        name=name,
        protocol=protocol,
        passed=passed,
        warning=int(health.get("critical_warning", 0)),
        bad_sectors=max(raw.get(PENDING, 0), raw.get(UNCORRECTABLE, 0)),
    )


def _reason(smartctl: Mapping[str, Any]) -> str:
    said = "; ".join(str(message["string"]) for message in smartctl.get("messages", ()))
    return f"smartctl's exit code {smartctl['exit_status']}: {said or 'it said nothing'}"


def arrays_of(lines: Iterable[str]) -> tuple[Array, ...]:
    """/proc/mdstat (drivers/md/md.c, ``md_seq_show``); ValueError on lines it does not know."""
    found: list[Array] = []
    for line in lines:
        if array := ARRAY.match(line):
            level = (array[4] or "") if array[2] != "inactive" else ""
            found.append(Array(array[1], array[2] == "active", level, 0, 0))
        elif found and line.startswith("  "):
            found[-1] = _more(found[-1], line)
        elif line.strip() and not line.startswith(("Personalities :", "unused devices:")):
            raise ValueError(f"expected an array of /proc/mdstat, met {line!r}")
    return tuple(found)


def _more(array: Array, line: str) -> Array:
    """``1046528 blocks super 1.2 [2/1] [U_]``: so many are wanted, a U for each that works."""
    if members := re.search(r" \[(\d+)/\d+\] \[([U_]+)\]", line):
        return replace(array, wanted=int(members[1]), working=members[2].count("U"))
    if re.search(r" super external:[^/]", line):
        return replace(array, level="container")
    return array
