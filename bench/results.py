"""What was measured, as JSON that later runs add to, and as a page for people."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.figures import Figures, median, share, spread, typical
from homelab.lab.paths import REPO
from homelab.probe.results import machine

FOLDER = REPO / "docs" / "results"
RUNS = ("up", "bare", "deploy", "no-op", "ansible")
FOUR_MINUTES = 240.0  # README's aim, with everything built


@dataclass
class Results:
    """``runs`` by what was run (``RUNS``); ``growth`` by hosts."""

    runs: dict[str, list[Figures]] = field(default_factory=dict)
    growth: dict[int, dict[str, list[Figures]]] = field(default_factory=dict)
    measured: dict[str, dict[str, Any]] = field(default_factory=dict)  # when and where, by command

    @classmethod
    def read(cls, path: Path) -> Results:
        """What earlier runs kept; empty if there is nothing."""
        if not path.exists():
            return cls()
        data = json.loads(path.read_text())
        runs = {name: _figures(found) for name, found in data["runs"].items()}
        growth = {
            int(count): {name: _figures(found) for name, found in kinds.items()}
            for count, kinds in data["growth"].items()
        }
        return cls(runs, growth, data["measured"])

    def write(self, folder: Path = FOLDER) -> None:
        """bench.json and bench.md."""
        folder.mkdir(parents=True, exist_ok=True)
        data = {
            "measured": self.measured,
            "runs": {name: _json(found) for name, found in self.runs.items()},
            "growth": {
                str(count): {name: _json(found) for name, found in kinds.items()}
                for count, kinds in sorted(self.growth.items())
            },
        }
        (folder / "bench.json").write_text(json.dumps(data, indent=2) + "\n")
        (folder / "bench.md").write_text(page(self))

    def stamp(self, command: str) -> None:
        """Keep when and on what machine a command measured."""
        self.measured[command] = {"when": datetime.now(UTC).isoformat("T", "seconds"), **machine()}


def _figures(found: Sequence[Mapping[str, Any]]) -> list[Figures]:
    return [Figures(**each) for each in found]


def _json(found: Sequence[Figures]) -> list[dict[str, Any]]:
    return [each.as_json() for each in found]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; the first column is text, the others are figures."""
    rule = ["---", *("---:" for _ in head[1:])]
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, rule, *rows))


def page(results: Results) -> str:
    """The page: what was compared, phases, SSH commands, growth, and on what it was measured."""
    parts = ["# Figures\n\nWritten by `./nox -s bench`; nothing here is asserted anywhere.\n"]
    if results.runs:
        parts += [_compared(results), _phases(results), _commands(results)]
    if results.growth:
        parts.append(_growth(results))
    parts.append(_where(results))
    return "\n".join(parts)


def _compared(results: Results) -> str:
    runs = {name: results.runs.get(name, []) for name in RUNS}
    medians = {name: median(found) for name, found in runs.items()}
    rows = [
        (
            "machines and cluster from nothing (`./nox -s lab`)",
            spread(runs["up"]),
            f"{share(medians['up'], FOUR_MINUTES)} of four minutes",
            "1.00",
        ),
        ("bare shell script, same cluster", spread(runs["bare"]), "", ""),
        (
            "deploy, fresh machines",
            spread(runs["deploy"]),
            f"{share(medians['deploy'], medians['bare'])} of the bare script",
            "1.25",
        ),
        (
            "deploy again, nothing to do",
            spread(runs["no-op"]),
            f"{share(medians['no-op'], medians['deploy'])} of the first deploy",
            "0.15",
        ),
        ("ansible-core, host phase alone, nothing to do", spread(runs["ansible"]), "", ""),
        (
            "deploy again against it",
            "",
            f"{share(medians['no-op'], medians['ansible'])} of ansible-core",
            "0.20",
        ),
    ]
    head = ("what", "seconds, median (range)", "compared", "aim, at most")
    note = (
        "\nThe second deploy looks at everything, the cluster too; ansible-core only at the host "
        "phase's\nfiles, units and packages (one `copy` per layer, forks as many as machines, "
        "pipelining, no facts).\n"
    )
    return "## Compared\n\n" + table(head, rows) + note


def _phases(results: Results) -> str:
    parts = ["## Where the time goes\n\nSeconds of the run nearest to the median.\n"]
    for name in ("up", "bare", "deploy", "no-op"):
        if found := results.runs.get(name):
            phases = typical(found).phases
            rows = [(phase, f"{seconds:.1f}") for phase, seconds in phases.items()]
            parts.append(f"### {name}\n\n" + table(("phase", "seconds"), rows))
    return "\n".join(parts)


def _commands(results: Results) -> str:
    found = {
        name: typical(runs).commands
        for name, runs in results.runs.items()
        if runs and typical(runs).commands
    }
    machines = list(next(iter(found.values()), {}))
    rows = [(name, *(str(each.get(m, 0)) for m in machines)) for name, each in found.items()]
    text = "## SSH commands on each machine\n\nAs its own sshd counted them.\n\n"
    return text + table(("run", *machines), rows)


def _growth(results: Results) -> str:
    rows = []
    for count, kinds in sorted(results.growth.items()):
        noop = median(kinds.get("no-op", []))
        rows.append(
            (
                str(count),
                spread(kinds.get("first", [])),
                spread(kinds.get("no-op", [])),
                f"{noop / count:.2f}" if noop else "-",
            )
        )
    head = ("hosts", "first run", "no-op, median (range)", "no-op per host")
    note = (
        "\nSSH servers in namespaces of one machine, without systemd: survey, one look at all "
        "layers, files;\nno services and no cluster (bench/fleet). All hosts and the controller "
        "share this machine's cores.\n"
    )
    return "## Growth, seconds\n\n" + table(head, rows) + note


def _where(results: Results) -> str:
    lines = [
        f"- {command}: {where['when']}, {where['cores']} cores, {where['memory_gib']} GiB, "
        f"Linux {where['kernel']}, cgroup {where.get('cgroup', '?')}, Python {where['python']}"
        for command, where in results.measured.items()
    ]
    for name, runs in results.runs.items():
        busy = ", ".join(f"{run.load:g}" for run in runs)
        lines.append(f"- load of the machine when a run began: {name} {busy}")
    return "## Measured\n\n" + "\n".join(lines) + "\n"
