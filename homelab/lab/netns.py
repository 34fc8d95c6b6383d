"""The lab's network namespace: bridge, machines and controller live in it, nothing else does."""

import contextlib
import subprocess
from collections.abc import Sequence
from pathlib import Path

from homelab.lab.shell import run

RUN = Path("/run/netns")


def exists(name: str) -> bool:
    """Whether the namespace is there."""
    return (RUN / name).exists()


def path(name: str) -> Path:
    """Where the namespace is mounted."""
    return RUN / name


def create(name: str) -> None:
    """Make the namespace if it is missing."""
    if not exists(name):
        run(["ip", "netns", "add", name])
    run(["ip", "-n", name, "link", "set", "lo", "up"])


def remove(name: str) -> None:
    """Remove it; what is left in it goes with it."""
    if exists(name):
        run(["ip", "netns", "delete", name])


def folder_is() -> str:
    """How the folder of all namespaces is: "mounted", "there", or "missing"."""
    points = (line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines())
    if str(RUN) in points:
        return "mounted"
    return "there" if RUN.is_dir() else "missing"


def restore_folder(before: str) -> None:
    """Put the folder back as it was, if no namespace of anybody's is left in it.

    `ip netns add` mounts it on itself, and `ip netns delete` leaves that mount. A namespace that
    comes meanwhile makes it busy, so neither call below can take it away.
    """
    if before == "mounted" or folder_is() == "missing" or any(RUN.iterdir()):
        return
    if folder_is() == "mounted":
        subprocess.run(["umount", str(RUN)], capture_output=True, check=False)
    if before == "missing":
        with contextlib.suppress(OSError):
            RUN.rmdir()


def prefix(name: str) -> list[str]:
    """Words that run a command in the namespace.

    Not `ip netns exec`, which mounts a fresh /sys and so hides the control groups:
    dockerd then dies of "Devices cgroup isn't mounted".
    """
    return ["nsenter", f"--net={RUN / name}", "--"]


def inside(name: str, argv: Sequence[str]) -> list[str]:
    """The command `argv` in the namespace."""
    return [*prefix(name), *argv]
