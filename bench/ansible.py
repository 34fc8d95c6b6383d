"""ansible-core over the same machines as a no-op: the measure for our own no-op."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.cluster import log_file, measured
from bench.errors import BenchError
from bench.figures import Figures
from homelab.lab import Lab
from homelab.lab.deploy import INVENTORY, environment
from homelab.lab.paths import REPO


def noop(lab: Lab, repeats: int) -> list[Figures]:
    """Runs of the playbook that change nothing; one before them is not counted."""
    with tempfile.TemporaryDirectory() as folder:
        write = [sys.executable, "-m", "bench.playbook", INVENTORY, folder]
        env = {**os.environ, **environment(lab)}
        done = subprocess.run(
            lab.nsenter(write), env=env, cwd=REPO, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise BenchError(f"bench.playbook failed: {done.stderr.strip().splitlines()[-1:]}")
        once(lab, Path(folder))  # what it finds its own way of writing for is settled here
        runs = [once(lab, Path(folder)) for _ in range(repeats)]
    changed = changes(log_file(lab, "ansible").read_text())
    if changed:
        raise BenchError(f"Ansible's run was no no-op, it changed {changed}")
    return runs


def once(lab: Lab, folder: Path) -> Figures:
    """One run of the playbook."""
    argv = lab.nsenter(
        [program(), str(folder / "playbook.yml"), "-i", str(folder / "inventory.yml")]
    )
    extra = {"ANSIBLE_CONFIG": str(folder / "ansible.cfg")}
    return measured(lab, "ansible-playbook", argv, log_file(lab, "ansible"), extra)


def program() -> str:
    """ansible-playbook beside this Python, or on the path; BenchError if there is none."""
    beside = Path(sys.executable).with_name("ansible-playbook")
    found = str(beside) if beside.exists() else shutil.which("ansible-playbook")
    if not found:
        raise BenchError("there is no ansible-playbook: install the group `bench` (uv.lock)")
    return found


def changes(output: str) -> dict[str, int]:
    """Machines that changed, from the recap: ``cp1 : ok=20 changed=1 …``."""
    found = re.findall(r"^(\S+)\s*: ok=\d+\s+changed=(\d+)", output, re.MULTILINE)
    if not found:
        raise BenchError("Ansible's output has no recap")
    return {name: int(count) for name, count in found if count != "0"}
