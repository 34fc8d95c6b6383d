"""What can happen to a machine, by name; each returns the monotonic time it took effect at."""

import os
import re
import signal
import subprocess
import time
from pathlib import Path

from homelab.lab.access import Access
from homelab.lab.disks import Disk
from homelab.lab.errors import LabError
from homelab.lab.logs import collect
from homelab.lab.shell import run

LOSS = "homelab-loss-"  # how the tables of `loss` begin; a cable's name follows


class Lab(Access):
    """A lab whose machines can be hurt, and mended."""

    def kill(self, name: str) -> float:
        """Cut the power: every process ends at once, nothing is written out."""
        os.kill(self.pid(name), signal.SIGKILL)  # of process 1, and so all: pid_namespaces(7)
        at = time.monotonic()
        # Docker finds out by itself; asked, it answers when the machine is off for good,
        # and it wakes up a frozen machine so that it can die.
        self.docker.act(self.container(name), "kill", fine=(409,))
        return at

    def start(self, name: str) -> float:
        """Press the power button."""
        self.inspect(name)
        self.docker.act(self.container(name), "start")
        return time.monotonic()

    def freeze(self, name: str) -> float:
        """Stop the machine as if its kernel hung, its network included.

        Pausing alone is not enough: the kernel would go on answering ARP and TCP
        handshakes for it, and a VIP would seem to be alive.
        """
        veth = self.veth(name)
        self._link(veth, "down")
        self._pause(name, True)
        return time.monotonic()

    def thaw(self, name: str) -> float:
        """Let it go on where it was, network first, as a machine that wakes up finds it."""
        veth = self.veth(name)
        self._link(veth, "up")
        self._pause(name, False)
        return time.monotonic()

    def cut(self, name: str) -> float:
        """Pull the network cable; the machine sees that its link is down."""
        self._link(self.veth(name), "down")
        return time.monotonic()

    def heal(self, name: str) -> float:
        """Plug it in again."""
        self._link(self.veth(name), "up")
        return time.monotonic()

    def loss(self, name: str, percent: float) -> float:
        """Lose that share of all packets to and from a machine; 0 ends it."""
        if not 0 <= percent <= 100:
            raise LabError(f"{percent:g} % of the packets can't be lost", "", "give 0 to 100")
        veth = self.veth(name)
        rules = loss_rules(veth, percent)
        run(self.nsenter(["nft", "-f", "-"]), stdin=rules)
        return time.monotonic()

    def end_losses(self) -> None:
        """Delete what `loss` made: in the machine's own network it would outlive the lab."""
        for table in loss_tables(run(self.nsenter(["nft", "list", "tables", "netdev"]))):
            run(self.nsenter(["nft", "delete", "table", "netdev", table]))

    def fill_disk(self, name: str) -> float:
        """Fill the disk under a machine's etcd to the last block."""
        self._disk(name).fill()
        return time.monotonic()

    def free_disk(self, name: str) -> float:
        """Make room on it again."""
        self._disk(name).free()
        return time.monotonic()

    def logs(self, folder: Path) -> None:
        """Copy all logs of all machines into a folder, in whatever state they are."""
        collect(self, folder)

    def veth(self, name: str) -> str:
        """The lab's end of a machine's cable."""
        file = Path(f"/proc/{self.pid(name)}/root/sys/class/net/eth0/iflink")
        try:
            index = file.read_text().strip()
        except OSError as error:
            raise LabError(f"{name} has no network interface eth0", str(error)) from error
        links = run(self.nsenter(["ip", "-o", "link"]))
        found = re.search(rf"^{index}: ([^@:]+)[@:]", links, re.MULTILINE)
        if found is None:
            raise LabError(f"the other end of {name}'s cable is not in this namespace")
        return found.group(1)

    def state(self, name: str) -> str:
        """One word: up, frozen, cut, off, or missing."""
        found = self.docker.inspect(self.container(name))
        if not found:
            return "missing"
        if not found["State"]["Running"]:
            return "off"
        if found["State"]["Paused"]:
            return "frozen"
        shown = subprocess.run(
            self.nsenter(["ip", "-o", "link", "show", "up"]),
            capture_output=True,
            text=True,
            check=False,
        )
        return "up" if f" {self.veth(name)}@" in shown.stdout else "cut"

    def _pause(self, name: str, wanted: bool) -> None:
        if self.inspect(name)["State"]["Paused"] != wanted:
            self.docker.act(self.container(name), "pause" if wanted else "unpause")

    def _link(self, veth: str, to: str) -> None:
        run(self.nsenter(["ip", "link", "set", veth, to]))

    def _disk(self, name: str) -> Disk:
        return Disk(self.paths.state, self.machine(name).name)


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
