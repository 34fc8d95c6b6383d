"""Probes as child processes: started together, stopped together, read back."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from homelab.probe.attempt import Attempt, read

STOP_S = 5.0
FIRST_LINE_S = 60.0


class ProbeError(Exception):
    """A probe did not start, or died before it was told to stop."""


def command(*arguments: str) -> list[str]:
    """The command line of a probe; ``python -m homelab.probe --help`` tells the arguments."""
    return [sys.executable, "-m", "homelab.probe", *arguments]


class Running:
    """All probes of one measurement; a context manager that stops them at its end.

    ``probes`` maps a name to a command line, which :func:`command` makes and the caller may wrap
    so that it runs somewhere else. Lines go to ``folder``/NAME.jsonl.
    """

    def __init__(self, probes: Mapping[str, Sequence[str]], folder: Path) -> None:
        self.folder = folder
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        folder.mkdir(parents=True, exist_ok=True)
        for name, argv in probes.items():
            with self._file(name).open("wb") as out, self._errors(name).open("wb") as err:
                self._processes[name] = subprocess.Popen(argv, stdout=out, stderr=err)

    def __enter__(self) -> Running:
        """Wait until each probe has succeeded once; else there is nothing to lose later."""
        deadline = time.monotonic() + FIRST_LINE_S
        try:
            for name in self._processes:
                self._await_success(name, deadline)
        except ProbeError:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def attempts(self, name: str) -> list[Attempt]:
        """What a probe has seen so far, by time of completion."""
        return read(self._file(name))

    def all_attempts(self) -> dict[str, list[Attempt]]:
        """What every probe has seen so far."""
        return {name: self.attempts(name) for name in self._processes}

    def check(self) -> None:
        """Raise ProbeError if a probe died: silence is not an outage."""
        for name, process in self._processes.items():
            if process.poll() is not None:
                raise ProbeError(f"probe {name} died (rc {process.returncode}): {self._said(name)}")

    def stop(self) -> None:
        """End all probes; one that does not heed SIGTERM is killed."""
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _await_success(self, name: str, deadline: float) -> None:
        while not any(attempt.ok for attempt in self.attempts(name)):
            self.check()
            if time.monotonic() > deadline:
                last = [attempt.said for attempt in self.attempts(name)][-1:]
                raise ProbeError(
                    f"probe {name} had no success in {FIRST_LINE_S:g} s, before any fault: "
                    f"{last or self._said(name)}; is the cluster up?"
                )
            time.sleep(0.05)

    def _said(self, name: str) -> str:
        return self._errors(name).read_text().strip()[-300:] or "no message"

    def _file(self, name: str) -> Path:
        return self.folder / f"{name}.jsonl"

    def _errors(self, name: str) -> Path:
        return self.folder / f"{name}.err"
