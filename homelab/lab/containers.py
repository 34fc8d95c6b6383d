"""Node containers: each machine is a container with systemd as its first process."""

import os
import re
import signal
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from homelab.lab.daemon import Daemon
from homelab.lab.disks import Disk
from homelab.lab.errors import LabError
from homelab.lab.faults import Lab, loss_rules, loss_tables, wrong_percent
from homelab.lab.logs import collect
from homelab.lab.shell import run


class Containers(Lab):
    """A lab whose machines are containers of a Docker daemon."""

    kind = "a node container"

    def __init__(self, name: str | None = None) -> None:
        """Open the lab of that name (or HOMELAB_LAB's); it may be down."""
        super().__init__(name)
        self.daemon = Daemon(self.paths, self.machines_own)
        self.docker = self.daemon.docker

    def environment(self) -> dict[str, str]:
        """For Docker as well."""
        return {**self.daemon.environment(), **super().environment()}

    def alive(self) -> bool:
        """Whether the daemon answers."""
        return self.docker.alive()

    def container(self, name: str) -> str:
        """The name of a machine's container."""
        return f"{self.name}-{self.machine(name).name}"

    def inspect(self, name: str) -> dict[str, Any]:
        """What Docker knows of a machine."""
        found = self.docker.inspect(self.container(name))
        if not found:
            raise LabError(f"{name} has not been made yet", "", "make it with `lab up`")
        return found

    def pid(self, name: str) -> int:
        """The host's process id of a machine's systemd."""
        pid = int(self.inspect(name)["State"]["Pid"])
        if pid == 0:
            raise LabError(f"{name} is off", "", f"switch it on with `lab start {name}`")
        return pid

    def made(self, name: str) -> float:
        """By Docker's word."""
        created: str = self.inspect(name)["Created"]  # UTC, to the nanosecond
        return datetime.fromisoformat(created[:19]).replace(tzinfo=UTC).timestamp()

    def addresses(self, name: str) -> str:
        """Asked of the host's kernel: a frozen machine can't lie."""
        try:
            pid = self.pid(name)
        except LabError:
            return ""
        return _said(["nsenter", f"--net=/proc/{pid}/ns/net", "ip", "-4", "-o", "address"])

    def run_on(
        self, name: str, script: str, timeout: float = 60, through: str = "ssh"
    ) -> subprocess.CompletedProcess[str]:
        """`through="exec"` is Docker's."""
        if through == "ssh":
            return super().run_on(name, script, timeout)
        docker = ["docker", "exec", "--interactive", self.container(name), "sh", "-s"]
        host = [f"{key}={value}" for key, value in self.daemon.environment().items()]
        return self._run(name, ["env", *host, *docker], timeout, script)

    def kill(self, name: str) -> float:
        """Its first process dies, and so all: pid_namespaces(7)."""
        os.kill(self.pid(name), signal.SIGKILL)
        at = time.monotonic()
        # Docker finds out by itself; asked, it answers when the machine is off for good,
        # and it wakes up a frozen machine so that it can die.
        self.docker.act(self.container(name), "kill", fine=(409,))
        return at

    def start(self, name: str) -> float:
        """The same container again, with its disk as it was."""
        self.inspect(name)
        self.docker.act(self.container(name), "start")
        return time.monotonic()

    def freeze(self, name: str) -> float:
        """Pausing alone is not enough: the kernel would go on answering ARP and TCP
        handshakes for it, and a VIP would seem to be alive."""
        veth = self.veth(name)
        self._link(veth, "down")
        self._pause(name, True)
        return time.monotonic()

    def thaw(self, name: str) -> float:
        """Its cable, then its processes."""
        veth = self.veth(name)
        self._link(veth, "up")
        self._pause(name, False)
        return time.monotonic()

    def cut(self, name: str) -> float:
        """A container has one cable."""
        self._link(self.veth(name), "down")
        return time.monotonic()

    def heal(self, name: str) -> float:
        """Its one cable."""
        self._link(self.veth(name), "up")
        return time.monotonic()

    def loss(self, name: str, percent: float) -> float:
        """A packet filter on the lab's end of its cable."""
        if error := wrong_percent(percent):
            raise error
        veth = self.veth(name)
        rules = loss_rules(veth, percent)
        run(self.nsenter(["nft", "-f", "-"]), stdin=rules)
        return time.monotonic()

    def end_losses(self) -> None:
        """Delete what `loss` made: in the machine's own network it would outlive the lab."""
        for table in loss_tables(run(self.nsenter(["nft", "list", "tables", "netdev"]))):
            run(self.nsenter(["nft", "delete", "table", "netdev", table]))

    def fill_disk(self, name: str) -> float:
        """Etcd's disk is a small one of its own."""
        self._disk(name).fill()
        return time.monotonic()

    def free_disk(self, name: str) -> float:
        """Make room on it again."""
        self._disk(name).free()
        return time.monotonic()

    def logs(self, folder: Path) -> None:
        """Their disks can be read whatever state they are in."""
        collect(self.docker, self, folder)

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
        """By Docker's word, and its cable's."""
        found = self.docker.inspect(self.container(name))
        if not found:
            return "missing"
        if not found["State"]["Running"]:
            return "off"
        if found["State"]["Paused"]:
            return "frozen"
        shown = _said(self.nsenter(["ip", "-o", "link", "show", "up"]))
        return "up" if f" {self.veth(name)}@" in shown else "cut"

    def _pause(self, name: str, wanted: bool) -> None:
        if self.inspect(name)["State"]["Paused"] != wanted:
            self.docker.act(self.container(name), "pause" if wanted else "unpause")

    def _link(self, veth: str, to: str) -> None:
        run(self.nsenter(["ip", "link", "set", veth, to]))

    def _disk(self, name: str) -> Disk:
        return Disk(self.paths.state, self.machine(name).name)


def _said(argv: list[str]) -> str:
    """What a command printed, whether it failed or not."""
    return subprocess.run(argv, capture_output=True, text=True, check=False).stdout
