"""Runs of drift on the lab, and what they found."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any

from homelab.lab.paths import REPO
from tests.e2e.support.rig import INVENTORY, Rig

PATIENCE_S = 600.0


@dataclass(frozen=True)
class Seen:
    """One run of drift: its exit code, its seconds, and the findings of its JSON."""

    code: int
    seconds: float
    findings: tuple[dict[str, Any], ...]
    stderr: str

    @property
    def ids(self) -> set[str]:
        return {finding["id"] for finding in self.findings}


def drift(rig: Rig, *options: str, inventory: str = INVENTORY) -> Seen:
    """All machines of the lab, read by the program that a person runs."""
    began = time.monotonic()
    done = subprocess.run(
        rig.lab.nsenter(
            [sys.executable, "-m", "deploys.drift", inventory, "--json", "-", *options]
        ),
        capture_output=True,
        text=True,
        cwd=REPO,
        env={**os.environ, **rig.environment, "PYTHONPATH": str(REPO)},
        timeout=PATIENCE_S,
        check=False,
    )
    try:
        findings = json.loads(done.stdout)["findings"]
    except (ValueError, KeyError) as error:
        raise AssertionError(f"no report: {done.stdout[:500]} {done.stderr[-3000:]}") from error
    return Seen(done.returncode, time.monotonic() - began, tuple(findings), done.stderr)


def until_clean(rig: Rig, patience: float) -> Seen:
    """Read again and again until nothing is found, or the time is over."""
    deadline = time.monotonic() + patience
    while True:
        seen = drift(rig)
        if not seen.findings or time.monotonic() > deadline:
            return seen
        time.sleep(1.0)
