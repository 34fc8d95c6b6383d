"""What the machines of a lab are: node containers or VMs."""

import re
from pathlib import Path

from homelab.lab import debian
from homelab.lab.access import Settings
from homelab.lab.containers import Containers
from homelab.lab.faults import Lab
from homelab.lab.paths import Paths, default_name
from homelab.lab.vms import accel
from homelab.lab.vms.faults import Vms
from homelab.lab.vms.machines import MEMORY_MIB

PROVIDERS = ("docker", "libvirt")  # as Vagrant calls them


def why_no_vms(machines: int) -> str:
    """Why VMs would serve this machine worse than containers; empty if they would not.

    Emulated they are thirty times slower, and short of memory they would kill each other.
    """
    if debian.architecture() != "amd64":
        return "VMs are for amd64 only"
    needed, there = machines * MEMORY_MIB, available_mib()
    if needed > there:
        return f"VMs need {needed} MiB, {there} MiB are free"
    why_not = accel.why_no_kvm()  # last: it may install QEMU, and wait for a guest that hangs
    return f"VMs would be emulated ({why_not})" if why_not else ""


def available_mib() -> int:
    """By /proc/meminfo, proc(5)."""
    found = re.search(r"^MemAvailable: +(\d+) kB$", Path("/proc/meminfo").read_text(), re.M)
    return int(found[1]) >> 10 if found else 0


def opened(name: str | None = None) -> Lab:
    """The lab of that name (or HOMELAB_LAB's), by what its machines are; it may be down."""
    settings = Settings.read(Paths(name or default_name()).machines_file)
    if settings and settings.provider == "libvirt":
        return Vms(name)
    return Containers(name)
