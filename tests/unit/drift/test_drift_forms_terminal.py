"""The report at a terminal: complete in any width, worst first."""

from __future__ import annotations

import re

import pytest
from rich.cells import cell_len

from tests.unit.drift.drift_reports import clean, full, hostile, printed


def test_a_clean_day_is_one_line() -> None:
    assert printed(clean()) == "clean: 4 machines as declared\n"


def test_all_of_a_finding() -> None:
    lines = [line.rstrip() for line in printed(full(), 120).splitlines()]
    assert lines[0] == full().verdict
    at = lines.index("  n2 /etc/haproxy/haproxy.cfg (drift, new)")
    assert lines[at : at + 13] == [
        "  n2 /etc/haproxy/haproxy.cfg (drift, new)",
        "    expected 6 lines",
        "    actual   7 lines",
        "    since    2026-06-30T04:05:06Z",
        "    why      a balancer with another configuration hides dead API servers",
        "    mend     run deploys/cluster.py",
        "      --- declared",
        "      +++ on n2",
        "      @@ -1,3 +1,3 @@",
        "       frontend api",
        "      -    bind 192.168.10.10:6443",
        "      +    bind 0.0.0.0:6443",
        "      --- a dashed line",
    ]


def test_worst_first_then_what_is_accepted_and_gone() -> None:
    titles = re.findall(r"^(\w[\w ]+) \(\d+\)$", printed(full()), re.MULTILINE)
    assert titles == ["critical", "high", "medium", "info", "accepted"]
    shown = " ".join(printed(full()).split())
    assert "n1 ops (access.key) until 2026-08-01, mira: until the new key is out" in shown
    assert shown.endswith("gone since the last run: etcd.alarm/n1/NOSPACE, host.swap/n4/swap")


@pytest.mark.parametrize("width", [20, 40, 80])
def test_nothing_is_cut_off(width: int) -> None:
    def words(text: str) -> str:
        return re.sub(r"\s", "", text)

    for report in (clean(), full(), hostile(), hostile("日本" * 30)):
        shown = printed(report, width)
        assert max(map(cell_len, shown.splitlines())) <= width
        assert "…" not in shown
    narrow = words(printed(full(), width))
    for line in printed(full(), 200).splitlines():
        assert all(words(word) in narrow for word in line.split("  "))


def test_no_markup_is_taken_for_one() -> None:
    assert "[bold red]ok[/]" in printed(hostile(), 400)
