"""What cannot be seen is written out; everything that can be stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homelab.drift.forms.diff import parts
from homelab.drift.forms.entry import utc
from homelab.drift.forms.escape import SELECTORS, visible
from tests.unit.drift.drift_reports import AT, DIFF, unseen


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("größer 日本 🖥", "größer 日本 🖥"),
        ("\x1b[2J", r"\x1b[2J"),
        ("\x9b", r"\x9b"),
        ("a\tb\r\n", r"a\x09b\x0d\x0a"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("\udc80", r"\udc80"),
        ("\U000e0041", r"\U000e0041"),
        ("a\u2028b", r"a\u2028b"),
        ("a\ufe0fb\U000e0100", r"a\ufe0fb\U000e0100"),
        ("\\x1b", "\\x1b"),
    ],
)
def test_what_is_written_out(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_newlines_stay_where_there_are_lines() -> None:
    assert visible("a\r\nb\n", lines=True) == "a\\x0d\nb\n"


@given(st.text(st.characters()))
def test_nothing_unseen_is_left(text: str) -> None:
    assert unseen(visible(text)) == set()
    assert "\n" not in visible(text)
    visible(text, lines=True).encode()  # no lone surrogates


@given(st.text(st.characters(exclude_categories=["C", "Zl", "Zp"])))
def test_what_can_be_seen_stays(text: str) -> None:
    seen = "".join(c for c in text if ord(c) not in SELECTORS)
    assert visible(seen) == seen


def test_the_lines_of_a_diff() -> None:
    found = list(parts(DIFF))
    assert "\n".join(line for _, line in found) + "\n" == DIFF
    assert [part for part, _ in found] == [
        "head", "head", "head", "same", "removed", "added", "removed",
    ]  # fmt: skip
    assert list(parts("")) == []


def test_a_time() -> None:
    assert utc(AT) == "2026-07-01T12:30:15Z"
