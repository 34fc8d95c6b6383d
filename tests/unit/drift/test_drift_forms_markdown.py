"""Markdown as GitHub reads it: tables that hold, fences that nothing breaks out of."""

from __future__ import annotations

import pytest

from homelab.drift.forms import markdown
from homelab.drift.report import Report
from tests.unit.drift.drift_readers import kinds, tokens
from tests.unit.drift.drift_reports import DIFF, clean, full, hostile


def texts(report: Report, kind: str) -> list[str]:
    return [token.content for token in tokens(report) if token.type == kind]


def test_a_clean_day() -> None:
    assert markdown.render(clean()) == (
        "# Drift of `example`\n\n**clean: 4 machines as declared**\n\n"
        "Read at 2026-07-01T12:30:15Z, in 12.3 s.\n"
    )


def test_a_table_for_each_severity() -> None:
    titles = ["critical (1)", "high (2)", "medium (1)", "info (1)", "accepted (1)"]
    shown = texts(full(), "inline")
    assert [text for text in shown if text in titles] == titles
    assert len(texts(full(), "table_open")) == 4
    assert len(texts(full(), "tr_open")) == 4 + 5
    assert f"**{full().verdict}**" in shown
    assert "drift, new" in shown
    code = texts(full(), "code_inline")
    assert {"n2", "/etc/haproxy/haproxy.cfg", "6 lines", "7 lines", "host.swap/n4/swap"} <= set(
        code
    )
    assert texts(full(), "fence") == [DIFF]


def test_a_hostile_machine_stays_in_its_cells_and_fences() -> None:
    """The same report with harmless texts has the same structure, and the code says all."""
    assert kinds(hostile()) == kinds(hostile("a\nb"))
    assert {"html_inline", "html_block", "link_open", "em_open"} & set(kinds(hostile())) == set()
    (diff,) = texts(hostile(), "fence")
    assert "\n```\n# out\n" in diff
    assert any("[a](http://evil.example) @everyone" in t for t in texts(hostile(), "code_inline"))


@pytest.mark.parametrize(
    "text", ["|", "\\", "\\|", "`", "``|``", " ", "", "a ", " a ", " a", "`````", "<b>"]
)
def test_a_cell_is_what_was_said(text: str) -> None:
    code = texts(hostile(text), "code_inline")
    assert code.count(text) >= 8 or not text.strip()
    cells = kinds(hostile(text))
    assert cells.count("td_open") == 8 * 2
