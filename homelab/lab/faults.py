"""What can happen to a machine, by name; each returns the monotonic time it took effect at.

What a fault means is said here, once; how it is done is the provider's (containers.py, vms/).
"""

import re
from abc import ABC, abstractmethod
from pathlib import Path

from homelab.lab.access import Access
from homelab.lab.errors import LabError

LOSS = "homelab-loss-"  # how the tables of `loss` begin; a cable's name follows


class Lab(Access, ABC):
    """A lab whose machines can be hurt, and mended."""

    kind: str  # what its machines are, for messages

    @abstractmethod
    def alive(self) -> bool:
        """Whether what runs the machines answers."""

    @abstractmethod
    def state(self, name: str) -> str:
        """One word: up, frozen, cut, off, or missing."""

    @abstractmethod
    def made(self, name: str) -> float:
        """When a machine was made, in seconds since 1970."""

    @abstractmethod
    def pid(self, name: str) -> int:
        """The host's process id of a machine: its systemd's, or its QEMU's."""

    @abstractmethod
    def addresses(self, name: str) -> str:
        """What `ip -4 -o address` says in the machine's network; empty if that can't be asked."""

    @abstractmethod
    def kill(self, name: str) -> float:
        """Cut the power: every process ends at once, nothing is written out."""

    @abstractmethod
    def start(self, name: str) -> float:
        """Press the power button."""

    @abstractmethod
    def freeze(self, name: str) -> float:
        """Stop the machine as if its kernel hung, its network included."""

    @abstractmethod
    def thaw(self, name: str) -> float:
        """Let it go on where it was, network first, as a machine that wakes up finds it."""

    @abstractmethod
    def cut(self, name: str) -> float:
        """Pull the network cable, all of them; the machine sees that its links are down."""

    @abstractmethod
    def heal(self, name: str) -> float:
        """Plug it in again."""

    @abstractmethod
    def loss(self, name: str, percent: float) -> float:
        """Lose that share of all packets to and from a machine; 0 ends it."""

    @abstractmethod
    def logs(self, folder: Path) -> None:
        """Copy all logs of all machines into a folder, in whatever state they are."""

    def fill_disk(self, name: str) -> float:
        """Fill the disk under a machine's etcd to the last block."""
        raise self.lacks("fill-disk", "docker")

    def free_disk(self, name: str) -> float:
        """Make room on it again."""
        raise self.lacks("free-disk", "docker")

    def cut_leg(self, name: str, leg: int) -> float:
        """Pull one cable of the bond; both ends see that the link is down."""
        raise self.lacks("cut-leg", "libvirt")

    def silence_leg(self, name: str, leg: int) -> float:
        """Lose all frames of one cable, LACP's too, while both ends see a link."""
        raise self.lacks("silence-leg", "libvirt")

    def heal_leg(self, name: str, leg: int) -> float:
        """Mend that cable."""
        raise self.lacks("heal-leg", "libvirt")

    def restart_switch(self, off_s: float = 5.0) -> float:
        """The switch loses power for that long, in seconds; returns when it forwards again."""
        raise self.lacks("restart-switch", "libvirt")

    def set_clock(self, name: str, seconds: float) -> float:
        """Set a machine's clock forward by so many seconds, or back if negative."""
        raise self.lacks("set-clock", "libvirt")

    def lacks(self, fault: str, provider: str) -> LabError:
        """The error that this lab's machines can't have a fault, and which ones can."""
        then = f"make a lab by `--provider {provider}`"
        return LabError(f"{fault} is nothing that {self.kind} can have", "", then)


def wrong_percent(percent: float) -> LabError | None:
    """Why a share of packets can't be lost."""
    if 0 <= percent <= 100:
        return None
    return LabError(f"{percent:g} % of the packets can't be lost", "", "give 0 to 100")


def loss_tables(listed: str) -> list[str]:
    """Ours, out of what `nft list tables netdev` prints."""
    return re.findall(rf"^table netdev ({LOSS}\S+)$", listed, re.MULTILINE)


def loss_rules(veth: str, percent: float) -> str:
    """A packet filter of our own on one cable that drops at random, in both directions.

    tc's netem would do the same but is a module that many kernels lack; nftables is
    there wherever kube-proxy is.
    """
    table = f"netdev {LOSS}{veth}"
    clear = f"table {table}\ndelete table {table}\n"
    if percent == 0:
        return clear
    drop = f"numgen random mod 10000 < {round(percent * 100)} drop"
    chains = "\n".join(
        f"  chain {hook} {{\n    type filter hook {hook} device {veth} priority 0\n    {drop}\n  }}"
        for hook in ("ingress", "egress")
    )
    return f"{clear}table {table} {{\n{chains}\n}}\n"
