"""What is kept and what is left behind when a run of the bench fails."""

from collections.abc import Iterator

import pytest

from bench import __main__ as bench
from bench import cluster
from bench.errors import BenchError
from bench.figures import Figures
from bench.fleet import growth, hosts
from bench.results import Results, page
from homelab.lab import lifecycle, paths
from homelab.probe.results import machine

Grown = tuple[int, dict[str, list[Figures]]]


@pytest.fixture(autouse=True)
def down(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Labs that were taken down; nothing is written to docs/results."""
    taken: list[str] = []
    monkeypatch.setattr(lifecycle, "down", taken.append)
    monkeypatch.setattr(Results, "write", lambda self: None)
    return taken


def fails(*_: object) -> Figures:
    raise BenchError("as it happens")


def test_a_failure_at_many_hosts_keeps_what_fewer_have_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def grown(counts: tuple[int, ...], repeats: int) -> Iterator[Grown]:
        yield counts[0], {"no-op": [Figures(1.0)] * repeats}
        fails()

    kept = Results(growth={7: {}})
    monkeypatch.setattr(growth, "measure", grown)
    with pytest.raises(BenchError):
        bench.measure(bench.parser().parse_args(["growth", "--hosts", "3", "30"]), kept)
    assert [*kept.growth] == [3]
    assert "growth" in kept.measured


def test_a_lab_goes_with_the_run_that_failed_on_it(
    monkeypatch: pytest.MonkeyPatch, down: list[str]
) -> None:
    monkeypatch.setattr(cluster, "from_nothing", fails)
    with pytest.raises(BenchError):
        bench.measure(bench.parser().parse_args(["up"]), Results())
    assert down == ["bench"]
    with pytest.raises(BenchError):
        bench.measure(bench.parser().parse_args(["up", "--keep"]), Results())
    assert down == ["bench"]


def test_the_way_from_nothing_is_held_against_four_minutes() -> None:
    run = Figures(180.0, {"lab up": 30.0, "deploy": 150.0})
    shown = page(Results({"up": [run]}))
    assert "| 180.0 | 0.75 of four minutes | 1.00 |" in shown
    assert "| lab up | 30.0 |" in shown


def test_the_page_says_which_control_groups() -> None:
    kept = Results({"up": [Figures(1.0)]})
    kept.stamp("up")
    assert f"cgroup {machine()['cgroup']}" in page(kept)


def test_no_lab_has_the_fleets_name() -> None:
    assert not hosts.NETNS.startswith(paths.Paths("fleet").netns.removesuffix("fleet"))
