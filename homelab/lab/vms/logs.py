"""The logs of VMs: by SSH of those that answer, and of all what their consoles showed."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from homelab.lab.faults import Lab
from homelab.lab.logs import PODS, of_disk
from homelab.lab.progress import say, step

PATIENCE = 120.0  # seconds; an emulated machine takes a while to read its journal
TAR = f"sudo tar -C /var -cf - --ignore-failed-read log/journal {PODS}"


def console(lab: Lab, name: str) -> Path:
    """Where a machine's first serial port writes to."""
    return lab.paths.logs / f"{name}-console.log"


def collect(lab: Lab, dest: Path) -> None:
    """Write `<dest>/<machine>/…`, and the lab's own logs and the consoles to `<dest>/lab/`."""
    with step(f"collect the logs in {dest}"):
        dest.mkdir(parents=True, exist_ok=True)
        if lab.paths.logs.is_dir():
            shutil.copytree(lab.paths.logs, dest / "lab", dirs_exist_ok=True)
        for machine in lab.machines():
            if lab.state(machine.name) in ("up", "cut"):
                _by_ssh(lab, machine.name, dest / machine.name)


def _by_ssh(lab: Lab, name: str, dest: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="homelab-logs-") as folder:
        tar = Path(folder, "var.tar")
        try:
            with tar.open("wb") as file:
                subprocess.run(lab.ssh_argv(name, TAR), stdout=file, timeout=PATIENCE, check=False)
        except subprocess.TimeoutExpired:
            say(f"{name} does not hand out its logs; its console's are there")
        unpack = ["tar", "-C", folder, "--no-same-owner", "-xf", str(tar)]
        subprocess.run(unpack, capture_output=True, check=False)  # of what came
        of_disk(Path(folder), dest)
