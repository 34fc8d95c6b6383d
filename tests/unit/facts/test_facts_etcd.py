"""etcd on good and bad days: captured from real members of 3.4.23."""

from __future__ import annotations

from facts.etcd import LOCAL, EtcdState, parse
from tests.unit.facts.fact_captures import capture


def state(name: str) -> EtcdState:
    return parse(capture(f"etcd-{name}"))


def test_a_member_of_the_lab() -> None:
    found = state("lab-member")
    assert found.healthy is True
    assert not found.unread
    assert [member.name for member in found.members or ()] == ["cp1", "cp2", "cp3"]
    cp2 = found.member("cp2")
    assert cp2 is not None
    assert cp2.started
    assert not cp2.is_learner
    assert cp2.peer_urls == ("https://10.77.0.12:2380",)
    assert cp2.client_urls == ("https://10.77.0.12:2379",)
    status = found.status()
    assert status is not None
    assert status.member == cp2.id
    assert not status.is_leader
    assert status.version == "3.4.23"
    assert status.db_size > 1_000_000
    assert found.alarms == ()


def test_identities_are_hexadecimal_as_etcdctl_takes_them() -> None:
    one = state("one-member")
    assert [member.id for member in one.members or ()] == [f"{758659209188475983:x}"]
    assert [status.is_leader for status in one.statuses or ()] == [True]


def test_a_learner_that_was_announced_and_never_started_has_no_name() -> None:
    first, learner = state("learner-announced").members or ()
    assert first.started
    assert not learner.started
    assert learner.is_learner
    assert learner.client_urls == ()
    assert learner.peer_urls == ("https://127.0.0.1:22380",)


def test_a_learner_answers_for_its_status_only() -> None:
    found = state("learner-itself")
    assert found.members is None
    assert "rpc not supported for learner" in found.unread["members"]
    (status,) = found.statuses or ()
    assert status.is_learner
    assert found.healthy is False


def test_one_of_three_dead() -> None:
    found = state("one-of-three-dead")
    assert len(found.members or ()) == 3  # the list knows nothing of who is alive
    assert len(found.statuses or ()) == 2
    assert "127.0.0.1:32379" in found.unread["statuses"]
    assert [h.endpoint for h in found.healths or () if not h.healthy] == ["https://127.0.0.1:32379"]
    assert found.healthy is False


def test_without_a_quorum_there_is_no_leader_and_no_health() -> None:
    found = state("no-quorum")
    status = found.status(LOCAL)
    assert status is not None
    assert status.leader == "0"
    assert not status.is_leader
    assert status.errors == ("etcdserver: no leader",)
    assert found.alarms is None
    assert found.healthy is False


def test_an_alarm_makes_a_healthy_member_unhealthy() -> None:
    found = state("no-space")
    assert [(alarm.alarm, alarm.member) for alarm in found.alarms or ()] == [
        ("NOSPACE", f"{758659209188475983:x}")
    ]
    assert all(health.healthy for health in found.healths or ())
    assert found.healthy is False


def test_dead_and_hung_are_neither_empty_nor_healthy() -> None:
    for name in ("dead", "hung"):
        found = state(name)
        assert found.members is None
        assert found.healthy is False
        assert set(found.unread) == {"members", "statuses", "alarms"}


def test_nothing_known_is_not_healthy() -> None:
    assert parse([]).healthy is None
