"""Figures of many faults as one JSON file and one Markdown table."""

from __future__ import annotations

import datetime
import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from homelab.probe.figures import spread

# Seconds that an outage may last by issue 7's aims; 0: should not be seen from outside at all.
Aims = Mapping[str, float]

NOT_SEEN_S = 0.5  # an aim of 0 allows this much: the pace of the probe and one slow answer


@dataclass(frozen=True)
class Fault:
    """What was measured of one fault: each run maps a figure's name to seconds.

    ``aims`` are seconds by figure; a figure without an aim is reported only.
    """

    name: str
    title: str
    aims: Aims
    runs: list[Mapping[str, float]] = field(default_factory=list)
    measured: str = field(default_factory=lambda: datetime.date.today().isoformat())
    picture: bool = False  # is there a timeline of it?


@dataclass(frozen=True)
class Results:
    """One session of measuring; ``settings`` are those timings of the site that matter."""

    title: str
    settings: Mapping[str, object]
    faults: Sequence[Fault]
    machine: Mapping[str, object] = field(default_factory=lambda: machine())


def machine() -> dict[str, object]:
    """What the figures were measured on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    model = [
        line.split(":", 1)[1].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return {
        "cores": os.cpu_count(),
        "cpu": model[0] if model else "unknown",
        "memory_gib": round(memory / 2**30, 1),
        "kernel": platform.release(),
        "cgroup": "v2" if Path("/sys/fs/cgroup/cgroup.controllers").exists() else "v1",
        "python": platform.python_version(),
    }


def as_json(results: Results) -> str:
    """Everything, for machines and for later comparison."""
    return json.dumps(asdict(results), indent=2, default=dict, sort_keys=False) + "\n"


def rows(text: str) -> dict[str, Fault]:
    """The faults of an earlier session's JSON, by name, in their order."""
    return {fault["name"]: Fault(**fault) for fault in json.loads(text)["faults"]}


def as_markdown(results: Results, figures: Sequence[str], pictures: str = "") -> str:
    """One row per fault, one column per name of ``figures``: ``min/median/max (aim)`` in seconds.

    ``pictures`` is the folder of the timelines, relative to the table.
    """
    lines = [
        f"# {results.title}",
        "",
        "Longest outage in seconds, min / median / max; the aim stands in brackets, **bold** marks"
        f" a median above it. An aim of 0 means not seen from outside (at most {NOT_SEEN_S:g} s"
        " between two answers).",
        "",
        f"| fault | runs | {' | '.join(figures)} | measured |",
        f"|---|---|{'---|' * len(figures)}---|",
    ]
    for fault in results.faults:
        title = f"[{fault.title}]({pictures}/{fault.name}.svg)" if fault.picture else fault.title
        cells = " | ".join(_cell(fault, figure) for figure in figures)
        lines.append(f"| {title} | {len(fault.runs)} | {cells} | {fault.measured} |")
    lines += ["", "## Settings", "", *_list(results.settings)]
    lines += ["", "## Machine", "", *_list(results.machine), ""]
    return "\n".join(lines)


def misses(fault: Fault) -> dict[str, float]:
    """The medians that are above their aim, by figure."""
    found = {}
    for figure, aim in fault.aims.items():
        values = [run[figure] for run in fault.runs if figure in run]
        if values and spread(values).median > max(aim, NOT_SEEN_S):
            found[figure] = spread(values).median
    return found


def _cell(fault: Fault, figure: str) -> str:
    values = [run[figure] for run in fault.runs if figure in run]
    if not values:
        return "-"
    seen = spread(values)
    text = f"{seen.least:.2f} / {seen.median:.2f} / {seen.most:.2f}"
    if seen.count == 1:
        text = f"{seen.median:.2f}"
    if figure in misses(fault):
        text = f"**{text}**"
    aim = fault.aims.get(figure)
    return text if aim is None else f"{text} (≤ {aim:g})"


def _list(values: Mapping[str, object]) -> list[str]:
    return [f"- {name}: {value}" for name, value in values.items()]
