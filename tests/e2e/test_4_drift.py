"""Drift: nothing where nothing is, each real drift as what it is, and clean again after it."""

from __future__ import annotations

import time
from typing import Any

import pytest

from homelab.lab.paths import REPO
from tests.e2e.support.drift import drift, until_clean
from tests.e2e.support.drift_table import Row, Table
from tests.e2e.support.drifts import DRIFTS, Drift
from tests.e2e.support.rig import Rig

SETTLED_S = 60.0


@pytest.fixture(scope="module")
def table(request: pytest.FixtureRequest) -> Table:
    return Table(REPO / "docs/results" / ("" if request.config.getoption("--all") else "latest"))


def test_a_cluster_as_declared_has_no_finding(rig: Rig) -> None:
    seen = until_clean(rig, SETTLED_S)
    assert (seen.code, seen.findings) == (0, ())


@pytest.mark.parametrize(
    "wanted",
    [pytest.param(d, id=d.name, marks=() if d.core else pytest.mark.long) for d in DRIFTS],
)
def test_a_drift_is_found_as_what_it_is(rig: Rig, table: Table, wanted: Drift) -> None:
    began = time.monotonic()
    rig.root(wanted.machine, f"set -e\n{wanted.inject}")
    try:
        seen, found = look(rig, wanted)
        took = time.monotonic() - began
    finally:
        rig.root(wanted.machine, f"set -e\n{wanted.heal}")
    others = {f["id"] for f in seen if f["rule"] not in wanted.beside} - {f["id"] for f in found}
    assert (len(found), others) == (1, set()), [f["id"] for f in seen]
    assert found[0]["kind"] == wanted.kind
    clean = until_clean(rig, SETTLED_S + wanted.patience)
    assert clean.ids == set()
    told = found[0]
    table.add(Row(wanted.name, told["machine"], told["id"], told["severity"], round(took, 1)))


def look(rig: Rig, wanted: Drift) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """All findings, and those that were expected; as long as the machines may take to show it."""
    deadline = time.monotonic() + wanted.patience
    while True:
        seen = list(drift(rig).findings)
        found = [f for f in seen if str(f["id"]).startswith(wanted.finding)]
        if found or time.monotonic() > deadline:
            return seen, found
        time.sleep(1.0)
