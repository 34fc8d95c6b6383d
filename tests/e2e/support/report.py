"""The run's figures under docs/results/: JSON, a Markdown table, a picture per fault."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from homelab.probe.results import Fault as Row
from homelab.probe.results import Results, as_json, as_markdown, rows
from homelab.site.declared import fields
from homelab.site.model import Timings
from tests.e2e.support.faults import Fault
from tests.e2e.support.measuring import Measured
from tests.e2e.support.rig import Rig

COLUMNS = (
    *("vip", "reads", "reads failed %", "writes", "service", "service failed %"),
    *("two holders", "VIP moves", "backends taken out", "healthy again", "probe held up"),
)


class Report:
    """Figures so far; every addition is on disk at once.

    What this session measures replaces what the file had of it; the rest of the file stays.
    """

    def __init__(
        self,
        rig: Rig,
        folder: Path,
        name: str = "faults",
        title: str = "Faults and what a client saw of them",
        columns: Sequence[str] = COLUMNS,
    ) -> None:
        self.folder, self.name, self.title, self.columns = folder, name, title, columns
        self.file = folder / f"{name}.json"
        self.rows: dict[str, Row] = rows(self.file.read_text()) if self.file.exists() else {}
        self.anew: set[str] = set()
        self.settings = settings(rig)
        folder.mkdir(parents=True, exist_ok=True)
        if folder.name == "latest":  # only complete runs are committed
            (folder / ".gitignore").write_text("*\n")

    def add(self, fault: Fault, measured: Measured) -> None:
        """One more run of a fault; the picture is that of the last run."""
        self.put(fault.name, fault.title, fault.aims, measured.seconds, measured.picture)

    def put(
        self,
        name: str,
        title: str,
        aims: Mapping[str, float],
        figures: Mapping[str, float],
        picture: str = "",
    ) -> None:
        """One more run of anything that has figures, with its timeline if there is one."""
        if name not in self.anew:
            self.rows[name] = Row(name, title, aims, picture=bool(picture))
            self.anew.add(name)
        self.rows[name].runs.append(figures)
        if picture:
            (self.folder / self.name).mkdir(exist_ok=True)
            (self.folder / self.name / f"{name}.svg").write_text(picture)
        results = Results(self.title, self.settings, [*self.rows.values()])
        self.file.write_text(as_json(results))
        table = as_markdown(results, self.columns, self.name)
        self.file.with_suffix(".md").write_text(table)


def settings(rig: Rig) -> dict[str, object]:
    """What the figures depend on."""
    site = rig.site
    timings = {name: getattr(site.timings, name) for name in fields(Timings)}
    return {
        "machines": f"{len(rig.control_planes)} control planes, {len(rig.workers)} workers",
        "kubernetes": site.kubernetes.version,
        "network": site.kubernetes.cni,
        **timings,
    }
