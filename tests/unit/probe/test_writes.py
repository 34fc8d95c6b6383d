"""What became of acknowledged writes."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from homelab.probe.attempt import Attempt
from homelab.probe.writes import UNKNOWN, judge


def write(number: int, outcome: str, revision: int = 0) -> Attempt:
    said = {"ok": str(revision), "unknown": f"{UNKNOWN}time-out"}.get(outcome, "not written: no")
    return Attempt(number, number + 0.5, outcome == "ok", f"r-{number}", said)


def test_an_acknowledged_write_that_is_gone_is_lost() -> None:
    verdict = judge([write(0, "ok", 5), write(1, "ok", 6)], {"r-0": 5})
    assert verdict.lost == ("r-1",)
    assert verdict.faults == {"lost": ("r-1",)}


def test_an_unknown_write_may_be_there_or_not() -> None:
    attempts = [write(0, "unknown"), write(1, "unknown")]
    verdict = judge(attempts, {"r-1": 9})
    assert not verdict.faults
    assert verdict.unknown == 2


def test_a_write_that_surely_failed_must_not_be_there() -> None:
    assert judge([write(0, "refused")], {"r-0": 3}).phantom == ("r-0",)


def test_a_write_must_keep_the_revision_that_was_acknowledged() -> None:
    assert judge([write(0, "ok", 5)], {"r-0": 7}).changed == ("r-0",)


def test_a_later_write_must_have_a_later_revision() -> None:
    attempts = [write(0, "ok", 5), write(1, "ok", 4)]
    assert judge(attempts, {"r-0": 5, "r-1": 4}).disordered == ("r-1",)


@given(st.lists(st.sampled_from(["ok", "unknown", "refused"])), st.randoms())
def test_a_store_that_keeps_its_promises_is_never_blamed(
    outcomes: list[str], chance: Random
) -> None:
    attempts, found = [], {}
    for number, outcome in enumerate(outcomes):
        attempts.append(write(number, outcome, revision=10 + number))
        applied = outcome == "ok" or (outcome == "unknown" and chance.random() < 0.5)
        if applied:
            found[f"r-{number}"] = 10 + number
    verdict = judge(attempts, found)
    assert not verdict.faults
    assert verdict.acknowledged == outcomes.count("ok")
