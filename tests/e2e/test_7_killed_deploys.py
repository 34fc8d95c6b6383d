"""Chapter 7: a deploy is killed again and again, and the next run always gets further.

The points are taken in the order in which a deploy comes by them, each run taking up what the one
before left behind. A run that did not get over the remains would never come to the next point.
"""

from __future__ import annotations

import pytest

from homelab.lab.machines import wait_for_ssh
from operations import step
from tests.e2e.support.health import wait_until_healthy
from tests.e2e.support.kill_points import KILL_POINTS, KillPoint
from tests.e2e.support.pyinfra import CLUSTER, Running, changes, deploy, predict, reset
from tests.e2e.support.rig import Rig

pytestmark = pytest.mark.usefixtures("healthy")


def test_the_whole_cluster_can_be_taken_apart(rig: Rig) -> None:
    run = reset(rig, "reset-cluster", "--data", f"cluster={rig.site.name}")
    assert run.returncode == 0, run.output[-3000:]
    for machine in rig.nodes:
        folders = "/etc/kubernetes /var/lib/etcd /var/lib/cni /var/log/kubernetes/audit"
        assert rig.root(machine, f"find {folders} -mindepth 1 2>/dev/null || true") == ""


@pytest.mark.parametrize(
    "point",
    [pytest.param(p, id=p.name, marks=[pytest.mark.long] if p.long else []) for p in KILL_POINTS],
)
def test_a_deploy_is_killed(rig: Rig, point: KillPoint) -> None:
    if point.undo:
        for machine in rig.nodes:
            rig.root(machine, point.undo)
    running = Running(rig, f"killed-{point.name}", CLUSTER, "-y")
    killed = running.kill_when(point.watch(rig, running))
    assert killed, f"it ended before that, with {running.wait().returncode}"
    if point.power:
        rig.lab.kill(point.power)
    if point.tear:
        machine, path = point.tear
        # The machine does not know that its controller died: its script goes on, and could write
        # the file anew after it was torn.
        rig.root(machine, f"flock -w 120 {step.FILE} true", timeout=150)
        rig.root(machine, f"truncate -s $(($(stat -c %s {path}) / 2)) {path}")
    if point.power:
        rig.lab.start(point.power)
        wait_for_ssh(rig.lab, point.power)


def test_the_next_run_finishes_it(rig: Rig) -> None:
    run = deploy(rig, "finish")
    assert run.returncode == 0, run.output[-5000:]
    wait_until_healthy(rig)
    again = predict(rig, "nothing-left")
    assert not changes(again).planned
