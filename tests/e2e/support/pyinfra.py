"""Runs of pyinfra on the lab: to the end, or killed on the way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from homelab.lab.paths import REPO
from tests.e2e.support.rig import INVENTORY, Rig

CLUSTER = "deploys/cluster.py"
RESET = "deploys/reset.py"
DEPLOY_S = 1500.0  # nobody waits longer for a deploy of five machines
EMULATED_S = 5400.0
POLL_S = 0.05


@dataclass(frozen=True)
class Run:
    """A run that has ended."""

    returncode: int
    seconds: float
    stdout: str
    stderr: str

    @property
    def output(self) -> str:
        return f"{self.stdout}\n{self.stderr}"


class Running:
    """A run of pyinfra, its output in files that can be read while it goes on."""

    def __init__(
        self, rig: Rig, name: str, *arguments: str, inventory: str | Path = INVENTORY
    ) -> None:
        folder = rig.folder / "runs"
        folder.mkdir(parents=True, exist_ok=True)
        number = len(list(folder.glob("*.out")))
        self.out = folder / f"{number:02}-{name}.out"
        self.err = folder / f"{number:02}-{name}.err"
        self.began = time.monotonic()
        self.patience = EMULATED_S if rig.emulated else DEPLOY_S
        pyinfra = Path(sys.executable).with_name("pyinfra")
        with self.out.open("wb") as out, self.err.open("wb") as err:
            self.process = subprocess.Popen(
                rig.lab.nsenter([str(pyinfra), str(inventory), *arguments]),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd=REPO,
                env={**os.environ, **rig.environment, "PYINFRA_PROGRESS": "off"},
                start_new_session=True,  # so that it can be killed with all its children
            )

    def said(self) -> str:
        """All output so far."""
        return self.out.read_text(errors="replace") + self.err.read_text(errors="replace")

    def wait(self, timeout: float | None = None) -> Run:
        """Wait for its end; one that takes too long is killed and reported by TimeoutExpired."""
        try:
            self.process.wait(timeout or self.patience)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        seconds = time.monotonic() - self.began
        return Run(
            self.process.returncode,
            seconds,
            self.out.read_text(errors="replace"),
            self.err.read_text(errors="replace"),
        )

    def kill_when(self, reached: Callable[[], bool], timeout: float = DEPLOY_S) -> bool:
        """kill -9 as soon as ``reached``; False if the run ended before."""
        deadline = time.monotonic() + timeout
        while self.process.poll() is None:
            if reached():
                self.kill()
                return True
            if time.monotonic() > deadline:
                self.kill()
                raise TimeoutError(f"not reached within {timeout:g} s; read {self.err}")
            time.sleep(POLL_S)
        return False

    def kill(self) -> None:
        """End the whole process group at once, as a closed laptop or a crash would."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def deploy(
    rig: Rig, name: str = "deploy", *arguments: str, inventory: str | Path = INVENTORY
) -> Run:
    """Deploy the cluster; the caller looks at the return code."""
    return Running(rig, name, CLUSTER, "-y", *arguments, inventory=inventory).wait()


def predict(rig: Rig, name: str = "predict", inventory: str | Path = INVENTORY) -> Run:
    """What a deploy would do; nothing is changed."""
    return Running(rig, name, CLUSTER, "--dry", "--json", inventory=inventory).wait()


def reset(rig: Rig, name: str, *arguments: str) -> Run:
    """Take a machine or the whole cluster apart."""
    return Running(rig, name, RESET, "-y", *arguments).wait()


@dataclass(frozen=True)
class Changes:
    """Machine by operation, for one run with ``--json``."""

    planned: frozenset[tuple[str, str]]  # (operation, machine)
    made: frozenset[tuple[str, str]]


def changes(run: Run) -> Changes:
    """What a run said it would change, and what it changed (pyinfra_cli/prints.py)."""
    told = json.loads(run.stdout)
    planned = {
        (item["name"], machine)
        for item in told["plan"]
        for machine in item["hosts_with_change"] + item["hosts_with_conditional_change"]
    }
    results = told["results"] or {"operations": []}
    made = {(i["name"], machine) for i in results["operations"] for machine in i["success"]}
    return Changes(frozenset(planned), frozenset(made))


def without_gates(operations: frozenset[tuple[str, str]]) -> set[tuple[str, str]]:
    """The operations, by name and machine, that change something: a gate only waits."""
    return {(name, machine) for name, machine in operations if "gate" not in name.split()}
