"""File systems: full, out of inodes, or turned read-only.

The bars are those at which kubelet acts, by its defaults
(https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/): it deletes images
when the disk is 85 % full, evicts pods at imagefs.available<15%, nodefs.available<10% and
nodefs.inodesFree<5%. ``available`` is what others than root may take, here as there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from homelab.drift.finding import Finding
from homelab.drift.view import Told, View

if TYPE_CHECKING:
    from facts.mounts import Mount

FILLING, FULL = 0.15, 0.05  # free, of the size
INODES = 0.10  # before kubelet evicts: against many small files it has no other means
# So large etcd may grow (its quota's default); with less journald stops writing (SystemKeepFree).
ETCD_BYTES = 2 << 30
BOOT = "/boot"


def findings(view: View, told: Told) -> Iterator[Finding]:
    """Of one machine. In a container all but what is mounted read-only is the host's."""
    kernel, survey = told.facts.kernel, told.facts.survey
    if kernel is None or survey is None:
        return
    for mount in kernel.mounts or ():
        if mount.read_only:
            yield Finding("host.mount-read-only", told.name, mount.point,
                          "mounted rw", f"{mount.kind} of {mount.device}, mounted ro")  # fmt: skip
        if not survey.is_container:
            yield from _space(told, mount)


def _space(told: Told, mount: Mount) -> Iterator[Finding]:
    """One finding of space at most; /boot alone can't stop anything that runs."""
    if mount.size:
        free = mount.free / mount.size
        shown = f"{_gib(mount.free)} of {_gib(mount.size)} free ({free:.0%})"
        room = "/var/lib/etcd" not in mount.holds or mount.free >= ETCD_BYTES
        if free < FULL and set(mount.holds) != {BOOT}:
            yield Finding("host.disk-full", told.name, mount.point, f"{FULL:.0%} free", shown)
        elif free < FILLING or not room:
            bar = f"{FILLING:.0%} free" if free < FILLING else f"{_gib(ETCD_BYTES)} free for etcd"
            yield Finding("host.disk-filling", told.name, mount.point, bar, shown)
    if mount.inodes and mount.inodes_free / mount.inodes < INODES:
        shown = f"{mount.inodes_free} of {mount.inodes} free"
        yield Finding("host.inodes", told.name, mount.point, f"{INODES:.0%} free", shown)


def _gib(size: int) -> str:
    return f"{size / (1 << 30):.1f} GiB"
