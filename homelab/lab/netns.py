"""The lab's network namespace: bridge, machines and controller live in it, nothing else does."""

from collections.abc import Sequence
from pathlib import Path

from homelab.lab.shell import run

RUN = Path("/run/netns")


def exists(name: str) -> bool:
    """Whether the namespace is there."""
    return (RUN / name).exists()


def create(name: str) -> None:
    """Make the namespace if it is missing."""
    if not exists(name):
        run(["ip", "netns", "add", name])
    run(["ip", "-n", name, "link", "set", "lo", "up"])


def remove(name: str) -> None:
    """Remove it; what is left in it goes with it."""
    if exists(name):
        run(["ip", "netns", "delete", name])


def prefix(name: str) -> list[str]:
    """Words that run a command in the namespace.

    Not `ip netns exec`, which mounts a fresh /sys and so hides the control groups:
    dockerd then dies of "Devices cgroup isn't mounted".
    """
    return ["nsenter", f"--net={RUN / name}", "--"]


def inside(name: str, argv: Sequence[str]) -> list[str]:
    """The command `argv` in the namespace."""
    return [*prefix(name), *argv]
