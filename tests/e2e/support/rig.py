"""The lab under test, the site it stands for, and the way commands reach both."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from homelab.lab import Lab
from homelab.lab.deploy import environment
from homelab.lab.paths import REPO
from homelab.lab.vms.faults import Vms
from homelab.probe.access import Access, from_kubeconfig
from homelab.probe.api import Api
from homelab.site import Site, derived, load_site

INVENTORY = "inventories/lab.py"
CLONE_NEWNET = 0x40000000  # sched.h


class OnMachineError(Exception):
    """A command on a machine failed; tells machine, command and what it said."""


@dataclass
class Rig:
    """One lab and everything that belongs to this run of the suite."""

    lab: Lab
    folder: Path  # what this run writes: outputs, probes' lines, logs
    changes: dict[str, str] = field(default_factory=dict)  # of the inventory's settings

    @property
    def on_vms(self) -> bool:
        return isinstance(self.lab, Vms)

    @property
    def emulated(self) -> bool:
        """Every process start of its machines takes thirty times as long."""
        return bool(self.lab.settings and self.lab.settings.accel == "tcg")

    @property
    def environment(self) -> dict[str, str]:
        """What ``inventories/lab.py`` reads."""
        return environment(self.lab) | self.changes

    @contextmanager
    def setting(self, **changes: str) -> Iterator[None]:
        """Another site for a while, by the inventory's own settings (HOMELAB_…)."""
        before = dict(self.changes)
        self.changes.update(changes)
        try:
            yield
        finally:
            self.changes = before

    @property
    def site(self) -> Site:
        """The site as declared under the present environment."""
        return self.declared(INVENTORY)

    def declared(self, inventory: str | Path) -> Site:
        """The site of an inventory that starts from the lab's."""
        os.environ.update(self.environment)
        return load_site(REPO / inventory)

    @property
    def vip(self) -> str:
        return self.site.api.vip

    @property
    def port(self) -> int:
        return derived.balanced_port(self.site)

    @property
    def control_planes(self) -> list[str]:
        return [machine.name for machine in derived.control_planes(self.site)]

    @property
    def workers(self) -> list[str]:
        return [machine.name for machine in derived.workers(self.site)]

    @property
    def nodes(self) -> list[str]:
        return [machine.name for machine in derived.nodes(self.site)]

    def unique(self, run: str) -> str:
        """A name for what a run writes that no earlier session on the same lab has used."""
        return f"{run}-{self.folder.name.rpartition('-')[2]}"

    def address(self, name: str) -> str:
        return derived.machine(self.site, name).address

    @property
    def kubeconfig(self) -> Path:
        """The admin's, as the deploy hands it out."""
        return REPO / derived.out_folder(self.site) / "admin.conf"

    @property
    def access(self) -> Access:
        return from_kubeconfig(self.kubeconfig)

    def api(self, timeout: float = 10.0) -> Api:
        """A small client that goes through the VIP."""
        return Api(self.access, self.vip, connect_timeout=2.0, timeout=timeout)

    def root(self, name: str, script: str, timeout: float = 60.0) -> str:
        """What a shell script printed as root on a machine; OnMachineError if it failed."""
        done = self.lab.run_on(name, script, timeout)
        if done.returncode:
            said = (done.stderr or done.stdout).strip()[-500:]
            raise OnMachineError(f"{name}: rc {done.returncode}: {script.strip()[:200]}: {said}")
        return done.stdout

    def on_network_of(self, name: str, argv: Sequence[str]) -> list[str]:
        """The command ``argv`` as a program of the controller's that uses a machine's network."""
        return ["nsenter", f"--net=/proc/{self.lab.pid(name)}/ns/net", "--", *argv]


@contextmanager
def network_of(lab: Lab) -> Iterator[None]:
    """Move this process, and so all that it starts, into the lab's network namespace, and back.

    setns(2); os.setns exists from Python 3.12 only. Must be entered before any thread is started,
    as only the calling thread and its children move.
    """
    if lab.machines_own:
        yield
        return
    with Path("/proc/self/ns/net").open() as home:
        _enter(Path(f"/run/netns/{lab.paths.netns}"))
        try:
            yield
        finally:
            _enter(Path(f"/proc/self/fd/{home.fileno()}"))


def _enter(namespace: Path) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    with namespace.open() as file:
        if libc.setns(file.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"can't enter {namespace}; are you root?")
