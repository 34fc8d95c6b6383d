"""pyinfra's own command line on ``@fake`` machines, as a person would run it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.plan.answers import KUBECONFIG, Answers

REPO = Path(__file__).resolve().parents[2]
PYINFRA = Path(sys.executable).parent / "pyinfra"


@dataclass(frozen=True)
class Ran:
    """What came of one call. ``plan`` and ``results`` are pyinfra's JSON, if it printed any."""

    code: int
    out: str
    err: str
    executed: dict[str, list[str]]  # machine -> every command that it was given, reads as well

    @property
    def json(self) -> dict[str, Any]:
        loaded = json.loads(self.out)
        assert isinstance(loaded, dict)
        return loaded

    @property
    def plan(self) -> list[dict[str, Any]]:
        """Entries in the order in which they would run."""
        return list(self.json["plan"])

    @property
    def changes(self) -> list[tuple[str, list[str]]]:
        """Names of the steps that would change something, and on which machines."""
        return [
            (", ".join(entry["names"]), sorted(_machines(entry)))
            for entry in self.plan
            if _machines(entry)
        ]

    @property
    def steps(self) -> list[tuple[str, dict[str, str]]]:
        """What was executed, in order: the step's name, and what each machine made of it."""
        found: list[tuple[str, dict[str, str]]] = []
        for line in self.err.splitlines():
            if started := re.match(r"--> Starting operation: (.*?) *$", line):
                found.append((started[1], {}))
            elif found and (said := re.match(r"    \[(\S+)\] +(Success|No changes|Error)", line)):
                found[-1][1][said[1]] = said[2]
        return found

    @property
    def errors(self) -> list[str]:
        """The lines with which preflight refuses, without its prefix."""
        return re.findall(r"preflight: (.+)", self.err)


def _machines(entry: dict[str, Any]) -> list[str]:
    return [*entry["hosts_with_change"], *entry["hosts_with_conditional_change"]]


def pyinfra(
    folder: Path, site_file: Path, answers: Answers, *flags: str, deploy: str = "cluster"
) -> Ran:
    """Run a deploy in ``folder``; the environment (HOMELAB_*) is this process's."""
    executed, asked = folder / "executed.json", folder / "plan.json"
    told = {"site": str(site_file), "answers": answers, "executed": str(executed)}
    asked.write_text(json.dumps(told))
    done = subprocess.run(
        [str(PYINFRA), "--config", str(REPO / "config.py"), str(REPO / "tests/plan/inventory.py"),
         str(REPO / f"deploys/{deploy}.py"), *flags],
        cwd=folder,
        env={**os.environ, "HOMELAB_PLAN": str(asked), "PYTHONPATH": str(REPO),
             "PYINFRA_PROGRESS": "off"},
        capture_output=True,
        text=True,
        timeout=300,
    )  # fmt: skip
    commands = json.loads(executed.read_text()) if executed.exists() else {}
    return Ran(done.returncode, done.stdout, done.stderr, commands)


def hand_over(folder: Path, name: str) -> None:
    """The admin kubeconfig as an earlier run has left it on the controller."""
    target = folder / ".homelab" / name / "admin.conf"
    target.parent.mkdir(parents=True)
    target.write_text(KUBECONFIG)
    target.chmod(0o600)
