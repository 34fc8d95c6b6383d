"""Chapter 2: a second run changes nothing, and a dry run tells the truth."""

from __future__ import annotations

import pytest

from operations import guard
from tests.e2e.support import fingerprint, sites
from tests.e2e.support.health import wait_until_healthy
from tests.e2e.support.pyinfra import changes, deploy, predict, without_gates
from tests.e2e.support.rig import Rig
from tests.e2e.support.waiting import Condition, wait_for

APPLIED = "/var/lib/homelab/applied/"  # where the deploy notes what it has brought into force

pytestmark = pytest.mark.usefixtures("healthy")


def test_the_plan_of_a_second_run_is_empty(rig: Rig) -> None:
    run = predict(rig)
    assert run.returncode == 0, run.stderr[-3000:]
    assert not changes(run).planned


@pytest.mark.on_vms
def test_a_second_run_changes_and_restarts_nothing(rig: Rig) -> None:
    files, running = fingerprint.files(rig), fingerprint.running(rig)
    run = deploy(rig, "again", "--json")
    assert run.returncode == 0, run.stderr[-3000:]
    assert not changes(run).made
    assert not fingerprint.changed(files, fingerprint.files(rig))
    assert not fingerprint.changed(running, fingerprint.running(rig))


def test_a_changed_setting_changes_what_was_predicted_and_only_that(rig: Rig) -> None:
    """HAProxy's checks a little slower: it is reloaded on each balancer, and nothing else is."""
    other = sites.changed(
        rig, "slower-checks", "timings=_lab.timings.replace(check_ms=_lab.timings.check_ms + 50)"
    )
    files, running = fingerprint.files(rig), fingerprint.running(rig)

    predicted = predict(rig, "predict-change", other)
    assert predicted.returncode == 0, predicted.stderr[-3000:]
    assert not fingerprint.changed(files, fingerprint.files(rig)), "a dry run wrote"
    assert not fingerprint.changed(running, fingerprint.running(rig)), "a dry run restarted"

    made = deploy(rig, "change", "--json", inventory=other)
    assert made.returncode == 0, made.stderr[-3000:]
    # A gate waits and changes nothing; on a busy machine it may wait in one run and not in another.
    assert without_gates(changes(made).made) == without_gates(changes(predicted).planned)
    written = fingerprint.changed(files, fingerprint.files(rig))
    assert sorted(written) == sorted(rig.control_planes)
    paths = {line.split()[-1] for lines in written.values() for line in lines}
    assert "/etc/haproxy/haproxy.cfg" in paths
    assert not {path for path in paths if "haproxy" not in path and not path.startswith(APPLIED)}
    assert not fingerprint.changed(running, fingerprint.running(rig)), "a reload is enough"

    back = deploy(rig, "change-back")
    assert back.returncode == 0, back.output[-3000:]
    wait_until_healthy(rig)


def test_a_machine_whose_run_died_votes_again_by_itself(rig: Rig) -> None:
    """The guard has stopped its keepalived, and nobody comes back to start it."""
    machine = rig.control_planes[0]
    others = [rig.address(name) for name in rig.control_planes if name != machine]
    leave = guard.leave_script(rig.address(machine), others)
    soon = leave.replace(f"--on-active={guard.ALONE_S} ", "--on-active=5 ")
    assert soon != leave
    rig.root(machine, soon)
    assert _not_active(rig, machine) == "inactive"
    wait_for([Condition("it votes again", lambda: _not_active(rig, machine))], 30)
    wait_until_healthy(rig)


def _not_active(rig: Rig, machine: str) -> str:
    said = rig.root(machine, "systemctl is-active keepalived || true").strip()
    return "" if said == "active" else said


@pytest.mark.long
def test_a_changed_control_plane_is_restarted_one_machine_at_a_time(rig: Rig) -> None:
    """etcd's timings are flags of a static pod on every control plane: the dearest change."""
    other = sites.changed(
        rig, "slower-election", "timings=_lab.timings.replace(etcd_election_ms=1500)"
    )
    predicted = predict(rig, "predict-slower-election", other)
    made = deploy(rig, "slower-election", "--json", inventory=other)
    assert made.returncode == 0, made.output[-3000:]
    assert without_gates(changes(made).made) == without_gates(changes(predicted).planned)
    for machine in rig.control_planes:
        manifest = rig.root(machine, "cat /etc/kubernetes/manifests/etcd.yaml")
        assert "--election-timeout=1500" in manifest
    wait_until_healthy(rig)
    back = deploy(rig, "election-back")
    assert back.returncode == 0, back.output[-3000:]
    wait_until_healthy(rig)
