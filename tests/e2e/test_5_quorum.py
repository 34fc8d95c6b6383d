"""Chapter 5: two of three control planes are lost. Nothing is acknowledged that could be lost."""

from __future__ import annotations

import time

import pytest

from homelab.probe.running import Running
from tests.e2e.support import balancers
from tests.e2e.support.health import wait_until_healthy
from tests.e2e.support.measuring import WRITERS, judge_writers, probes
from tests.e2e.support.report import Report
from tests.e2e.support.rig import Rig
from tests.e2e.support.waiting import Condition, wait_for

pytestmark = pytest.mark.usefixtures("healthy")

WATCHED_S = 10.0  # without a quorum
# A write that was already replicated may be acknowledged a moment after the second machine died.
IN_FLIGHT_S = 0.5
BACK_S = 90.0


def test_without_a_quorum_nothing_is_acknowledged(rig: Rig, report: Report) -> None:
    run = rig.unique("quorum")
    holder = balancers.holder(rig)
    other, kept = [name for name in rig.control_planes if name != holder][:2]
    watched = {n: argv for n, argv in probes(rig, run).items() if n != "service"}
    with Running(watched, rig.folder / "probes" / run) as running:
        rig.lab.kill(other)
        lost = rig.lab.kill(holder)
        try:
            time.sleep(WATCHED_S)
            without = time.monotonic()
            started = rig.lab.start(other)

            def no_write_yet() -> str:
                acknowledged = any(
                    a.ok and a.end > started for name in WRITERS for a in running.attempts(name)
                )
                return "" if acknowledged else "no write was acknowledged since"

            service_back = wait_for([Condition("two of three serve again", no_write_yet)], BACK_S)
        finally:
            for machine in (other, holder):
                rig.lab.start(machine)
        healthy_again = wait_until_healthy(rig)
    seen = running.all_attempts()  # after their end: what is written later is in the store too

    for name in WRITERS:
        wrong = [a for a in seen[name] if a.ok and lost + IN_FLIGHT_S < a.end < without]
        assert not wrong, f"acknowledged with only {kept} alive: {wrong[:3]}"
    broken = [verdict for verdict in judge_writers(rig, run, seen) if verdict.faults]
    assert not broken, broken
    report.put(
        "quorum-lost",
        "two of three control planes lose power; one comes back after 10 s",
        {},
        {"writes": service_back + WATCHED_S, "healthy again": healthy_again},
    )
