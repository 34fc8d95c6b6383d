"""Attempts survive the way through a file, and a killed probe costs at most the line it wrote."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st

from homelab.probe.attempt import Attempt, parse, write

times = st.floats(0, 1e6)
attempts = st.builds(Attempt, times, times, st.booleans(), st.text(), st.text())


@given(st.lists(attempts))
def test_what_was_written_is_read_back_by_time_of_completion(wanted: list[Attempt]) -> None:
    file = io.StringIO()
    for attempt in wanted:
        write(file, attempt)
    assert parse(file.getvalue().splitlines(keepends=True)) == sorted(
        wanted, key=lambda attempt: attempt.end
    )


def test_a_torn_last_line_is_left_out() -> None:
    file = io.StringIO()
    write(file, Attempt(1, 2, True))
    assert parse([file.getvalue(), '{"start": 3, "en']) == [Attempt(1, 2, True)]
