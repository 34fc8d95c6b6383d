"""How a no-op grows with the number of hosts."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from bench.errors import BenchError
from bench.figures import Figures, load
from bench.fleet import hosts
from homelab.lab.paths import REPO

FOLDER = "bench/fleet"


def measure(counts: tuple[int, ...], repeats: int) -> dict[int, dict[str, list[Figures]]]:
    """For each number of hosts: ``first`` (all files written) and ``no-op`` runs."""
    root = hosts.root()
    found: dict[int, dict[str, list[Figures]]] = {}
    for count in counts:
        with hosts.fleet(root, count):
            first = [once(count)]
            found[count] = {"first": first, "no-op": [once(count) for _ in range(repeats)]}
    return found


def once(count: int) -> Figures:
    """One run of pyinfra over the fleet; BenchError with its last line if it fails."""
    pyinfra = Path(sys.executable).with_name("pyinfra")
    argv = hosts.enter(str(pyinfra), f"{FOLDER}/site.py", f"{FOLDER}/files.py", "-y")
    env = {**os.environ, "HOMELAB_FLEET": str(count), "PYTHONPATH": str(REPO)}
    busy, start = load(), time.monotonic()
    done = subprocess.run(argv, env=env, cwd=REPO, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - start
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:]
        raise BenchError(f"pyinfra on {count} hosts failed: {' '.join(last)}")
    return Figures(round(seconds, 2), load=busy)
