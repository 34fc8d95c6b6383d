"""Progress and time: every step says how long it took, and a file keeps what each phase took."""

from __future__ import annotations

import json
import time
from pathlib import Path

from pyinfra import logger
from pyinfra.api.state import BaseStateCallback, State


class Clock(BaseStateCallback):
    """Prints the seconds of each operation, and adds them up by phase ("Phase: what")."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.start = self.step = time.monotonic()
        self.phases: dict[str, float] = {}

    # pyinfra declares its callbacks static, and calls them on the handler that was given.
    def operation_start(self, state: State, op_hash: str) -> None:  # type: ignore[override]
        self.step = time.monotonic()

    def operation_end(self, state: State, op_hash: str) -> None:  # type: ignore[override]
        now = time.monotonic()
        name = ", ".join(state.get_op_meta(op_hash).names)
        self.add(name.partition(":")[0], now - self.step)
        logger.info(f"    {now - self.step:.1f} s ({now - self.start:.0f} s since the start)")
        self.write()

    def add(self, phase: str, seconds: float) -> None:
        self.phases[phase] = self.phases.get(phase, 0.0) + seconds

    def write(self) -> None:
        """Keep the figures after every step: a run that is killed has told how far it came."""
        self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        phases = [{"name": name, "seconds": round(s, 2)} for name, s in self.phases.items()]
        total = round(time.monotonic() - self.start, 2)
        self.file.write_text(json.dumps({"phases": phases, "total": total}, indent=2) + "\n")
