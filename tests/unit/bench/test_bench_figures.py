"""Figures: summed up, read from what the runs print, kept and shown."""

from pathlib import Path

import pytest

from bench import cluster
from bench.figures import Figures, median, share, spread, typical
from bench.fleet import hosts
from bench.results import Results, page, table


def runs(*seconds: float) -> list[Figures]:
    return [Figures(s, {"all": s}, {"cp1": 3}, 0.5) for s in seconds]


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [((), "-"), ((2.0,), "2.0"), ((4.0, 1.0, 2.0), "2.0 (1.0 to 4.0)")],
)
def test_spread(seconds: tuple[float, ...], shown: str) -> None:
    assert spread(runs(*seconds)) == shown


def test_median_of_nothing_is_nothing() -> None:
    assert median([]) is None
    assert median(runs(1, 3)) == 2


def test_the_typical_run_is_the_one_nearest_to_the_median() -> None:
    assert typical(runs(9, 1, 4)).seconds == 4


def test_share() -> None:
    assert share(3, 4) == "0.75"
    assert share(None, 4) == "-"
    assert share(3, 0) == "-"


def test_phases_of_the_bare_script_are_found_among_what_machines_say() -> None:
    output = "  12.51 host\n[certs] Generating\n   9.00 join cp2\n 7 lines\n  99.00 total\n1.5 x\n"
    assert cluster.bare_phases(output) == {"host": 12.51, "join cp2": 9.0, "lines": 7.0}


def test_phases_of_the_deploy() -> None:
    text = '{"phases": [{"name": "Host", "seconds": 3.5}, {"name": "Health", "seconds": 1}]}'
    assert cluster.deploy_phases(text) == {"Host": 3.5, "Health": 1.0}


def test_results_are_read_as_they_were_written(tmp_path: Path) -> None:
    kept = Results({"bare": runs(80), "deploy": runs(90, 100)}, {3: {"no-op": runs(2)}})
    kept.stamp("deploy")
    kept.write(tmp_path)
    assert Results.read(tmp_path / "bench.json") == kept


def test_without_a_file_there_are_no_results(tmp_path: Path) -> None:
    assert Results.read(tmp_path / "bench.json") == Results()


def test_the_page_compares_and_says_what_is_missing() -> None:
    results = Results({"bare": runs(80), "deploy": runs(100)}, {30: {"no-op": runs(6)}})
    shown = page(results)
    assert "1.25 of the bare script" in shown
    assert "- of ansible-core" in shown
    assert "| 30 | - | 6.0 | 0.20 |" in shown
    assert "| bare | 3 |" in shown


def test_a_table_is_markdown() -> None:
    assert table(("a", "b"), [("x", "1")]) == "| a | b |\n| --- | ---: |\n| x | 1 |\n"


def test_hosts_of_the_fleet_have_addresses_of_their_own() -> None:
    found = hosts.hosts(30)
    assert len({host.address for host in found}) == 30
    assert (found[0].name, found[0].address) == ("h1", "10.78.0.11")
    with pytest.raises(ValueError, match="1 to 200"):
        hosts.hosts(0)
