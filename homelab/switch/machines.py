"""The machines' side, as plain records: what each leg says of the cable it hangs on.

Read by ``pyinfra INVENTORY fact … --json``, as a program: this layer knows nothing of pyinfra.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from homelab.site.derived import mac


@dataclass(frozen=True)
class Leg:
    """One leg of a bond, by the kernel of its machine."""

    machine: str
    mac: str  # permanent, lower case with colons
    bond: str
    mode: str  # "802.3ad", "active-backup", …
    up: bool
    active: bool  # carries the machine's traffic now: the lifeline, if it is the only one
    aggregated: bool | None = None  # LACP: both sides let traffic through; None: can't tell
    partner: str | None = None  # LACP: the system that answers on this leg


PATIENCE_S = 60  # with a margin before a reboot that is armed, MARGIN_S in apply.py
Machines = Callable[[], tuple[Leg, ...]]  # asks all machines; who does not answer is absent


class Unasked(Exception):
    """The machines could not be asked; the last line that pyinfra said."""


def ask(inventory: str, fact: str) -> Mapping[str, Any]:
    """A fact of every machine, as pyinfra's JSON; Unasked if one can't be reached."""
    words = [sys.executable, "-m", "pyinfra", inventory, "fact", fact, "--json"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        raise Unasked(f"the machines said nothing of {fact} for {PATIENCE_S} s") from None
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        answer = None
    if done.returncode or not isinstance(answer, dict) or not answer.get(fact):
        said = (done.stderr.strip().splitlines() or ["nothing"])[-1]
        raise Unasked(f"asking the machines for {fact} failed: {said.strip()}")
    return answer


def legs(answer: Mapping[str, Any]) -> Iterator[Leg]:
    """Of pyinfra's JSON, fact by fact, machine by machine; who does not answer is absent."""
    for by_machine in answer.values():
        for machine, found in (by_machine or {}).items():
            for bond in (found or {}).get("bonds") or ():
                for leg in bond["legs"]:
                    yield _leg(machine, bond, leg)


def _leg(machine: str, bond: Mapping[str, Any], leg: Mapping[str, Any]) -> Leg:
    states = leg.get("actor_state"), leg.get("partner_state")
    if bond["mode"] == "802.3ad":
        active = leg.get("aggregator") == bond.get("active_aggregator")
    else:
        active = bond.get("active_leg") in (None, leg["name"])
    return Leg(
        machine=machine,
        mac=mac(leg["permanent_mac"]),
        bond=bond["name"],
        mode=bond["mode"],
        up=leg["mii_status"] == "up",
        active=active,
        aggregated=None if None in states else all(map(_passing, states)),
        partner=mac(leg["partner_mac"]) if leg.get("partner_mac") else None,
    )


def _passing(state: Mapping[str, bool] | None) -> bool:
    """This side lets traffic through; ``state`` is facts.lacp.LacpState."""
    return state is not None and all(
        state[bit] for bit in ("synchronization", "collecting", "distributing")
    )
