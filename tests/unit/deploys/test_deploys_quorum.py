"""A machine leaves only if a majority agrees today, and is a majority afterwards."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homelab.quorum import majority, refusal

NAMES = ("cp1", "cp2", "cp3", "cp4", "cp5")
VOTERS = st.sets(st.sampled_from(NAMES), min_size=1)


@pytest.mark.parametrize(("voters", "needed"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3), (7, 4)])
def test_majority(voters: int, needed: int) -> None:
    assert majority(voters) == needed


@pytest.mark.parametrize(
    ("healthy", "leaving", "why"),
    [
        ({"cp1", "cp2", "cp3"}, "cp3", None),
        ({"cp1", "cp2"}, "cp3", None),  # it is the dead one
        ({"cp1", "cp2"}, "cp2", "without cp2 1 of 2 members would be healthy, 2 are needed"),
        ({"cp1"}, "cp3", "etcd has no quorum: 1 of 3 members are healthy, 2 are needed"),
        (set(), "cp1", "etcd has no quorum: 0 of 3 members are healthy, 2 are needed"),
    ],
)
def test_of_three(healthy: set[str], leaving: str, why: str | None) -> None:
    said = refusal({"cp1", "cp2", "cp3"}, healthy, leaving)
    assert said == why or (why and why in str(said))


def test_the_only_member_holds_the_data() -> None:
    assert refusal({"cp1"}, {"cp1"}, "cp1") == "cp1 is the only etcd member: its data would be gone"


@given(VOTERS, st.sets(st.sampled_from(NAMES)), st.sampled_from(NAMES))
def test_who_may_leave_costs_no_quorum(voters: set[str], healthy: set[str], leaving: str) -> None:
    alive, remaining = healthy & voters, voters - {leaving}
    safe = (
        len(alive) >= majority(len(voters))
        and bool(remaining)
        and len(alive & remaining) >= majority(len(remaining))
    )
    assert (refusal(voters, healthy, leaving) is None) == safe


@given(st.sets(st.sampled_from(NAMES), min_size=2), st.data())
def test_of_healthy_voters_anyone_may_leave(voters: set[str], data: st.DataObject) -> None:
    assert refusal(voters, voters, data.draw(st.sampled_from(sorted(voters)))) is None
