"""The switch of the VMs: Open vSwitch in the lab's network namespace, an LACP group for each VM.

Its datapath is its own (`netdev`), so no kernel module is needed. Each cable is a persistent tap:
it keeps its place in the switch while its VM is off, and reads as unplugged meanwhile.
"""

import functools
import signal
from collections.abc import Iterable
from pathlib import Path

from homelab.lab import netns, processes
from homelab.lab.paths import Paths
from homelab.lab.plan import GATEWAY, MOST, SUBNET, Machine
from homelab.lab.plan import machines as plan_of_all
from homelab.lab.progress import step
from homelab.lab.shell import run

BRIDGE = "switch"  # also the controller's own port
SCHEMA = Path("/usr/share/openvswitch/vswitch.ovsschema")
DATABASE, FORWARDING, LEASES = "ovsdb-server", "ovs-vswitchd", "dnsmasq"
# What a machine's ports can be (`homelab.site.bonding.partner`), by ovs-vswitchd.conf.db(5).
# "lacp": a silent partner is out after three seconds; a port whose partner speaks no LACP (a box
# that nobody has configured yet) still works alone. "static": Open vSwitch's nearest to one; it
# takes broadcasts from one leg only.
GROUPS = {
    "lacp": (
        *("lacp=active", "bond_mode=balance-tcp"),
        *("other_config:lacp-time=fast", "other_config:lacp-fallback-ab=true"),
    ),
    "static": ("lacp=off", "bond_mode=balance-slb"),
}


class Switch:
    """Start, stop and hurt the switch of one lab."""

    def __init__(self, paths: Paths) -> None:
        """Describe the switch of the lab at `paths`."""
        self.paths = paths
        self.folder = paths.switch

    def environment(self) -> dict[str, str]:
        """For `ovs-vsctl`, `ovs-appctl` and the daemons."""
        folders = ("OVS_RUNDIR", "OVS_LOGDIR", "OVS_DBDIR", "OVS_SYSCONFDIR")
        return dict.fromkeys(folders, str(self.folder))

    def start(self, machines: Iterable[Machine]) -> None:
        """Start what does not run, and plug the machines in that are not."""
        wanted = tuple(machines)
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self._running(DATABASE):
            with step("start the switch"):
                self._start_database()
        if not self._running(FORWARDING):
            self.power_on()
        if not self._running(f"--interface={BRIDGE}"):
            self._lease(plan_of_all(MOST, MOST))
        plugged = self._vsctl("list-ports", BRIDGE).split()
        for machine in wanted:
            if self._lay_cables(machine) or not {machine.name, *machine.taps} & {*plugged}:
                self.bundle(machine, "lacp")
        kept = {name for machine in wanted for name in (machine.name, *machine.taps)}
        for name in {*plugged} - kept:
            self._vsctl("--if-exists", "del-port", BRIDGE, name)

    def power_on(self) -> None:
        """Let it forward, with the ports that it had."""
        self._daemon(FORWARDING, f"unix:{self.folder / 'db.sock'}")
        datapath = ("--", "set", "bridge", BRIDGE, "datapath_type=netdev")
        self._vsctl("--may-exist", "add-br", BRIDGE, *datapath)
        self._inside("ip", "address", "replace", f"{GATEWAY}/{SUBNET.prefixlen}", "dev", BRIDGE)
        self._inside("ip", "link", "set", BRIDGE, "up")
        # A tap must not answer for the controller's address, which is the bridge's.
        self._inside("sh", "-c", "echo 1 >/proc/sys/net/ipv4/conf/all/arp_ignore")
        # Checksums that a card would fill in arrive empty: nothing is a card here.
        self._inside("ethtool", "--offload", BRIDGE, "tx", "off")

    def power_off(self) -> None:
        """It stops at once, in the middle of a frame."""
        processes.end(lambda pid: self._is(pid, FORWARDING), signal.SIGKILL)

    def stop(self) -> None:
        """End all of it."""
        for word in (f"--interface={BRIDGE}", FORWARDING, DATABASE):
            processes.end(functools.partial(self._is, word=word))

    def link(self, tap: str, to: str) -> None:
        """Set the switch's end of a cable "up" or "down"."""
        self._inside("ip", "link", "set", tap, to)

    def links_up(self) -> set[str]:
        """The taps whose switch's end is not pulled."""
        shown = self._inside("ip", "-o", "link", "show", "up")
        return {line.split(": ")[1].partition("@")[0] for line in shown.splitlines()}

    def bundle(self, machine: Machine, kind: str) -> None:
        """Make a machine's ports a group, "lacp" or "static"; or three ports, "none"."""
        words = ["--if-exists", "del-port", BRIDGE, machine.name]
        for tap in machine.taps:
            words += ["--", "--if-exists", "del-port", BRIDGE, tap]
        if kind == "none":
            for tap in machine.taps:
                words += ["--", "add-port", BRIDGE, tap]
        else:
            words += ["--", "add-bond", BRIDGE, machine.name, *machine.taps, *GROUPS[kind]]
        self._vsctl(*words)

    def silence(self, tap: str) -> None:
        """Forward nothing from or to a cable, LACP included; its link stays up."""
        alone = ("--if-exists", "del-port", BRIDGE, tap)
        self._vsctl(*alone, "--", "--if-exists", "del-bond-iface", tap)

    def hear(self, machine: Machine, tap: str) -> None:
        """Forward again."""
        if machine.name in self._vsctl("list-ports", BRIDGE).split():
            back = ("--may-exist", "add-bond-iface", machine.name, tap)
            self._vsctl("--if-exists", "del-port", BRIDGE, tap, "--", *back)
        else:
            self._vsctl("--may-exist", "add-port", BRIDGE, tap)

    def regroup(self, tap: str) -> None:
        """Put a cable into an LACP group of its own: the same switch, another key."""
        alone = ("add-port", BRIDGE, tap, "lacp=active", "other_config:lacp-time=fast")
        self._vsctl("del-bond-iface", tap, "--", *alone)

    def announce(self, machine: Machine) -> None:
        """Say by LLDP on each of a machine's cables which port it is in."""
        for tap in machine.taps:
            self._vsctl("set", "interface", tap, "lldp:enable=true")

    def plug(self, name: str, mac: str | None = None, vlan: int | None = None) -> None:
        """A port of its own for the lab's side: another machine, or the gateway of a VLAN."""
        port = ["--may-exist", "add-port", BRIDGE, name, *([f"tag={vlan}"] if vlan else [])]
        own = ["type=internal", *([f'mac="{mac}"'] if mac else [])]
        self._vsctl(*port, "--", "set", "interface", name, *own)
        self._inside("ip", "link", "set", name, "up")
        self._inside("ethtool", "--offload", name, "tx", "off")

    def unplug(self, name: str) -> None:
        """Take such a port away."""
        self._vsctl("--if-exists", "del-port", BRIDGE, name)

    def gateway(self, port: str) -> None:
        """Let the gateway's address be on a port of the lab's side; BRIDGE is where it was."""
        address = f"{GATEWAY}/{SUBNET.prefixlen}"
        for line in self._inside("ip", "-4", "-o", "address").splitlines():
            if f" {address} " in line:
                self._inside("ip", "address", "del", address, "dev", line.split()[1])
        self._inside("ip", "address", "replace", address, "dev", port)

    def _start_database(self) -> None:
        database = self.folder / "conf.db"
        if not database.exists():
            part = database.with_suffix(".part")
            part.unlink(missing_ok=True)
            run(["ovsdb-tool", "create", part, SCHEMA])
            part.rename(database)
        self._daemon(DATABASE, str(database), f"--remote=punix:{self.folder / 'db.sock'}")
        self._vsctl("--no-wait", "init")

    def _lay_cables(self, machine: Machine) -> bool:
        """Make a machine's taps that are not there; say if there were any."""
        there = self._inside("ip", "-o", "link")
        missing = [tap for tap in machine.taps if f": {tap}: " not in there]
        for tap in missing:
            # QEMU has no capabilities, so its user has to own the tap.
            self._inside("ip", "tuntap", "add", "dev", tap, "mode", "tap", "user", "root")
            # The namespace's own kernel takes no part in what the switch forwards.
            self._inside("ip", "link", "set", tap, "addrgenmode", "none", "up")
            self._inside("ethtool", "--offload", tap, "tx", "off")
        return bool(missing)

    def _lease(self, machines: tuple[Machine, ...]) -> None:
        """Give addresses to machines that ask for one on any of their legs."""
        self._inside(
            *(LEASES, "--conf-file=/dev/null", "--user=root", "--group=root"),
            *("--port=0", "--no-hosts", "--no-resolv", "--dhcp-authoritative"),
            *(f"--interface={BRIDGE}", "--bind-dynamic", f"--dhcp-range={SUBNET[0]},static"),
            *(f"--dhcp-host={','.join(m.leg_macs)},{m.leased}" for m in machines),
            f"--dhcp-leasefile={self.folder / 'leases'}",
            f"--pid-file={self.folder / 'dnsmasq.pid'}",
            f"--log-facility={self.folder / 'dnsmasq.log'}",
        )

    def _daemon(self, program: str, *words: str) -> None:
        """Start one of Open vSwitch's; it comes back when the daemon is ready."""
        log = f"--log-file={self.folder / program}.log"
        self._inside(program, *words, "--detach", "--pidfile", log)

    def _vsctl(self, *words: str) -> str:
        return self._inside("ovs-vsctl", "--timeout=20", *words)

    def _inside(self, *argv: str) -> str:
        return run(netns.inside(self.paths.netns, argv), env=self.environment())

    def _running(self, word: str) -> bool:
        return any(self._is(pid, word) for pid in processes.running())

    def _is(self, pid: int, word: str) -> bool:
        """Whether a process is a program of this switch, or has that word on its command line."""
        line = processes.words(pid)
        found = word in line or (bool(line) and Path(line[0]).name == word)
        return found and processes.in_netns(pid, netns.path(self.paths.netns))
