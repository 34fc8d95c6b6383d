"""The second plan: empty where all is as declared, else only what differs."""

from __future__ import annotations

from pathlib import Path

import pytest

from homelab.documents import apiserver
from tests.plan import answers, plans
from tests.plan.cli import hand_over
from tests.plan.conftest import Shared


@pytest.mark.parametrize("name", ["rack", "lab"])
def test_nothing_is_planned_where_all_is_as_declared(name: str, shared: Shared) -> None:
    ran = shared(f"{name}-finished", lambda folder: plans.finished(name, folder))
    assert ran.code == 0, ran.err
    # helm and Cilium's release are the controller's and the API's, which no scripted machine can
    # answer for: tests/unit/documents/test_cilium.py and tests/unit/operations have those.
    assert [change for change in ran.changes if not change[0].startswith("Pod network: ")] == []


@pytest.mark.parametrize("name", ["rack", "lab"])
def test_a_look_at_a_finished_machine_takes_few_questions(name: str, shared: Shared) -> None:
    """Each is a round trip, and a slow machine's second."""
    ran = shared(f"{name}-finished", lambda folder: plans.finished(name, folder))
    (speaker, *others) = plans.site(name).machines
    assert max(len(ran.executed[m.name]) for m in others) <= 6
    assert len(ran.executed[speaker.name]) <= 11


def test_a_changed_setting_rolls_through_the_control_planes(tmp_path: Path) -> None:
    """The machines are as they were declared before: one at a time, each behind its gate."""
    site = plans.site("lab")
    before = site.replace(timings=site.timings.replace(etcd_heartbeat_ms=250))
    hand_over(tmp_path, site.name)
    ran = plans.plan("lab", tmp_path, answers.declared(before))
    assert ran.code == 0, ran.err
    rolled = [(step, hosts) for step, hosts in ran.changes if step.startswith("Rolling: ")]
    steps = ("gives away VIP and leadership", "control-plane", "may hold the VIP again")
    assert [hosts for _, hosts in rolled] == [[m] for m in ("cp1", "cp2", "cp3") for _ in steps]
    assert [step.split("cp1")[1].strip(", ") for step, _ in rolled[:3]] == list(steps)
    names = [entry["name"] for entry in ran.plan]
    gates = [names.index(f"Rolling: {m}, gate") for m in ("cp1", "cp2", "cp3")]
    stages = [names.index(f"Stage: {m} is interrupted, no other") for m in ("cp1", "cp2", "cp3")]
    assert [*zip(stages, gates, strict=True)] == sorted(zip(stages, gates, strict=True))
    assert gates[0] < stages[1]
    assert gates[1] < stages[2]
    rest = [step for step, _ in ran.changes if not step.startswith("Rolling: ")]
    assert rest == ["Health: pods of every node reach each other and a new Service"]


def test_a_new_worker_joins_and_a_lost_control_plane_comes_back(tmp_path: Path) -> None:
    """cp3 and w2 are bare; the others are members and are left alone."""
    site = plans.site("lab")
    bare = answers.bare(site)
    found = {**answers.declared(site), "cp3": bare["cp3"], "w2": bare["w2"]}
    hand_over(tmp_path, site.name)
    ran = plans.plan("lab", tmp_path, found)
    assert ran.code == 0, ran.err
    changes = dict(ran.changes)
    assert changes["Host: base"] == ["cp3", "w2"]
    assert changes["Control planes: cp3, etcd learner announced"] == ["cp3"]
    assert changes["Workers: join"] == ["w2"]
    assert "First control plane: certificates" not in changes
    touched = {machine for hosts in changes.values() for machine in hosts}
    assert touched == {"cp1", "cp3", "w2"}
    assert {step for step, hosts in changes.items() if "cp1" in hosts} == {
        "Workers: a token for this run",
        "Health: pods of every node reach each other and a new Service",
        "Workers: the token withdrawn",
    }


def test_a_label_that_is_missing_is_all_that_is_planned(tmp_path: Path) -> None:
    site = plans.site("rack")
    without = site.replace(machines=tuple(m.replace(labels={}) for m in site.machines))
    found = answers.declared(site)
    speaker = site.machines[0].name
    found[speaker] = [
        (part, answers.nodes(without) if said == answers.nodes(site) else said)
        for part, said in found[speaker]
    ]
    hand_over(tmp_path, site.name)
    ran = plans.plan("rack", tmp_path, found)
    # The controller's own helm and Cilium's release: see the first test.
    on_machines = [change for change in ran.changes if not change[0].startswith("Pod network: ")]
    assert on_machines == [("Nodes: labels and taints", [speaker])]


def test_a_lost_encryption_key_is_taken_from_the_others(tmp_path: Path) -> None:
    """Any other key would make every Secret of the cluster unreadable."""
    site, key = plans.site("lab"), "dGhlIGtleSBvZiB0aGUgY2x1c3RlciwgMzIgYnl0ZXM="
    found = answers.declared(site, key)
    lost = (f"@encrypts {answers.DIGEST}", apiserver.ENCRYPTION)
    found["cp1"] = [
        (part, "\n".join(x for x in str(said).splitlines() if not x.endswith(lost)))
        for part, said in found["cp1"]
        if part != f"cat {apiserver.ENCRYPTION}"
    ]
    hand_over(tmp_path, site.name)
    ran = plans.plan("lab", tmp_path, found)
    assert ran.code == 0, ran.err
    rolled = {machine for step, hosts in ran.changes if "Rolling" in step for machine in hosts}
    assert rolled == {"cp1"}
