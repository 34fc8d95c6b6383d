"""The plan of bare machines: one story, told in order, each step by itself."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from homelab.preflight.survey import SCRIPT
from homelab.site import derived
from operations.kubeadm import CONFIG
from tests.plan import plans
from tests.plan.cli import Ran
from tests.plan.conftest import Shared

SITES = ("rack", "lab")


@pytest.fixture(params=SITES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def plan(name: str, shared: Shared) -> Ran:
    ran = shared(f"{name}-bare", lambda folder: plans.bare(name, folder))
    assert ran.code == 0, ran.err
    return ran


@pytest.fixture
def run(shared: Shared) -> Ran:
    """The lab's machines again, and this time the steps are executed."""
    ran = shared("lab-run", lambda folder: plans.bare("lab", folder, "-y", "-vvv"))
    assert ran.code == 0, ran.err
    return ran


def test_every_step_has_a_name_of_its_own(plan: Ran) -> None:
    """Two steps that pyinfra takes for one have two names (pyinfra.md, 0.5 and G.1)."""
    assert [entry["names"] for entry in plan.plan if len(entry["names"]) != 1] == []
    names = [entry["name"] for entry in plan.plan]
    assert sorted(set(names)) == sorted(names)


def test_no_step_is_named_after_the_function_that_makes_it(plan: Ran) -> None:
    """An operation without ``name=`` is listed with its arguments (G.3)."""
    for entry in plan.plan:
        assert entry["args"] == []
        assert entry["name"][0].isupper()


def test_the_story_is_told_in_order(name: str, plan: Ran) -> None:
    stages = [entry["name"] for entry in plan.plan if entry["name"].startswith("Stage: ")]
    second, third = [entry for entry in stages if "control plane " in entry]
    ours = [m.name for m in plans.site(name).machines if m.network == "networkd"]
    assert stages == [
        "Stage: every machine for itself",
        *(f"Stage: the network of {machine}, no other" for machine in ours),
        "Stage: the first control plane",
        "Stage: certificate authorities",
        second,
        third,
        "Stage: control planes are well",
        "Stage: workers",
        "Stage: workers join",
        "Stage: pod network",
        "Stage: health",
    ]


def test_each_step_is_in_its_stage(name: str, plan: Ran) -> None:
    """cp2 votes before cp3 is announced, workers after both are well, health at the end."""
    first, second, third = (m.name for m in derived.control_planes(plans.site(name)))
    stages: dict[str, list[tuple[str, list[str]]]] = {}
    for entry in plan.plan:
        if entry["name"].startswith("Stage: "):
            steps = stages.setdefault(entry["name"].removeprefix("Stage: "), [])
        elif entry["hosts_with_change"]:
            steps.append((entry["name"], sorted(entry["hosts_with_change"])))
    workers = sorted(m.name for m in derived.workers(plans.site(name)))
    for machine in (second, third):
        told = stages[f"control plane {machine}"]
        assert {hosts[0] for _, hosts in told} == {machine}
        steps_of = [name.partition(", ")[2] for name, _ in told]
        parts = ("learner announced", "in sync and promoted", "API server")
        places = [max(at for at, step in enumerate(steps_of) if part in step) for part in parts]
        assert places == sorted(places), steps_of
        assert places[-1] == len(steps_of) - 1
    assert stages["control planes are well"] == [
        ("Control planes: gate", sorted([second, third])),
        ("Control planes: recorded", sorted([second, third])),
    ]
    assert not stages["workers"]  # the token was made when the cluster was founded
    assert stages["workers join"][-1] == ("Workers: join", workers)
    assert [name for name, hosts in stages["health"] if hosts == [first]] == [
        "Health: gate",
        "Health: pods of every node reach each other and a new Service",
        "Workers: the token withdrawn",
        "Summary: admin kubeconfig on this controller",
    ]
    assert ("First control plane: certificates", [first]) in stages["the first control plane"]


def test_the_administrator_is_asked_nothing_before_he_has_rights(plan: Ran, run: Ran) -> None:
    """From Kubernetes 1.29 the first phase that talks to the API server gives them to him."""
    names = [entry["name"] for entry in plan.plan]
    steps = [
        "First control plane: gate",
        "First control plane: the cluster's configuration",
        "First control plane: gate of its node",
        "First control plane: what nodes may ask for, and a token for this run",
        "First control plane: the cluster's records and addons",
    ]
    places = [names.index(step) for step in steps]
    assert places == sorted(places)
    gates = [c for c in run.executed["cp1"] if "gate %s on" in c]
    (gate,) = [c for c in gates if "first control plane" in c]
    assert "/readyz" in gate
    assert "get node" not in gate


def test_no_machine_is_announced_beside_a_sick_member(run: Ran) -> None:
    for machine in ("cp2", "cp3"):
        commands = run.executed[machine]
        gate = _last(commands, f"{machine} before etcd")
        assert "every other etcd member is healthy and votes" in commands[gate]
        assert gate < _last(commands, f"add {machine} --learner")


def _last(commands: list[str], part: str) -> int:
    return max(number for number, command in enumerate(commands) if part in command)


def test_what_is_true_of_one_machine_is_not_uploaded(run: Ran) -> None:
    uploads = {
        line.strip()
        for commands in run.executed.values()
        for command in commands
        for line in command.splitlines()
        if "upload-config" in line
    }
    assert len(uploads) >= 3
    assert [line for line in uploads if CONFIG in line] == []


def test_what_follows_from_the_site_is_planned(name: str, plan: Ran) -> None:
    site, changes = plans.site(name), dict(plan.changes)
    everybody = sorted(m.name for m in site.machines)
    planes = sorted(m.name for m in derived.control_planes(site))
    assert changes["Host: base"] == everybody
    assert changes["Host: firewall, kept after a new login"] == everybody
    assert changes["Host: speed of the disk under etcd"] == planes
    assert changes["Balancers: HAProxy"] == sorted(m.name for m in derived.balancers(site))
    trial = "Network: x99-1, bond and address, on trial"
    assert (changes.get(trial) == ["x99-1"]) == (name == "rack")
    assert ("Artefacts: images" in changes) == (name == "lab")
    assert ("Pod network: bridge" in changes) == (name == "lab")


def test_a_plan_only_reads(plan: Ran) -> None:
    """``--dry`` asks; no script that changes a machine takes the lock of operations/step.py."""
    for commands in plan.executed.values():
        assert commands[0].endswith(SCRIPT)
        assert [c for c in commands if "homelab-step.lock" in c or "rm -rf" in c] == []


def test_the_run_does_what_was_planned_and_nothing_else(shared: Shared, run: Ran) -> None:
    planned = shared("lab-bare", lambda folder: plans.bare("lab", folder)).changes
    done = [(step, sorted(h for h, said in hosts.items() if said == "Success"))
            for step, hosts in run.steps]  # fmt: skip
    assert [(step, hosts) for step, hosts in done if hosts] == planned
    assert "Error" not in {said for _, hosts in run.steps for said in hosts.values()}


def test_no_machine_passes_a_stage_alone(run: Ran) -> None:
    """Every machine comes to every stage, so that pyinfra can't let one overtake another."""
    everybody = {machine.name for machine in plans.site("lab").machines}
    stages = [(step, set(hosts)) for step, hosts in run.steps if step.startswith("Stage: ")]
    assert len(stages) == 10
    assert [step for step, hosts in stages if hosts != everybody] == []


def test_the_time_of_each_phase_is_kept(run: Ran, common: Path) -> None:
    kept = json.loads((common / "lab-run/.homelab/lab/timings.json").read_text())
    phases = {phase["name"] for phase in kept["phases"]}
    assert run.code == 0
    assert {"Preflight", "Host", "Control planes", "Workers", "Health"} <= phases


def test_everything_that_a_machine_is_given_is_shell(run: Ran) -> None:
    """dash is what ``sh`` is on Debian."""
    commands = {command for given in run.executed.values() for command in given}
    assert len(commands) > 80
    for command in commands:
        checked = subprocess.run(["sh", "-n"], input=command, capture_output=True, text=True)
        assert checked.returncode == 0, f"{checked.stderr}\n{command}"
