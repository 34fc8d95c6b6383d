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
from tests.e2e.support import balancers, sites
from tests.e2e.support.faults import FAULTS
from tests.e2e.support.health import wait_until_healthy
from tests.e2e.support.measuring import measure, probes
from tests.e2e.support.pyinfra import deploy
from tests.e2e.support.report import Report
from tests.e2e.support.rig import Rig

LOSS = 5.0  # percent of the packets from one machine to another


@pytest.mark.long
def test_nothing_flaps_with_busy_cores_and_lost_packets(
    rig: Rig, report: Report, request: pytest.FixtureRequest
) -> None:
    minutes = request.config.getoption("--minutes")
    flapped = flap(rig, minutes, "flapping")
    report.put("flapping", title(minutes), {"VIP moves": 0, "backends taken out": 0}, flapped)
    assert flapped["VIP moves"] == 0
    assert flapped["backends taken out"] == 0


@pytest.mark.long
@pytest.mark.parametrize("fall", [3, 6])
def test_speed_and_steadiness_pull_against_each_other(
    rig: Rig, report: Report, request: pytest.FixtureRequest, fall: int
) -> None:
    """The same machines with RFC 5798's three missed adverts, and with ours: reported only."""
    minutes = request.config.getoption("--minutes") / 3
    other = sites.changed(rig, f"fall-{fall}", f"timings=_lab.timings.replace(advert_fall={fall})")
    assert deploy(rig, f"fall-{fall}", inventory=other).returncode == 0
    try:
        flapped = flap(rig, minutes, f"fall-{fall}")
        power = next(fault for fault in FAULTS if fault.name == "vip-holder-off")
        off = measure(rig, power, rig.unique(f"fall-{fall}-off")).seconds
    finally:
        assert deploy(rig, "fall-back").returncode == 0
    wait_until_healthy(rig)
    report.put(
        f"advert-fall-{fall}",
        f"{fall} missed adverts: outages when the VIP holder loses power; moves in "
        f"{title(minutes)}",
        {},
        {name: off[name] for name in ("vip", "reads", "writes")} | moves(flapped),
    )


def title(minutes: float) -> str:
    return f"{minutes:g} min with every core busy and {LOSS:g} % packet loss"


def moves(flapped: dict[str, float]) -> dict[str, float]:
    return {name: flapped[name] for name in ("VIP moves", "backends taken out")}


def flap(rig: Rig, minutes: float, name: str) -> dict[str, float]:
    """What moved that need not, and the outages that came of it."""
    wait_until_healthy(rig)
    taken_out = transitions(rig)
    run = rig.unique(name)
    with Running(probes(rig, run), rig.folder / "probes" / run) as running:
        began = time.monotonic()
        with busy_cores(), lossy(rig):
            time.sleep(minutes * 60)
            running.check()
        ended = time.monotonic()
        seen = running.all_attempts()
    wait_until_healthy(rig)
    out = sum(transitions(rig).values()) - sum(taken_out.values())
    return {
        **{n: figures.longest_outage(seen[n], began, ended).seconds for n in ("vip", "reads")},
        "VIP moves": len(figures.holders(seen["holders"], began, ended)) - 1,
        "backends taken out": out,
    }


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
