"""From attempts to seconds of outage. Pure functions over lists sorted by completion.

An outage is the gap between the last success before and the first success after, both by time of
completion: what a client of that kind had to wait. A probe that asks every 0.1 s therefore never
reports less than 0.1 s; an outage below twice its pace was not seen from outside.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from homelab.probe.attempt import Attempt


@dataclass(frozen=True)
class Gap:
    """A stretch without a success; ``over`` is False if it lasted to the end of the record."""

    start: float
    end: float
    over: bool = True

    @property
    def seconds(self) -> float:
        return self.end - self.start


def longest_outage(attempts: Sequence[Attempt], since: float, until: float) -> Gap:
    """The longest gap between successes that touches the time from ``since`` to ``until``.

    Without any success after ``since``, it lasts to ``until`` and is not over.
    """
    ends = [attempt.end for attempt in attempts if attempt.ok]
    before = max((end for end in ends if end <= since), default=since)
    after = min((end for end in ends if end >= until), default=None)
    marks = [before, *(end for end in ends if since < end < until)]
    if after is not None:
        marks.append(after)
    gaps = [Gap(start, end) for start, end in pairwise(marks)]
    if after is None:
        gaps.append(Gap(marks[-1], until, over=False))
    return max(gaps, key=lambda gap: gap.seconds)


@dataclass(frozen=True)
class Tally:
    """How many attempts were completed, and how many of them failed."""

    attempts: int
    failed: int

    @property
    def percent(self) -> float:
        """The share of failures; 0 if there were no attempts."""
        return 100 * self.failed / self.attempts if self.attempts else 0.0


def tally(attempts: Sequence[Attempt], since: float, until: float) -> Tally:
    """Counts the attempts that were started from ``since`` to ``until``."""
    within = [attempt for attempt in attempts if since <= attempt.start <= until]
    return Tally(len(within), sum(not attempt.ok for attempt in within))


def blind(attempts: Sequence[Attempt], since: float, until: float) -> float:
    """The longest time in which the probe itself started nothing: its figures' uncertainty."""
    starts = sorted(a.start for a in attempts if since <= a.start <= until)
    return max((b - a for a, b in pairwise([since, *starts, until])), default=0.0)


def longest_shared(rounds: Sequence[Attempt], since: float, until: float) -> float:
    """How long two machines or more answered for one address without a break, in seconds.

    ``rounds`` are those of the ``holders`` probe. One round alone counts from its question to its
    end, so the answer is too large by up to one pace of the probe, never too small by more.
    """
    longest = 0.0
    began: float | None = None
    for item in rounds:
        if not since <= item.start <= until:
            continue
        if len(item.said.split()) < 2 or not item.ok:
            began = None
            continue
        began = item.start if began is None else began
        longest = max(longest, item.end - began)
    return longest


def holders(rounds: Sequence[Attempt], since: float, until: float) -> list[str]:
    """Who held the address, in order: each change of the one MAC that answered alone."""
    changes: list[str] = []
    for item in rounds:
        macs = item.said.split()
        alone = item.ok and len(macs) == 1 and since <= item.start <= until
        if alone and (not changes or changes[-1] != macs[0]):
            changes.append(macs[0])
    return changes


@dataclass(frozen=True)
class Spread:
    """Smallest, middle and largest of ``count`` repeats."""

    count: int
    least: float
    median: float
    most: float


def spread(values: Sequence[float]) -> Spread:
    """Raises ValueError for no values."""
    if not values:
        raise ValueError("no figures to summarise")
    return Spread(len(values), min(values), statistics.median(values), max(values))
