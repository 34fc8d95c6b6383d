"""Figures as JSON and as a table that marks what missed its aim."""

from __future__ import annotations

import json

from homelab.probe.results import Fault, Results, as_json, as_markdown, machine, misses, rows

KILLED = Fault(
    "vip-holder-killed",
    "VIP holder loses power",
    {"vip": 1.0, "writes": 2.0},
    [{"vip": 0.6, "writes": 2.5}, {"vip": 0.8, "writes": 2.1}, {"vip": 0.7, "writes": 1.9}],
    "2026-11-24",
    picture=True,
)
UNSEEN = Fault("kubelet-stopped", "kubelet stops", {"vip": 0.0}, [{"vip": 0.1}], "2026-11-23")
ALL = Results("Faults", {"advert_ms": 100}, [KILLED, UNSEEN])


def test_a_median_above_its_aim_is_marked() -> None:
    table = as_markdown(ALL, ["vip", "writes"], "faults")
    assert (
        "| [VIP holder loses power](faults/vip-holder-killed.svg) | 3 "
        "| 0.60 / 0.70 / 0.80 (≤ 1) | **1.90 / 2.10 / 2.50** (≤ 2) | 2026-11-24 |"
    ) in table
    assert "| kubelet stops | 1 | 0.10 (≤ 0) | - | 2026-11-23 |" in table
    assert misses(KILLED) == {"writes": 2.1}


def test_the_pace_of_the_probe_does_not_miss_an_aim_of_zero() -> None:
    assert misses(UNSEEN) == {}


def test_json_holds_settings_machine_and_every_run() -> None:
    data = json.loads(as_json(ALL))
    assert data["settings"] == {"advert_ms": 100}
    assert data["faults"][0]["runs"][1] == {"vip": 0.8, "writes": 2.1}
    assert data["machine"]["cores"] == machine()["cores"]


def test_a_later_session_can_go_on_with_an_earlier_ones_rows() -> None:
    assert list(rows(as_json(ALL)).values()) == [KILLED, UNSEEN]
