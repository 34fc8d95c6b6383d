"""Taking a machine apart: planned in its order, refused where it would cost the quorum."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from homelab.site.model import NOTHING
from tests.plan import answers, plans
from tests.plan.cli import Ran, pyinfra


def reset(
    folder: Path, *data: str, dead: tuple[str, ...] = (), also: Mapping[str, str] = NOTHING
) -> Ran:
    """The plan of deploys/reset.py for a finished lab, some of whose etcd members are dead.

    ``also``: what the survey of a machine says in its end.
    """
    site, found = plans.site("lab"), answers.declared(plans.site("lab"))
    for machine, answer in found.items():
        answer[0] = (answers.SURVEY, f"{answer[0][1]}\n{also.get(machine, '@ca AA:BB')}")
        answer.insert(0, ("alarm list", answers.etcd(site, dead)))
    flags = [word for item in data for word in ("--data", item)]
    return pyinfra(folder, plans.FILES["lab"], found, *plans.DRY, *flags, deploy="reset")


def test_it_says_what_can_be_asked_for(tmp_path: Path) -> None:
    ran = reset(tmp_path)
    assert ran.code == 1
    assert "say what to take apart: --data machine=NAME (one of cp1, cp2, cp3, w1, w2)" in ran.err
    assert "or all of it: --data cluster=lab" in ran.err


def test_a_control_plane_leaves_in_order(tmp_path: Path) -> None:
    """Its pods, the VIP and etcd's leadership, its member, its node; then what is on it."""
    ran = reset(tmp_path, "machine=cp3")
    assert ran.code == 0, ran.err
    assert ran.changes == [
        ("Leave: pods of cp3 move away", ["cp1"]),
        ("Leave: VIP and etcd's leadership", ["cp3"]),
        ("Leave: etcd member cp3", ["cp1"]),
        ("Leave: node cp3", ["cp1"]),
        ("Leave: what is on the machine", ["cp3"]),
    ]
    assert {len(entry["names"]) for entry in ran.plan} == {1}


def test_a_worker_has_no_etcd_to_leave(tmp_path: Path) -> None:
    ran = reset(tmp_path, "machine=w2", dead=("cp1", "cp2"))
    assert [step for step, _ in ran.changes] == [
        "Leave: pods of w2 move away",
        "Leave: node w2",
        "Leave: what is on the machine",
    ]


@pytest.mark.parametrize("word", ["", "break_quorum=cp3"], ids=["refused", "unless it is said"])
def test_what_would_break_the_quorum(tmp_path: Path, word: str) -> None:
    ran = reset(tmp_path, "machine=cp3", *filter(None, [word]), dead=("cp2",))
    told = "without cp3 1 of 2 members would be healthy, 2 are needed"
    assert told in ran.err
    if word:
        assert ran.changes[-1] == ("Leave: what is on the machine", ["cp3"])
    else:
        assert ran.code == 1
        assert "--data break_quorum=cp3" in ran.err
        assert ran.out == ""  # no plan


def test_the_whole_cluster_is_named(tmp_path: Path) -> None:
    ran = reset(tmp_path, "cluster=lab")
    assert ran.changes == [
        ("Leave: what is on the machine", ["cp1", "cp2", "cp3", "w1", "w2"]),
    ]


FOREIGN = '@claim {"site": "barn", "phase": "member"}'


@pytest.mark.parametrize("problem", ["@free /var/lib/etcd 0", "@os debian 11", "@ca 0A:1B"])
def test_what_is_wrong_with_a_machine_is_no_reason_to_keep_it(tmp_path: Path, problem: str) -> None:
    """Several of those messages say: reset it."""
    ran = reset(tmp_path, "machine=cp3", also={"cp3": problem})
    assert ran.code == 0, ran.err
    assert ran.changes[-1] == ("Leave: what is on the machine", ["cp3"])


@pytest.mark.parametrize(
    ("asked", "also", "told"),
    [
        ("machine=w2", {"w2": FOREIGN}, "w2: another cluster"),
        ("cluster=lab", {"w2": FOREIGN}, "w2: another cluster"),
        ("machine=w1", {"w2": FOREIGN}, ""),
        ("machine=w2", {"cp1": "@user vagrant 1000"}, "cp1: root"),
    ],
)
def test_a_reset_is_strict_about_rights_and_foreign_machines(
    tmp_path: Path, asked: str, also: dict[str, str], told: str
) -> None:
    ran = reset(tmp_path, asked, also=also)
    assert bool(ran.code) == bool(told)
    assert told in ran.err
