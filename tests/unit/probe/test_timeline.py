"""The picture of a fault is well-formed, small, and shows what was measured."""

from __future__ import annotations

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from homelab.probe.attempt import Attempt
from homelab.probe.figures import Gap
from homelab.probe.timeline import Row, draw, stretches

SVG = "{http://www.w3.org/2000/svg}"


def test_the_picture_names_rows_marks_and_outage() -> None:
    attempts = [Attempt(n / 10, n / 10, not 20 < n < 35) for n in range(100)]
    rows = [Row("reads <fresh>", attempts, Gap(2.0, 3.5)), Row("holders", [])]
    picture = draw("cp1 & friends", rows, 0, 10, {"killed": 2.0, "healthy": 8.0})
    texts = [text.text for text in ElementTree.fromstring(picture).iter(f"{SVG}text")]
    assert {"reads <fresh>", "cp1 & friends", "killed", "healthy", "1.50 s", "0 s"} <= set(texts)


def test_a_long_run_stays_small() -> None:
    attempts = [Attempt(n / 10, n / 10 + 0.01, True) for n in range(10_000)]
    assert len(stretches(attempts)) == 1


@given(st.lists(st.tuples(st.floats(0, 1000), st.floats(0, 1), st.booleans())))
def test_every_attempt_lies_in_a_stretch_of_its_kind(raw: list[tuple[float, float, bool]]) -> None:
    attempts = sorted((Attempt(s, s + d, ok) for s, d, ok in raw), key=lambda a: a.end)
    merged = stretches(attempts)
    for attempt in attempts:
        assert any(p.ok is attempt.ok and p.start <= attempt.end <= p.end for p in merged)
