"""One measured run, and how several of them are summed up."""

from __future__ import annotations

import os
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Figures:
    """``seconds`` from start to end; ``phases`` in their order; ``commands`` by machine."""

    seconds: float
    phases: Mapping[str, float] = field(default_factory=dict)
    commands: Mapping[str, int] = field(default_factory=dict)  # SSH sessions with a command
    load: float = 0.0  # of the measuring machine when the run began, over a minute

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def load() -> float:
    """How busy this machine is just now: a figure taken on a busy one is worth less."""
    return round(os.getloadavg()[0], 1)


def spread(runs: Sequence[Figures]) -> str:
    """``median (lowest to highest)`` in seconds, or the one figure there is; "-" for none."""
    seconds = [run.seconds for run in runs]
    if not seconds:
        return "-"
    middle = f"{statistics.median(seconds):.1f}"
    return f"{middle} ({min(seconds):.1f} to {max(seconds):.1f})" if len(seconds) > 1 else middle


def median(runs: Sequence[Figures]) -> float | None:
    """The median in seconds; None if there are no runs."""
    return statistics.median(run.seconds for run in runs) if runs else None


def typical(runs: Sequence[Figures]) -> Figures:
    """The run whose time is nearest to the median; its phases stand for all."""
    middle = statistics.median(run.seconds for run in runs)
    return min(runs, key=lambda run: abs(run.seconds - middle))


def share(part: float | None, whole: float | None) -> str:
    """``0.83``, or "-" where a figure is missing."""
    return f"{part / whole:.2f}" if part is not None and whole else "-"
