"""A machine's bond as its own kernel has it, and what a client beside it sees of a fault."""

from __future__ import annotations

import itertools
import re
import subprocess
import time
from dataclasses import dataclass

from facts.bond import Bond
from facts.bond_files import bonds_of
from tests.e2e.support.rig import Rig

READ = 'for f in /proc/net/bonding/*; do [ -e $f ] || continue; echo "==> ${f##*/}"; cat $f; done'
PACE_S = 0.02  # ping's shortest without a wait for answers


def bond(rig: Rig, machine: str, name: str = "bond0") -> Bond | None:
    """None if there is none of that name."""
    found = [b for b in bonds_of(rig.root(machine, READ)) if b.name == name]
    return found[0] if found else None


def whole(rig: Rig, machine: str, legs: int = 3) -> str:
    """What keeps the bond from carrying on all its legs; "" if nothing does."""
    there = bond(rig, machine)
    if there is None:
        return "there is no bond0"
    up = [leg.name for leg in there.legs if leg.mii_status == "up"]
    if len(up) != legs:
        return f"{len(up)} of {legs} legs have a link"
    if there.mode == "802.3ad" and not there.one_aggregator:
        return "its legs are in several aggregators"
    return ""


@dataclass(frozen=True)
class Lost:
    """What a ping saw: packets sent and lost, and the longest silence in seconds."""

    sent: int
    lost: int
    longest_s: float


class Pinging:
    """Ping a machine all the time, from the switch's own port."""

    def __init__(self, rig: Rig, address: str) -> None:
        argv = ["ping", "-n", "-D", "-i", str(PACE_S), "-W", "1", address]
        self.process = subprocess.Popen(
            rig.lab.nsenter(argv), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        time.sleep(1)

    def __enter__(self) -> Pinging:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> Lost:
        """End it, and tell what it saw."""
        self.process.send_signal(2)
        out, _ = self.process.communicate(timeout=10)
        at = [float(stamp) for stamp in re.findall(r"^\[(\d+\.\d+)\] \d+ bytes", out, re.M)]
        summary = re.search(r"(\d+) packets transmitted, (\d+) received", out)
        assert summary, out[-500:]
        sent, received = map(int, summary.groups())
        gaps = [after - before for before, after in itertools.pairwise(at)]
        return Lost(sent, sent - received, round(max(gaps, default=float("inf")), 3))
