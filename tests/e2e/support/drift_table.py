"""The table of drifts under docs/results: what was done, what was found, how long it took."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

HEAD = """# Drifts, as they were found

Each was done to a real machine of the lab (node containers: three control planes, two workers),
found as exactly one finding, and undone; after that the report was clean again. Seconds are from
the deed to the report that had it, with the reading itself of all five machines.

| drift | machine | finding | severity | seconds | measured |
|---|---|---|---|---|---|
"""


@dataclass(frozen=True)
class Row:
    drift: str
    machine: str
    finding: str
    severity: str
    seconds: float
    measured: str = field(default_factory=lambda: time.strftime("%Y-%m-%d"))


@dataclass
class Table:
    """Rows by the drift's name; those of earlier runs stay until they are measured anew."""

    folder: Path

    def add(self, row: Row) -> None:
        file = self.folder / "drifts.json"
        rows = json.loads(file.read_text()) if file.exists() else {}
        rows[row.drift] = asdict(row)
        self.folder.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(rows, indent=2) + "\n")
        lines = [
            f"| {r['drift']} | {r['machine']} | `{r['finding']}` | {r['severity']} "
            f"| {r['seconds']:.1f} | {r['measured']} |\n"
            for r in rows.values()
        ]
        (self.folder / "drifts.md").write_text(HEAD + "".join(lines))
