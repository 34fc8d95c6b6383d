"""Run the project's own deploy on the lab's machines, from inside of the lab's network."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from homelab.lab.errors import LabError
from homelab.lab.faults import Lab
from homelab.lab.paths import REPO, ssh_key
from homelab.lab.progress import say

INVENTORY = "inventories/lab.py"
CLUSTER = "deploys/cluster.py"
ON_FRESH_MACHINES = "about 2 minutes on fresh machines"


def environment(lab: Lab) -> dict[str, str]:
    """What `inventories/lab.py` reads."""
    planes = sum("control-plane" in machine.roles for machine in lab.machines())
    return {
        "HOMELAB_LAB": lab.name,
        "HOMELAB_CONTROL_PLANES": str(planes),
        "HOMELAB_WORKERS": str(len(lab.machines()) - planes),
        "HOMELAB_SSH_KEY": str(ssh_key()),
        "HOMELAB_BUNDLE": lab.settings.bundle if lab.settings else "",
        "HOMELAB_PROVIDER": lab.settings.provider if lab.settings else "",
        "HOMELAB_SLOW": "1" if lab.settings and lab.settings.accel == "tcg" else "",
        "PYTHONPATH": str(REPO),
    }


def pyinfra(lab: Lab, deploy: str, *options: str) -> list[str]:
    """The command line of a deploy."""
    beside = Path(sys.executable).with_name("pyinfra")
    program = [str(beside)] if beside.exists() else [sys.executable, "-m", "pyinfra"]
    return lab.nsenter([*program, INVENTORY, deploy, "-y", *options])


def timings(lab: Lab) -> Path:
    """Where the deploy keeps how long its phases took."""
    return REPO / ".homelab" / lab.name / "timings.json"


def forecast(kept: Path, made: float) -> str:
    """How long a deploy will take, by the last one on machines that were made at ``made``."""
    try:
        if kept.stat().st_mtime > made:
            return f"the last one took {json.loads(kept.read_text())['total']:.0f} s"
    except (OSError, ValueError, KeyError):  # never deployed; or a run died while it wrote
        pass
    return ON_FRESH_MACHINES


def deploy(lab: Lab, *options: str) -> None:
    """Build the cluster on the machines; a second run changes nothing."""
    say(f"deploy ({forecast(timings(lab), lab.made(lab.machines()[0].name))})")
    started = time.monotonic()
    done = subprocess.run(
        pyinfra(lab, CLUSTER, *options),
        env={**os.environ, **environment(lab)},
        cwd=REPO,
        check=False,
    )
    took = f"{time.monotonic() - started:.0f} s"
    if done.returncode != 0:
        then = f"mend it and run the deploy again; logs: lab logs --name {lab.name}"
        raise LabError(f"the deploy failed after {took}", "its own last lines say why", then)
    say(f"deployed in {took}; look at it: lab status --name {lab.name}")
