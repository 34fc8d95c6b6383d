"""The lab's own libvirt: in its network namespace, with all that it writes in the lab's folder.

Nothing of it can be moved by an option but its configuration and its process id, so it sees
/etc/libvirt, /var/lib/libvirt and the like in a mount namespace of its own, which ends with it.
"""

import functools
import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from homelab.lab import netns, processes
from homelab.lab.paths import Paths
from homelab.lab.plan import MANAGEMENT, MOST, Machine, machines
from homelab.lab.progress import step
from homelab.lab.shell import run

DAEMON = "libvirtd"
QEMU = "qemu-system-x86_64"
NETWORK = "homelab"
POOL = "default"  # Vagrant's name for it
PATIENCE = 60.0  # seconds; it asks each emulator on the machine what that can do
# A folder below the lab's, and what it is for libvirt. /run whole: no D-Bus, so no systemd either.
SEEN = {
    "run": "/run",
    "etc": "/etc/libvirt",
    "lib": "/var/lib/libvirt",
    "cache": "/var/cache/libvirt",
    "log": "/var/log/libvirt",
}
# `ip netns exec` has given us a mount namespace and a /sys of the network namespace, without
# control groups. /dev/kvm is taken away where no guest runs with it: QEMU would hang.
START = """
for pair in {pairs}; do mount --bind "${{pair%%:*}}" "${{pair#*:}}"; done
[ {kvm} = yes ] || [ ! -e /dev/kvm ] || mount --bind /dev/null /dev/kvm
exec libvirtd --config {folder}/etc/libvirtd.conf --pid-file {folder}/libvirtd.pid
"""
LIBVIRTD_CONF = """\
# Only root can reach the folder that the socket is in.
auth_unix_ro = "none"
auth_unix_rw = "none"
log_outputs = "3:stderr"
"""
QEMU_CONF = """\
# The guests are the lab's own. QEMU opens taps and a socket that libvirt does not know of, and its
# disks lie upon an image in a user's cache.
user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
security_driver = "none"
namespaces = []
cgroup_controllers = []
stdio_handler = "file"
"""


class Libvirt:
    """Start, ask and end the libvirt of one lab."""

    def __init__(self, paths: Paths) -> None:
        """Describe the libvirt of the lab at `paths`."""
        self.paths = paths
        self.folder = paths.libvirt
        self.socket = self.folder / "run/libvirt/libvirt-sock"

    def environment(self) -> dict[str, str]:
        """For `virsh` and Vagrant."""
        return {"LIBVIRT_DEFAULT_URI": f"qemu+unix:///system?socket={self.socket}"}

    def domain(self, machine: str) -> str:
        """What libvirt calls a machine."""
        return f"{self.paths.name}-{machine}"

    def defined(self, machine: str) -> Path:
        """The file in which libvirt keeps a machine."""
        return self.folder / "etc/qemu" / f"{self.domain(machine)}.xml"

    def monitor(self, machine: str) -> Path:
        """The socket of a machine's QEMU that is ours (libvirt has another)."""
        return self.paths.state / "qmp" / machine

    def pid(self, machine: str) -> int:
        """The process id of a machine's QEMU; 0 if it is off."""
        word = f"guest={self.domain(machine)},debug-threads=on"
        return next((pid for pid in processes.running() if self._is(pid, QEMU, word)), 0)

    def start(self, kvm: bool) -> None:
        """Start it if it does not run, with its network and its pool of disks."""
        if not self.alive():
            with step("start the lab's libvirt"):
                self._start(kvm)
        if NETWORK not in self.virsh("net-list", "--all", "--name").split():
            text = self.folder / "network.xml"
            text.write_text(network(machines(MOST, MOST)))
            self.virsh("net-define", text)
        if NETWORK not in self.virsh("net-list", "--name").split():
            self.virsh("net-start", NETWORK)
        if POOL not in self.virsh("pool-list", "--all", "--name").split():
            self.virsh("pool-define-as", POOL, "dir", "--target", self.paths.pool)
        if POOL not in self.virsh("pool-list", "--name").split():
            self.virsh("pool-start", POOL)

    def virsh(self, *words: str | Path) -> str:
        """Ask libvirt."""
        return run(["virsh", "--quiet", *words], env=self.environment())

    def power_off_all(self) -> None:
        """Every machine at once."""
        processes.end(lambda pid: self._is(pid, QEMU), 9)

    def stop(self) -> None:
        """End it, its network's DHCP server, and what is left of machines."""
        self.power_off_all()
        processes.end(lambda pid: self._is(pid, DAEMON))
        processes.end(functools.partial(self._is, program="dnsmasq"))

    def _start(self, kvm: bool) -> None:
        if not any(self._is(pid, QEMU) for pid in processes.running()):
            shutil.rmtree(self.folder / "run", ignore_errors=True)  # of before a crash
        for name in SEEN:
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self.paths.pool.mkdir(exist_ok=True)
        (self.paths.state / "qmp").mkdir(exist_ok=True)
        (self.folder / "etc/libvirtd.conf").write_text(LIBVIRTD_CONF)
        (self.folder / "etc/qemu.conf").write_text(QEMU_CONF)
        log = self.paths.logs / "libvirtd.log"
        processes.start_daemon(
            "the lab's libvirt does not start", self.argv(kvm), log, self.alive, PATIENCE
        )

    def argv(self, kvm: bool) -> list[str]:
        """The daemon's command line."""
        pairs = " ".join(f"{self.folder / name}:{seen}" for name, seen in SEEN.items())
        script = START.format(pairs=pairs, folder=self.folder, kvm="yes" if kvm else "no")
        return ["ip", "netns", "exec", self.paths.netns, "sh", "-euc", script]

    def alive(self) -> bool:
        """Whether it answers."""
        if not self.socket.exists():
            return False
        asked = ["virsh", "--quiet", "uri"]
        env = {**os.environ, **self.environment()}
        return subprocess.run(asked, capture_output=True, env=env, check=False).returncode == 0

    def _is(self, pid: int, program: str, word: str = "") -> bool:
        """Whether a process is a program of this lab (with that word on its command line)."""
        line = processes.words(pid)
        found = bool(line) and Path(line[0]).name == program and (not word or word in line)
        return found and processes.in_netns(pid, netns.path(self.paths.netns))


def network(known: Iterable[Machine]) -> str:
    """The management network: each machine has an address of its own on it, by DHCP."""
    hosts = "\n".join(
        f"      <host mac='{m.management_mac}' name='{m.name}' ip='{m.management}'/>" for m in known
    )
    return f"""\
<network>
  <name>{NETWORK}</name>
  <bridge name='management' stp='off' delay='0'/>
  <ip address='{MANAGEMENT[1]}' netmask='{MANAGEMENT.netmask}'>
    <dhcp>
      <range start='{MANAGEMENT[100]}' end='{MANAGEMENT[199]}'/>
{hosts}
    </dhcp>
  </ip>
</network>
"""
