"""A lab that is up, as other programs see it: its machines and the ways into them."""

import json
import shlex
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from homelab.lab import netns
from homelab.lab.errors import LabError
from homelab.lab.paths import REPO, Paths, default_name, ssh_key
from homelab.lab.plan import Machine

USER = "vagrant"
SSH_OPTIONS = (
    *("-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"),
    *("-o", "LogLevel=ERROR", "-o", "BatchMode=yes", "-o", "ConnectTimeout=5"),
    *("-o", "IdentitiesOnly=yes"),
)


@dataclass(frozen=True)
class Settings:
    """What `up` chose and everything else reads: machines.json."""

    image: str  # of the node containers, or the VMs' box
    machines: tuple[Machine, ...]
    bundle: str
    machines_own: bool = False  # the containers live in the machine's own Docker daemon
    provider: str = "docker"  # Vagrant's: "docker" (node containers) or "libvirt" (VMs)
    accel: str = ""  # what runs the VMs: "kvm" or "tcg"

    def write(self, path: Path, more: dict[str, object]) -> None:
        """Keep the settings, and `more` for the Vagrantfile."""
        path.parent.mkdir(parents=True, exist_ok=True)
        (path.parent.parent / ".gitignore").write_text("*\n")
        listed = [machine.as_json() for machine in self.machines]
        data = {**asdict(self), "machines": listed, **more}
        part = path.with_suffix(".part")
        part.write_text(json.dumps(data, indent=2) + "\n")
        part.rename(path)

    @classmethod
    def read(cls, path: Path) -> "Settings | None":
        """The settings of a lab; None if it was never up."""
        if not path.exists():
            return None
        data = json.loads(path.read_text())
        machines = tuple(
            Machine(entry["name"], entry["address"], tuple(entry["roles"]))
            for entry in data["machines"]
        )
        return cls(
            data["image"],
            machines,
            data.get("bundle", ""),
            data["machines_own"],
            data.get("provider", cls.provider),  # of an earlier version
            data.get("accel", cls.accel),
        )


class Access:
    """Find machines, run commands on them, and run commands beside them."""

    def __init__(self, name: str | None = None) -> None:
        """Open the lab of that name (or HOMELAB_LAB's); it may be down."""
        self.paths = Paths(name or default_name())
        self.settings = Settings.read(self.paths.machines_file)

    @property
    def name(self) -> str:
        """The lab's name."""
        return self.paths.name

    @property
    def machines_own(self) -> bool:
        """Whether the machines are the machine's own Docker daemon's."""
        return bool(self.settings and self.settings.machines_own)

    def environment(self) -> dict[str, str]:
        """For Vagrant and this package, run by hand in the lab's network."""
        state = self.paths.state / "vagrant"
        return {
            "HOMELAB_LAB": self.name,
            "VAGRANT_CWD": str(REPO),
            "VAGRANT_HOME": str(state),
            "VAGRANT_DOTFILE_PATH": str(state / self.name),
            "VAGRANT_CHECKPOINT_DISABLE": "1",
            "VAGRANT_DEFAULT_PROVIDER": self.settings.provider if self.settings else "docker",
        }

    def machines(self) -> tuple[Machine, ...]:
        """The lab's machines, whether they run or not."""
        if self.settings is None:
            raise LabError(f"there is no lab {self.name!r}", "", "make one with `lab up`")
        return self.settings.machines

    def machine(self, name: str) -> Machine:
        """One machine by its name."""
        for machine in self.machines():
            if machine.name == name:
                return machine
        known = ", ".join(machine.name for machine in self.machines())
        raise LabError(f"the lab {self.name!r} has no machine {name!r}", "", f"it has {known}")

    def reached_at(self, name: str) -> str:
        """The address at which the lab itself has SSH to a machine."""
        return self.machine(name).address

    def nsenter(self, argv: Sequence[str]) -> list[str]:
        """The command `argv` so that it reaches the lab's machines by their addresses."""
        return list(argv) if self.machines_own else netns.inside(self.paths.netns, argv)

    def ssh_argv(self, name: str, *command: str) -> list[str]:
        """The ssh command line to a machine, as run from the host."""
        target = f"{USER}@{self.reached_at(name)}"
        return self.nsenter(["ssh", *SSH_OPTIONS, "-i", str(ssh_key()), target, *command])

    def ssh(
        self, name: str, command: str, timeout: float = 60, stdin: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command on a machine by SSH, as the user that the deploy uses."""
        return self._run(name, self.ssh_argv(name, command), timeout, stdin)

    def run_on(
        self, name: str, script: str, timeout: float = 60, through: str = "ssh"
    ) -> subprocess.CompletedProcess[str]:
        """Run a shell script as root on a machine: by SSH, or `through="exec"` without the network
        that faults cut (VMs have one of their own for SSH)."""
        return self.ssh(name, "sudo sh -s", timeout, stdin=script)

    def _run(
        self, name: str, argv: list[str], timeout: float, stdin: str | None
    ) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                argv,
                input=stdin if stdin is not None else "",
                capture_output=True,
                text=True,
                errors="replace",
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise LabError(
                f"{name}: no answer within {timeout:g} s", shlex.join(argv[-1:])
            ) from error
