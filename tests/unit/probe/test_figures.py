"""Seconds of outage from attempts: by example, and as properties of any run."""

from __future__ import annotations

from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homelab.probe import figures
from homelab.probe.attempt import Attempt


def at(*moments: float, ok: bool = True, said: str = "") -> list[Attempt]:
    return [Attempt(moment - 0.01, moment, ok, said=said) for moment in moments]


def in_order(*lists: list[Attempt]) -> list[Attempt]:
    return sorted(chain(*lists), key=lambda attempt: attempt.end)


moments = st.lists(st.floats(0, 100, allow_nan=False), min_size=1, max_size=60).map(sorted)
windows = st.tuples(st.floats(0, 100), st.floats(0, 100)).map(sorted)


def test_an_outage_lasts_from_the_last_success_to_the_first_one_after() -> None:
    attempts = in_order(at(1.0, 1.1, 1.2, 3.7, 3.8, 9.0), at(1.5, 2.5, ok=False))
    gap = figures.longest_outage(attempts, since=1.25, until=4.0)
    assert (gap.start, gap.end, gap.over) == (3.8, 9.0, True)
    gap = figures.longest_outage(attempts, since=1.25, until=3.8)
    assert (gap.start, gap.end) == (1.2, 3.7)
    assert gap.seconds == pytest.approx(2.5)


def test_an_outage_before_the_fault_is_not_the_faults() -> None:
    attempts = at(1.0, 8.0, 8.1, 8.2, 8.3)
    assert figures.longest_outage(attempts, since=8.05, until=8.3).seconds == pytest.approx(0.1)


def test_what_never_comes_back_is_not_over() -> None:
    gap = figures.longest_outage(at(1.0, 1.1), since=1.05, until=30.0)
    assert (gap.start, gap.end, gap.over) == (1.1, 30.0, False)


def test_no_success_at_all_is_an_outage_of_the_whole_time() -> None:
    gap = figures.longest_outage(at(1.0, 2.0, ok=False), since=0.5, until=2.5)
    assert (gap.start, gap.end, gap.over) == (0.5, 2.5, False)


@given(moments, windows)
def test_more_successes_never_make_an_outage_longer(ends: list[float], window: list[float]) -> None:
    since, until = window
    fewer = figures.longest_outage(at(*ends[::2], 200), since, until)
    more = figures.longest_outage(at(*ends, 200), since, until)
    assert more.seconds <= fewer.seconds


@given(moments, windows)
def test_there_is_no_success_inside_an_outage(ends: list[float], window: list[float]) -> None:
    gap = figures.longest_outage(at(*ends), *window)
    assert not any(gap.start < end < gap.end for end in ends)
    assert gap.seconds >= 0
    assert gap.over or gap.end == window[1]


@given(moments, windows)
def test_failures_do_not_change_the_outage(ends: list[float], window: list[float]) -> None:
    good = at(*ends)
    with_failures = in_order(good, at(*(end + 0.001 for end in ends), ok=False))
    assert figures.longest_outage(good, *window) == figures.longest_outage(with_failures, *window)


@given(moments, windows)
def test_a_tally_counts_every_attempt_once(ends: list[float], window: list[float]) -> None:
    attempts = in_order(at(*ends[::2]), at(*ends[1::2], ok=False))
    whole = figures.tally(attempts, -1, 101)
    assert (whole.attempts, whole.failed) == (len(ends), len(ends[1::2]))
    assert figures.tally(attempts, *window).attempts <= whole.attempts


def test_a_probe_that_was_held_up_knows_how_long() -> None:
    assert figures.blind(at(1.01, 1.11, 1.91), 1.0, 2.0) == pytest.approx(0.8)


def test_two_holders_are_timed_from_the_first_shared_round_to_the_last() -> None:
    rounds = [
        Attempt(0.00, 0.05, True, said="a"),
        Attempt(0.05, 0.10, True, said="a b"),
        Attempt(0.10, 0.15, True, said="a b"),
        Attempt(0.15, 0.20, False),
        Attempt(0.20, 0.25, True, said="a b"),
        Attempt(0.25, 0.30, True, said="b"),
    ]
    assert figures.longest_shared(rounds, 0, 1) == pytest.approx(0.10)
    assert figures.longest_shared(rounds, 0.15, 1) == pytest.approx(0.05)
    assert figures.holders(rounds, 0, 1) == ["a", "b"]


def test_one_holder_is_never_shared() -> None:
    assert figures.longest_shared([Attempt(0, 1, True, said="a")], 0, 1) == 0


@given(st.lists(st.floats(0, 1000), min_size=1))
def test_a_spread_is_in_order(values: list[float]) -> None:
    seen = figures.spread(values)
    assert seen.least <= seen.median <= seen.most
    assert seen.count == len(values)


def test_there_is_no_spread_of_nothing() -> None:
    with pytest.raises(ValueError, match="no figures"):
        figures.spread([])
