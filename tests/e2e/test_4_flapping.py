"""Chapter 4, the other side of speed: nothing moves that need not, however busy and lossy it is."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from homelab.probe import figures
from homelab.probe.running import Running
from homelab.site import derived
from tests.e2e.support import balancers
from tests.e2e.support.health import wait_until_healthy
from tests.e2e.support.measuring import probes
from tests.e2e.support.report import Report
from tests.e2e.support.rig import Rig

LOSS = 5.0  # percent of the packets from one machine to another


@pytest.mark.long
def test_nothing_flaps_with_busy_cores_and_lost_packets(
    rig: Rig, report: Report, request: pytest.FixtureRequest
) -> None:
    seconds = request.config.getoption("--minutes") * 60
    wait_until_healthy(rig)
    taken_out = transitions(rig)
    run = rig.unique("flapping")
    with Running(probes(rig, run), rig.folder / "probes" / run) as running:
        began = time.monotonic()
        with busy_cores(), lossy(rig):
            time.sleep(seconds)
            running.check()
        ended = time.monotonic()
        seen = running.all_attempts()
    wait_until_healthy(rig)
    moves = len(figures.holders(seen["holders"], began, ended)) - 1
    out = sum(transitions(rig).values()) - sum(taken_out.values())
    report.put(
        "flapping",
        f"{seconds / 60:g} min with every core busy and {LOSS:g} % packet loss",
        {},
        {
            **{n: figures.longest_outage(seen[n], began, ended).seconds for n in ("vip", "reads")},
            "VIP moves": moves,
            "backends taken out": out,
        },
    )
    assert moves == 0, figures.holders(seen["holders"], began, ended)
    assert out == 0, transitions(rig)


def transitions(rig: Rig) -> dict[str, int]:
    """How often each balancer has taken each API server out since it was started."""
    return {
        f"{machine.name}: {server}": int(row["chkdown"] or 0)
        for machine in derived.balancers(rig.site)
        for server, row in balancers.statistics(rig, machine.name).items()
        if server.startswith("api/")
    }


@contextmanager
def busy_cores() -> Iterator[None]:
    """One busy loop for each core of the host, at the same priority as everything else."""
    loops = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"])
        for _ in range(os.cpu_count() or 1)
    ]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


@contextmanager
def lossy(rig: Rig) -> Iterator[None]:
    """Packets between machines get lost.

    Each passes two cables, so each cable loses about half of it: (1 - p)^2 = 1 - LOSS.
    """
    each = 100 * (1 - (1 - LOSS / 100) ** 0.5)
    try:
        for name in rig.nodes:
            rig.lab.loss(name, each)
        yield
    finally:
        for name in rig.nodes:
            rig.lab.loss(name, 0)
