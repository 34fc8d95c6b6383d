"""The cluster on a lab of the bench's own: made by hand, made by the deploy, and asked again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench.errors import BenchError
from bench.figures import Figures, load
from homelab.lab import Lab, image, lifecycle, plan
from homelab.lab.deploy import CLUSTER, INVENTORY, environment, pyinfra, timings
from homelab.lab.paths import REPO

NAME = "bench"
BARE = Path(__file__).with_name("bare.sh")
# sshd then says "Starting session" for every command: how they are counted (man sshd_config).
# Not "reload": that returns before sshd has started itself anew, and for a moment nobody listens.
COUNT = (
    "echo 'LogLevel VERBOSE' > /etc/ssh/sshd_config.d/00-bench.conf && "
    "systemctl restart ssh.service"
)
COUNTED = (
    "journalctl --quiet --unit=ssh.service --since=@{since} --output=cat | "
    "grep -c '^Starting session: ' || true"
)


def fresh_lab() -> Lab:
    """Machines that nothing has touched yet."""
    lifecycle.down(NAME)
    lab = lifecycle.up(NAME, plan.machines(), asked="docker")
    count(lab)
    return lab


def count(lab: Lab) -> None:
    """Make every machine's sshd write down what it is asked."""
    for machine in lab.machines():
        lab.run_on(machine.name, COUNT, through="exec")


def from_nothing() -> Figures:
    """What ``nox -s lab`` does: machines that answer SSH, then the cluster on them."""
    made, bare_root = lifecycle.artefacts()
    image.node(bare_root, made)  # built before the clock starts, as in every lab but the first
    lifecycle.down(NAME)
    busy, start = load(), time.monotonic()
    lab = lifecycle.up(NAME, plan.machines(), asked="docker")
    up = time.monotonic() - start
    deployed = measured(lab, "deploy", pyinfra(lab, CLUSTER), log_file(lab, "up")).seconds
    count(lab)  # for who measures on this lab next
    return Figures(round(up + deployed, 2), {"lab up": round(up, 2), "deploy": deployed}, {}, busy)


def commands(lab: Lab, since: datetime) -> dict[str, int]:
    """SSH sessions with a command on each machine; asked beside SSH, so as not to count itself."""
    script = COUNTED.format(since=f"{since.timestamp():.3f}")
    said = {m.name: lab.run_on(m.name, script, through="exec").stdout for m in lab.machines()}
    return {name: int(count.strip() or 0) for name, count in said.items()}


def measured(
    lab: Lab, what: str, argv: Sequence[str], log: Path, extra: dict[str, str] | None = None
) -> Figures:
    """Run one command and time it; BenchError if it fails. Its output goes to ``log``."""
    busy, since, start = load(), datetime.now(UTC), time.monotonic()
    env = {**os.environ, **environment(lab), **(extra or {})}
    with log.open("wb") as output:
        done = subprocess.run(
            argv, env=env, cwd=REPO, stdout=output, stderr=subprocess.STDOUT, check=False
        )
    seconds = time.monotonic() - start
    if done.returncode != 0:
        last = log.read_text(errors="replace").strip().splitlines()[-1:]
        raise BenchError(f"{what} failed after {seconds:.0f} s: {' '.join(last)}; see {log}")
    return Figures(round(seconds, 2), {}, commands(lab, since), busy)


def log_file(lab: Lab, what: str) -> Path:
    """Where the output of a run is kept; not with the lab, which may be gone when it is read."""
    folder = REPO / ".homelab" / lab.name
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder / f"bench-{what}.log"


def bare(lab: Lab) -> Figures:
    """``bare.sh``; what it needs is written before the clock starts."""
    log = log_file(lab, "bare")
    with tempfile.TemporaryDirectory() as folder:
        render = [sys.executable, "-m", "bench.render", INVENTORY, folder]
        env = {**os.environ, **environment(lab)}
        done = subprocess.run(
            lab.nsenter(render), env=env, cwd=REPO, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise BenchError(f"bench.render failed: {done.stderr.strip().splitlines()[-1:]}")
        figures = measured(lab, "bare.sh", lab.nsenter(["bash", str(BARE), folder]), log)
    return Figures(figures.seconds, bare_phases(log.read_text()), figures.commands, figures.load)


def bare_phases(output: str) -> dict[str, float]:
    """The ``SECONDS PHASE`` lines among what the machines said, without the total."""
    phases = {}
    for line in output.splitlines():
        seconds, _, name = line.strip().partition(" ")
        if line.startswith(" ") and seconds.replace(".", "", 1).isdigit() and name != "total":
            phases[name] = float(seconds)
    return phases


def deploy(lab: Lab, what: str) -> Figures:
    """``deploys/cluster.py`` as a person runs it; its phases are its own (timings.json)."""
    figures = measured(lab, what, pyinfra(lab, CLUSTER), log_file(lab, what))
    kept = timings(lab)
    phases = deploy_phases(kept.read_text()) if kept.exists() else {}
    rest = figures.seconds - sum(phases.values())
    phases["pyinfra itself"] = round(max(rest, 0.0), 2)
    return Figures(figures.seconds, phases, figures.commands, figures.load)


def deploy_phases(text: str) -> dict[str, float]:
    """``{"phases": [{"name": …, "seconds": …}], …}`` to seconds by name."""
    return {phase["name"]: float(phase["seconds"]) for phase in json.loads(text)["phases"]}
