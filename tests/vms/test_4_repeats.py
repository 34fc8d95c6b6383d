"""The same change again and again: how long each takes, and that every mistake heals by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from homelab.lab.paths import REPO
from tests.e2e.support import sites
from tests.e2e.support.pyinfra import Run
from tests.e2e.support.report import Report
from tests.e2e.support.rig import INVENTORY, Rig
from tests.vms.bond import Lost, Pinging
from tests.vms.twin import MACHINE, TAKEN_BACK, apply, bonded, settle, state

pytestmark = pytest.mark.long
COLUMNS = ("whole run", "silence", "packets lost")
TIMES_OUT_OF = 10
SHORT_TRIAL_S = 60


@pytest.fixture(scope="module")
def changes_report(request: pytest.FixtureRequest, rig: Rig) -> Report:
    folder = REPO / "docs/results" / ("" if request.config.getoption("--all") else "latest")
    return Report(rig, folder, "changes", "Changes of a network over itself", COLUMNS)


@pytest.mark.parametrize(
    ("name", "title", "network"),
    [
        ("no-such-vlan", "a VLAN that does not exist", "vlan=77"),  # the only connection is lost
        ("wrong-gateway", "a wrong gateway", "gateway='10.77.0.99'"),
    ],
)
def test_a_mistake_heals_ten_times_out_of_ten(
    rig: Rig, changes_report: Report, name: str, title: str, network: str
) -> None:
    """Nobody touches the machine in between."""
    before = state(rig)
    trial = f"timings=_lab.timings.replace(network_trial_s={SHORT_TRIAL_S})"
    wrong = sites.changed(rig, name, f"network=_lab.network.replace({network}), {trial}")
    for number in range(TIMES_OUT_OF):
        run, lost = watched(rig, f"{name}-{number}", wrong)
        assert run.returncode == 1
        assert TAKEN_BACK in run.output, run.output[-3000:]
        assert "the gateway answers" in run.output.partition("Failed: ")[2], run.output[-3000:]
        settle(rig)
        assert state(rig) == before
        row = f"{title}: taken back (on trial for {SHORT_TRIAL_S} s)"
        changes_report.put(name, row, {}, told(run, lost))


def test_how_long_changes_take(rig: Rig, changes_report: Report, repeats: int) -> None:
    hashed = bonded(rig, "layer2+3", "xmit_hash_policy='layer2+3'")
    slow = bonded(rig, "slow-lacp", "lacp_rate='slow'")
    changes = {
        "live": ("a new hash, written to the living bond", (hashed, INVENTORY)),
        "anew": ("another LACP rate: the bond is made anew", (slow, INVENTORY)),
    }
    for number in range(repeats):
        for again in (1, 2):  # as often as each of the others, which go there and back
            run, lost = watched(rig, f"no-op-{number}-{again}", INVENTORY)
            assert run.returncode == 0, run.output[-3000:]
            changes_report.put("no-op", "nothing to do", {}, told(run, lost))
        for name, (title, inventories) in changes.items():
            for inventory in inventories:
                run, lost = watched(rig, f"{name}-{number}", inventory)
                assert run.returncode == 0, run.output[-3000:]
                settle(rig)
                changes_report.put(name, f"{title}; confirmed", {}, told(run, lost))


def watched(rig: Rig, name: str, inventory: str | Path) -> tuple[Run, Lost]:
    with Pinging(rig, rig.address(MACHINE)) as pinging:
        run = apply(rig, name, inventory)
        return run, pinging.stop()


def told(run: Run, lost: Lost) -> dict[str, float]:
    seen = {"silence": lost.longest_s, "packets lost": float(lost.lost)}
    return {"whole run": round(run.seconds, 1), **seen}
