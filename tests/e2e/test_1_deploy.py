"""Chapter 1: one command makes the cluster."""

from __future__ import annotations

import json

import pytest

from tests.e2e.support.health import wait_until_healthy
from tests.e2e.support.pyinfra import deploy
from tests.e2e.support.rig import Rig

pytestmark = [pytest.mark.foundation, pytest.mark.on_vms]


def test_one_command_makes_the_cluster(rig: Rig) -> None:
    run = deploy(rig)
    assert run.returncode == 0, run.output[-5000:]
    wait_until_healthy(rig)


def test_the_admin_gets_a_kubeconfig_of_his_own(rig: Rig) -> None:
    assert rig.kubeconfig.stat().st_mode & 0o777 == 0o600
    assert rig.access.name == rig.site.api.name


def test_the_time_of_every_phase_is_kept(rig: Rig) -> None:
    timings = json.loads(rig.kubeconfig.with_name("timings.json").read_text())
    assert timings
