"""The file systems under what a node keeps: how full they are, and whether they can be written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from facts.record import Record

# Folders that may have a file system of their own.
PATHS = ("/", "/var", "/var/lib/etcd", "/var/lib/containerd", "/var/lib/containers",
         "/var/lib/kubelet", "/boot")  # fmt: skip

# df knows where a path lies, links and bind mounts and all; of pods' mounts nothing is sent.
READ = rf"""set --
for p in {" ".join(PATHS)}; do [ ! -e "$p" ] || set -- "$@" "$p"; done
d=$(LC_ALL=C df -B1 --output=source,fstype,size,avail,itotal,iavail,target,file "$@") || exit 1
printf '%s\n' "$d" | awk 'NR == FNR {{ if (FNR > 1) {{ print "fs", $0; want[$7] = 1 }}; next }}
  $2 in want {{ print "mount", $2, $4 }}' - /proc/self/mounts"""


@dataclass(frozen=True)
class Mount(Record):
    """One file system. ``free`` is what others than root may still take, in bytes as ``size``.

    ``inodes`` is 0 where a file system makes them as it goes (btrfs). ``holds`` are those of
    :data:`PATHS` that lie on it.
    """

    point: str
    device: str
    kind: str  # "ext4", "overlay"
    read_only: bool
    size: int
    free: int
    inodes: int
    inodes_free: int
    holds: tuple[str, ...]


def mounts_of(lines: Iterable[str]) -> tuple[Mount, ...]:
    """Output of :data:`READ`; ValueError on other text, and if there is no root."""
    found: dict[str, Mount] = {}
    options: dict[str, list[str]] = {}
    for line in lines:
        kind, *words = line.split()
        if kind == "fs" and len(words) == 8:
            mount = _mount(words)
            before = found.setdefault(mount.point, replace(mount, holds=()))
            found[mount.point] = replace(before, holds=before.holds + mount.holds)
        elif kind == "mount" and len(words) == 2:
            options[words[0]] = words[1].split(",")  # the last one lies on top
        else:
            raise ValueError(f"expected a file system, met {line!r}")
    if "/" not in found or set(found) - set(options):
        raise ValueError(f"no mount of {sorted({'/', *found} - set(options)) or '/'}")
    return tuple(replace(m, read_only=_read_only(options[m.point])) for m in found.values())


def _mount(words: list[str]) -> Mount:
    device, kind, *numbers = words[:6]
    # df has "-" for what a file system does not count
    size, free, inodes, inodes_free = (0 if n == "-" else int(n) for n in numbers)
    return Mount(words[6], device, kind, False, size, free, inodes, inodes_free, (words[7],))


def _read_only(options: list[str]) -> bool:
    """ext4 says the second of them itself after an error (fs/ext4/super.c, Linux 6.15)."""
    return "ro" in options or "emergency_ro" in options
