"""What can happen to a VM, and to its cables, its clock and the switch."""

import os
import signal
import time
from pathlib import Path

from homelab.lab.errors import LabError
from homelab.lab.faults import Lab, loss_rules, wrong_percent
from homelab.lab.plan import LEGS
from homelab.lab.vms import qmp
from homelab.lab.vms.libvirt import Libvirt
from homelab.lab.vms.logs import collect
from homelab.lab.vms.switch import Switch

START_PATIENCE = 20.0  # seconds until libvirt knows that a machine has died


class Vms(Lab):
    """A lab whose machines are VMs."""

    kind = "a VM"

    def __init__(self, name: str | None = None) -> None:
        """Open the lab of that name (or HOMELAB_LAB's); it may be down."""
        super().__init__(name)
        self.libvirt = Libvirt(self.paths)
        self.switch = Switch(self.paths)

    def environment(self) -> dict[str, str]:
        """For `virsh`, `ovs-vsctl` and `ovs-appctl` as well."""
        return {
            **super().environment(),
            **self.libvirt.environment(),
            **self.switch.environment(),
        }

    def reached_at(self, name: str) -> str:
        """On the management network, which no fault cuts."""
        return self.machine(name).management

    def alive(self) -> bool:
        """Whether libvirt answers."""
        return self.libvirt.alive()

    def state(self, name: str) -> str:
        """By QEMU's word, and the switch's."""
        machine = self.machine(name)
        if not self.libvirt.pid(name):
            return "off" if self.libvirt.defined(name).exists() else "missing"
        if self._qemu(name, "query-status")["status"] == "paused":
            return "frozen"
        return "up" if {*machine.taps} & self.switch.links_up() else "cut"

    def made(self, name: str) -> float:
        """When libvirt was told of it."""
        return self.libvirt.defined(self.machine(name).name).stat().st_mtime

    def pid(self, name: str) -> int:
        """The process id of its QEMU."""
        if pid := self.libvirt.pid(self.machine(name).name):
            return pid
        raise LabError(f"{name} is off", "", f"switch it on with `lab start {name}`")

    def addresses(self, name: str) -> str:
        """Asked of the machine itself; a frozen one can't answer."""
        if self.state(name) not in ("up", "cut"):
            return ""
        return self.ssh(name, "ip -4 -o address", timeout=20).stdout

    def kill(self, name: str) -> float:
        """QEMU is killed."""
        os.kill(self.pid(name), signal.SIGKILL)
        at = time.monotonic()
        while self.libvirt.pid(name):
            time.sleep(0.01)
        return at

    def start(self, name: str) -> float:
        """It boots, with its disk as it was and its cables as they are."""
        machine, deadline = self.machine(name), time.monotonic() + START_PATIENCE
        while not self.libvirt.pid(name):
            try:
                self.libvirt.virsh("start", self.libvirt.domain(name))
            except LabError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
        at, up = time.monotonic(), self.switch.links_up()
        for leg, tap in enumerate(machine.taps, start=1):
            if tap not in up:
                self._carrier(name, leg, False)
        return at

    def freeze(self, name: str) -> float:
        """Its CPUs stop, and with them all that its kernel answers; its links stay up."""
        self._qemu(name, "stop")
        return time.monotonic()

    def thaw(self, name: str) -> float:
        """Its clock has stood still meanwhile."""
        self._qemu(name, "cont")
        return time.monotonic()

    def cut(self, name: str) -> float:
        """All cables of its bond; the management network's stays."""
        return max(self.cut_leg(name, leg) for leg in range(1, LEGS + 1))

    def heal(self, name: str) -> float:
        """All cables of its bond, whatever they had."""
        return max(self.heal_leg(name, leg) for leg in range(1, LEGS + 1))

    def cut_leg(self, name: str, leg: int) -> float:
        """Its own end by QEMU, the switch's end by the kernel."""
        tap = self._tap(name, leg)
        if self.libvirt.pid(name):
            self._carrier(name, leg, False)
        self.switch.link(tap, "down")
        return time.monotonic()

    def silence_leg(self, name: str, leg: int) -> float:
        """The switch does not know the port any more."""
        self.switch.silence(self._tap(name, leg))
        return time.monotonic()

    def heal_leg(self, name: str, leg: int) -> float:
        """Both ends, and the port."""
        tap = self._tap(name, leg)
        self.switch.hear(self.machine(name), tap)
        self.switch.link(tap, "up")
        if self.libvirt.pid(name):
            self._carrier(name, leg, True)
        return time.monotonic()

    def restart_switch(self, off_s: float = 5.0) -> float:
        """Its links go down with it, and come back when it forwards."""
        up = self.switch.links_up()
        cables = [
            (machine.name, leg)
            for machine in self.machines()
            for leg, tap in enumerate(machine.taps, start=1)
            if tap in up and self.libvirt.pid(machine.name)
        ]
        for name, leg in cables:
            self._carrier(name, leg, False)
        self.switch.power_off()
        time.sleep(off_s)
        self.switch.power_on()
        for name, leg in cables:
            self._carrier(name, leg, True)
        return time.monotonic()

    def set_clock(self, name: str, seconds: float) -> float:
        """By clock_settime(2) on the machine."""
        moved = f"time.clock_settime(time.CLOCK_REALTIME, time.time() + {seconds!r})"
        done = self.run_on(name, f"python3 -c 'import time; {moved}'")
        if done.returncode:
            raise LabError(f"{name} does not set its clock", done.stderr.strip())
        return time.monotonic()

    def loss(self, name: str, percent: float) -> float:
        """A packet filter on its own bond: the switch has frames before the lab's kernel has."""
        if error := wrong_percent(percent):
            raise error
        script = f"nft -f - <<'END'\n{loss_rules('bond0', percent)}END"
        done = self.run_on(name, script)
        if done.returncode:
            raise LabError(f"{name} can't lose packets", done.stderr.strip(), "has it a bond0?")
        return time.monotonic()

    def logs(self, folder: Path) -> None:
        """Of a machine that is off or frozen: what its console showed."""
        collect(self, folder)

    def _carrier(self, name: str, leg: int, up: bool) -> None:
        self._qemu(name, "set_link", name=f"leg{leg}", up=up)

    def _qemu(self, machine: str, command: str, **arguments: object) -> dict[str, str]:
        self.pid(machine)
        answer: dict[str, str] = qmp.ask(self.libvirt.monitor(machine), command, **arguments)
        return answer

    def _tap(self, name: str, leg: int) -> str:
        if not 1 <= leg <= LEGS:
            raise LabError(f"{name} has no leg {leg}", "", f"they are 1 to {LEGS}")
        return self.machine(name).taps[leg - 1]
