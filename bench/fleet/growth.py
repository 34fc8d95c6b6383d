"""How a no-op grows with the number of hosts."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.errors import BenchError
from bench.figures import Figures, load
from bench.fleet import hosts
from homelab.lab.paths import REPO

FOLDER = "bench/fleet"
# All hosts are greeted at the same time and answer with these very cores; paramiko gives each of
# them 15 s. What a second greeting costs is in the figure.
RETRIES = 3


def measure(counts: Sequence[int], repeats: int) -> Iterator[tuple[int, dict[str, list[Figures]]]]:
    """Each number of hosts, as it comes: ``first`` (all files written) and ``no-op`` runs."""
    root = hosts.root()
    for count in counts:
        with hosts.fleet(root, count):
            first = [once(count)]
            found = {"first": first, "no-op": [once(count) for _ in range(repeats)]}
        yield count, found


def once(count: int) -> Figures:
    """One run of pyinfra over the fleet; BenchError with its last line if it fails."""
    pyinfra = Path(sys.executable).with_name("pyinfra")
    deploy = (f"{FOLDER}/site.py", f"{FOLDER}/files.py", "-y")
    argv = hosts.enter(str(pyinfra), *deploy, "--data", f"ssh_connect_retries={RETRIES}")
    env = {**os.environ, "HOMELAB_FLEET": str(count), "PYTHONPATH": str(REPO)}
    busy, start = load(), time.monotonic()
    done = subprocess.run(argv, env=env, cwd=REPO, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - start
    if done.returncode != 0:
        log = REPO / ".homelab" / f"fleet-{count}.log"
        log.parent.mkdir(mode=0o700, exist_ok=True)
        log.write_text(f"{done.stdout}\n{done.stderr}")
        last = done.stderr.strip().splitlines()[-1:]
        raise BenchError(f"pyinfra on {count} hosts failed: {' '.join(last)}; see {log}")
    return Figures(round(seconds, 2), load=busy)
