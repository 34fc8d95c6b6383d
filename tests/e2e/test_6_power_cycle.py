"""Chapter 6: the power fails for the whole rack, and comes back."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from homelab.probe.running import Running
from tests.e2e.support.health import wait_until_healthy
from tests.e2e.support.measuring import WRITERS, judge_writers, probes
from tests.e2e.support.report import Report
from tests.e2e.support.rig import Rig

pytestmark = [pytest.mark.usefixtures("healthy"), pytest.mark.on_vms]


def test_the_cluster_comes_back_after_a_power_failure(rig: Rig, report: Report) -> None:
    run = rig.unique("power-cycle")
    watched = {n: argv for n, argv in probes(rig, run).items() if n != "service"}
    with Running(watched, rig.folder / "probes" / run) as running:
        time.sleep(1)
        with ThreadPoolExecutor(len(rig.nodes)) as at_once:
            list(at_once.map(rig.lab.kill, rig.nodes))
            on = max(at_once.map(rig.lab.start, rig.nodes))
        healthy_again = wait_until_healthy(rig)
    seen = running.all_attempts()  # after their end: what is written later is in the store too

    broken = [verdict for verdict in judge_writers(rig, run, seen) if verdict.faults]
    assert not broken, broken
    first = {name: next(a.end for a in seen[name] if a.ok and a.end > on) - on for name in watched}
    first["writes"] = max(first.pop(name) for name in WRITERS)
    report.put(
        "power-cycle",
        "all machines lose power at once and get it back",
        {},
        {**first, "healthy again": healthy_again},
    )
