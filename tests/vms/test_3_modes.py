"""Every mode of the kernel: made over the bond before it, and what a cut or silent leg costs."""

from __future__ import annotations

import time
from dataclasses import dataclass

import pytest

from homelab.lab.plan import GATEWAY, LEGS
from tests.e2e.support.report import Report
from tests.e2e.support.rig import Rig
from tests.e2e.support.waiting import Condition, wait_for
from tests.vms.bond import Lost, Pinging, whole
from tests.vms.twin import MACHINE, bonded, change_mode, mode_of, settle, vms

HOLD_S = 10  # a silent leg that nobody notices goes on losing packets


@dataclass(frozen=True)
class Mode:
    """A mode of the kernel with ``options`` of the site's.

    ``notices_s``: how long it may take until a leg that is silent is left out; None: never, as
    its link is up and nothing else is watched.
    """

    name: str
    mode: str
    options: str = ""
    notices_s: float | None = None


BY_ARP = f"miimon_ms=0, arp_interval_ms=500, arp_targets=('{GATEWAY}',)"
MODES = [
    Mode("802.3ad", "802.3ad", notices_s=10),
    Mode("802.3ad-slow", "802.3ad", "lacp_rate='slow'", notices_s=120),
    Mode("active-backup", "active-backup"),
    Mode("active-backup-by-arp", "active-backup", BY_ARP, notices_s=10),
    *(
        Mode(mode, mode)
        for mode in ("balance-rr", "balance-xor", "broadcast", "balance-tlb", "balance-alb")
    ),
]


@pytest.mark.long
@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.name)
def test_a_mode(rig: Rig, report: Report, repeats: int, mode: Mode) -> None:
    become(rig, mode)
    for number in range(repeats):
        lost = a_leg_is_cut(rig, 1 + number % LEGS)
        report.put(f"{mode.name}-cut", f"{mode.name}: a leg is cut, and healed", {}, told(lost))
        silent, noticed = a_leg_is_silent(rig, mode)
        figures = told(silent) | ({} if noticed is None else {"noticed after": round(noticed, 1)})
        title = f"{mode.name}: a leg is silent while its link stays up"
        if mode.notices_s is None:
            title += f", for {HOLD_S} s: unnoticed"
        report.put(f"{mode.name}-silent", title, {}, figures)


@pytest.mark.long
def test_back_to_what_the_site_says(rig: Rig) -> None:
    become(rig, MODES[0])


def become(rig: Rig, mode: Mode) -> None:
    options = ", ".join(filter(None, [f"mode={mode.mode!r}", mode.options]))
    site = bonded(rig, mode.name, options)
    run = change_mode(rig, mode.name, site)
    assert run.returncode == 0, run.output[-3000:]
    assert mode_of(rig) == mode.mode
    settle(rig)


def a_leg_is_cut(rig: Rig, leg: int) -> Lost:
    with Pinging(rig, rig.address(MACHINE)) as pinging:
        vms(rig).cut_leg(MACHINE, leg)
        time.sleep(3)
        vms(rig).heal_leg(MACHINE, leg)
        settle(rig)
        return pinging.stop()


def a_leg_is_silent(rig: Rig, mode: Mode) -> tuple[Lost, float | None]:
    """What was lost, and seconds until the machine left the leg out (None: it never would)."""
    noticed = None
    with Pinging(rig, rig.address(MACHINE)) as pinging:
        began = vms(rig).silence_leg(MACHINE, 1)
        if mode.notices_s is None:
            time.sleep(HOLD_S)
        else:
            wait_for([Condition("it is left out", lambda: _left_out(rig))], mode.notices_s)
            noticed = time.monotonic() - began
        vms(rig).heal_leg(MACHINE, 1)
        settle(rig)
        return pinging.stop(), noticed


def told(lost: Lost) -> dict[str, float]:
    return {"silence": lost.longest_s, "packets lost": float(lost.lost)}


def _left_out(rig: Rig) -> str:
    """By LACP it leaves the aggregator, by ARP its link counts as down."""
    return "" if whole(rig, MACHINE) else "the bond is whole"
