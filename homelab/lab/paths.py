"""Where the lab keeps things: a cache that outlives labs, a state folder that dies with one."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from homelab.lab.errors import LabError

REPO = Path(__file__).resolve().parents[2]
NAME = re.compile(r"[a-z][a-z0-9-]{0,14}")  # it becomes a network namespace and a cgroup


def cache_root() -> Path:
    """Artefacts and node images, keyed by the hash of their inputs; safe to delete."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "homelab"


def state_root() -> Path:
    """The labs' own folders. Must be on a disk: Docker's overlay can't lie on an overlay."""
    return Path(os.environ.get("HOMELAB_STATE_DIR") or "/var/lib/homelab-lab")


def default_name() -> str:
    """The lab that is meant when none is named."""
    return os.environ.get("HOMELAB_LAB") or "lab"


@dataclass(frozen=True)
class Paths:
    """Everything one lab writes, by its name; all but `.lab/` lies in one folder."""

    name: str

    def __post_init__(self) -> None:
        """Refuse a name that could not be a namespace or could leave the folder."""
        if not NAME.fullmatch(self.name):
            why = "use a letter, then up to 14 small letters, digits or dashes"
            raise LabError(f"{self.name!r} can't be a lab's name", why)

    @property
    def state(self) -> Path:
        """This lab's folder: daemon, disks, Vagrant's data, logs."""
        return state_root() / self.name

    @property
    def logs(self) -> Path:
        """What the lab's own programs printed."""
        return self.state / "logs"

    @property
    def socket(self) -> Path:
        """The lab's Docker daemon listens here."""
        return self.state / "docker.sock"

    @property
    def netns(self) -> str:
        """The network namespace all of the lab lives in."""
        return f"homelab-{self.name}"

    @property
    def cgroup(self) -> str:
        """The control group all of the lab's containers live in."""
        return f"/homelab-lab-{self.name}"

    @property
    def libvirt(self) -> Path:
        """What the lab's own libvirt takes for /run, /etc/libvirt and so on."""
        return self.state / "libvirt"

    @property
    def pool(self) -> Path:
        """The VMs' disks."""
        return self.state / "pool"

    @property
    def switch(self) -> Path:
        """Open vSwitch's database, sockets and logs."""
        return self.state / "switch"

    @property
    def seen_by_vagrant(self) -> Path:
        """What the Vagrantfile reads: machines, image, key."""
        return REPO / ".lab" / self.name

    @property
    def machines_file(self) -> Path:
        """The machines of this lab as JSON."""
        return self.seen_by_vagrant / "machines.json"


def ssh_key() -> Path:
    """The private key of every lab of this user; its public half is in the node image."""
    return cache_root() / "ssh" / "id_ed25519"
