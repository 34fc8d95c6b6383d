"""etcd membership with a real etcd: learners, and whatever an earlier run has left behind."""

from __future__ import annotations

import json

import pytest

from homelab.preflight.survey import CLAIM
from operations.etcd import INITIAL, InitialCluster, all_sound, etcdctl, promote_lines
from operations.guard import leave_script
from operations.membership import give_away_script
from operations.step import script
from tests.unit.operations.etcd_cluster import DATA, EtcdCluster
from tests.unit.operations.room import Machine, Room, Said, eventually


@pytest.fixture
def pair(room: Room) -> EtcdCluster:
    """cp1 is a cluster of one, cp2 has nothing."""
    cluster = EtcdCluster(room, 2)
    cluster.found(cluster.machines[0])
    return cluster


@pytest.fixture
def three(room: Room) -> EtcdCluster:
    """Three voters."""
    cluster = EtcdCluster(room, 3)
    cluster.found(*cluster.machines)
    return cluster


def join(cluster: EtcdCluster, machine: Machine) -> None:
    cluster.announce(machine)
    cluster.start(machine)
    assert promote(cluster, machine).code == 0


def promote(cluster: EtcdCluster, machine: Machine, seconds: int = 60) -> Said:
    others = [m.address for m in cluster.machines[: cluster.machines.index(machine)]]
    return machine.sh(script(*promote_lines(machine.address, others, seconds)))


def initial(machine: Machine) -> str:
    return InitialCluster().process(machine.does(InitialCluster().command()).splitlines())


BOTH = "cp1=https://10.99.0.11:2380,cp2=https://10.99.0.12:2380"


def test_a_machine_is_announced_once_however_often_the_run_is_killed(pair: EtcdCluster) -> None:
    _, second = pair.machines
    assert initial(second) == ""
    pair.announce(second)
    announced = pair.members()[second.address]
    assert (announced.status, announced.learner) == ("unstarted", True)
    assert initial(second) == BOTH
    pair.announce(second)  # killed between the announcement and etcd's start
    second.path(INITIAL).unlink()  # killed before it was noted
    pair.announce(second)
    assert pair.members()[second.address] == announced
    assert initial(second) == BOTH


def test_it_votes_when_it_is_in_sync_and_stays_as_it_is(pair: EtcdCluster) -> None:
    _, second = pair.machines
    join(pair, second)
    voter = pair.members()[second.address]
    assert (voter.status, voter.name, voter.learner) == ("started", "cp2", False)
    assert promote(pair, second).code == 0  # killed before it was recorded
    pair.announce(second)
    assert pair.members()[second.address] == voter
    assert initial(second) == BOTH


def test_a_learner_that_does_not_come_is_told_and_costs_nothing(pair: EtcdCluster) -> None:
    first, second = pair.machines
    pair.announce(second)
    said = promote(pair, second, seconds=0)
    assert said.code == 1
    assert "etcd on 10.99.0.12 is not in sync after 0 s: " in said.err
    assert "not in sync" in said.err.split("after 0 s: ")[1] or "learner" in said.err
    assert pair.answers(first)


def test_a_learner_whose_disk_is_new_is_announced_anew(pair: EtcdCluster) -> None:
    _, second = pair.machines
    pair.announce(second)
    pair.start(second)
    before = pair.members()[second.address]
    pair.stop(second)
    second.does(f"rm -rf {DATA}/member")
    pair.announce(second)
    after = pair.members()[second.address]
    assert (after.status, after.learner) == ("unstarted", True)
    assert after.id != before.id
    pair.start(second)
    assert promote(pair, second).code == 0


def test_data_of_another_life_is_removed_with_what_would_start_it(pair: EtcdCluster) -> None:
    """The machine was taken out of the cluster while it was dead."""
    _, second = pair.machines
    manifests = "/etc/kubernetes/manifests"
    for name in ("etcd", "kube-scheduler", "own"):
        second.write(f"{manifests}/{name}.yaml")
    for file in (f"{DATA}/member/snap/db", f"{DATA}/lost+found/x", INITIAL):
        second.write(file, "old\n")
    pair.announce(second)
    assert second.files(DATA, manifests) == {f"{manifests}/own.yaml", f"{DATA}/lost+found/x"}
    assert initial(second) == BOTH


def test_a_voter_whose_disk_is_new_comes_back_without_costing_the_quorum(
    three: EtcdCluster,
) -> None:
    third = three.machines[2]
    before = three.members()[third.address]
    assert leave(three, third.address).code == 0  # a dead leader would be waited for
    three.stop(third)
    third.does(f"rm -rf {DATA}/member")
    three.announce(third)
    after = three.members()
    assert (after[third.address].status, after[third.address].learner) == ("unstarted", True)
    assert after[third.address].id != before.id
    assert [member.learner for member in after.values()].count(False) == 2
    three.start(third)
    assert promote(three, third).code == 0
    assert not any(member.learner for member in three.members().values())


def test_a_machine_may_be_announced_right_after_another_was_promoted(room: Room) -> None:
    """etcd refuses that for 5 s ("unhealthy cluster"); nothing has happened then."""
    cluster = EtcdCluster(room, 3)
    first, second, third = cluster.machines
    cluster.found(first)
    join(cluster, second)
    cluster.announce(third)
    assert cluster.members()[third.address].learner


def leader(cluster: EtcdCluster) -> str:
    """Address of the leader."""
    for machine in cluster.machines:
        status = machine.does(f"{etcdctl([machine.address])} endpoint status -w json")
        (told,) = (endpoint["Status"] for endpoint in json.loads(status))
        if told["leader"] == told["header"]["member_id"]:
            return machine.address
    raise AssertionError("no leader")


def leave(cluster: EtcdCluster, address: str, *known: Machine) -> Said:
    """The quorum guard, on the machine that is to be interrupted; it knows of the others."""
    (machine,) = [m for m in cluster.machines if m.address == address]
    others = [m.address for m in known or cluster.machines if m != machine]
    return machine.sh(leave_script(address, others))


def test_leadership_moves_away_before_a_machine_is_interrupted(three: EtcdCluster) -> None:
    first = leader(three)
    assert leave(three, first).code == 0
    second = leader(three)
    assert second != first
    assert leave(three, first).code == 0  # it leads no more: nothing moves
    assert leader(three) == second


# etcdctl 3.6 as far as these scripts use it: IS LEADER is another column of what has no names.
NEWER = """#!/bin/sh
case "$*" in
    *" -w "*) exec /usr/bin/etcdctl "$@" ;;
    *"endpoint status"*)
        /usr/bin/etcdctl "$@" | sed 's/, /, 3.6.0, /3; s/, /, 20 kB, 90%, 0 B, /5' ;;
    *) exec /usr/bin/etcdctl "$@" ;;
esac
"""


def test_leadership_moves_whatever_the_columns_of_a_status_are(three: EtcdCluster) -> None:
    first = leader(three)
    (machine,) = [m for m in three.machines if m.address == first]
    machine.program("etcdctl", NEWER)
    assert leave(three, first).code == 0
    assert leader(three) != first


def test_leadership_moves_before_a_machine_leaves_for_good(three: EtcdCluster) -> None:
    first = leader(three)
    (machine,) = [m for m in three.machines if m.address == first]
    machine.does(give_away_script("lab", first))
    second = leader(three)
    assert second != first
    assert '"joining"' in machine.read(CLAIM)
    machine.does(give_away_script("lab", first))
    assert leader(three) == second
    three.stop(machine)
    machine.does(give_away_script("lab", first))  # with its etcd dead it leaves as well


def test_nothing_is_taken_down_while_a_member_is_dead_or_does_not_vote(
    three: EtcdCluster,
) -> None:
    first, second, third = three.machines
    assert leave(three, third.address).code == 0  # a dead leader would be waited for
    three.stop(third)
    for known in ((), (first, second)):  # wiped: it is on etcd's list, and no member to the run
        said = leave(three, first.address, *known)
        assert said.code == 1
        assert "nothing is taken down now. " in said.err
        assert "https://10.99.0.13:2379 is unhealthy" in said.err
    eventually(lambda: leave(three, third.address).code == 0, "the sick one may be mended")
    third.does(f"rm -rf {DATA}/member")
    three.announce(third)
    said = leave(three, first.address)
    assert said.code == 1
    assert "does not vote: https://10.99.0.13:2380 (unstarted, learner)" in said.err
    three.start(third)
    said = leave(three, first.address)
    assert said.code == 1
    assert "nothing is taken down now" in said.err


def test_a_join_waits_until_all_others_are_sound(three: EtcdCluster) -> None:
    """This machine's own leftovers are for the announcement; the others must carry it."""
    first, second, third = three.machines
    others = [first.address, second.address]

    def asked() -> Said:
        return third.sh(all_sound(others, [third.address]))

    assert asked() == Said(0, "all are healthy\n", "")
    three.stop(third)
    third.does(f"rm -rf {DATA}/member")
    eventually(lambda: asked().code == 0, "it may join again")  # it may have been the leader
    three.announce(third)
    eventually(lambda: asked().code == 0, "its own learner is no obstacle")
    three.stop(second)
    said = asked()
    assert said.code == 1
    assert said.out.strip()
