"""Chapter 9: docs/breaking.md, walked as it is written; the cluster is whole after each fault."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from homelab.lab.paths import REPO
from tests.e2e.support.health import wait_until_healthy
from tests.e2e.support.kill_points import learner
from tests.e2e.support.pyinfra import CLUSTER, Running
from tests.e2e.support.rig import Rig

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("healthy")]

PAGE = REPO / "docs/breaking.md"
KILL = "sudo pkill -9 -x pyinfra"  # of everybody's: the test ends only the one that it started
LINE_S = 600.0


def faults() -> dict[str, list[str]]:
    """The command lines under each numbered heading."""
    sections = re.split(r"^## ", PAGE.read_text(), flags=re.MULTILINE)
    return {
        section.splitlines()[0]: [
            line
            for block in re.findall(r"^```sh\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
            for line in block.splitlines()
        ]
        for section in sections
        if section[0].isdigit()
    }


def parameters(killed: bool) -> Iterator[object]:
    for title, lines in faults().items():
        if (KILL in lines) == killed:
            yield pytest.param(lines, id=title)


def run(rig: Rig, line: str) -> None:
    """One line of the page, by this suite's environment and on this suite's lab."""
    here = Path(sys.executable).parent
    words = line.replace("./nox -s lab --", f"{sys.executable} -m homelab.lab")
    words = words.replace(".nox/lab/bin", str(here))
    env = {**os.environ, **rig.environment, "HOMELAB_LAB": rig.lab.name, "PYTHONPATH": str(REPO)}
    done = subprocess.run(
        words, shell=True, cwd=REPO, env=env, capture_output=True, text=True, timeout=LINE_S
    )
    assert done.returncode == 0, f"{line}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"


@pytest.mark.parametrize("lines", [*parameters(killed=False)])
def test_a_fault_of_the_walk(rig: Rig, lines: list[str]) -> None:
    for line in lines:
        run(rig, line)
    wait_until_healthy(rig)


@pytest.mark.parametrize("lines", [*parameters(killed=True)])
def test_the_killed_deploy_of_the_walk(rig: Rig, lines: list[str]) -> None:
    apart, _, kill, again = lines
    assert kill == KILL
    run(rig, apart)
    deploying = Running(rig, "walk-killed", CLUSTER, "-y")
    assert deploying.kill_when(learner("cp3")(rig, deploying))
    run(rig, again)
    wait_until_healthy(rig)
