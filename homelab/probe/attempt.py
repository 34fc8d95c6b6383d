"""One attempt of a probe, and the file of JSON lines that holds many."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO


@dataclass(frozen=True)
class Attempt:
    """What one attempt asked, and what came of it.

    Times are seconds of CLOCK_MONOTONIC, which all processes of one machine share, so the lines of
    several probes and the moment of a fault can be laid side by side.
    """

    start: float
    end: float
    ok: bool
    what: str = ""  # the URL asked, the key written, the address looked for
    said: str = ""  # the revision or MACs that came back, or the error


def write(file: IO[str], attempt: Attempt) -> None:
    """Append one line; the file should be line-buffered, so that a killed probe loses nothing."""
    file.write(json.dumps(asdict(attempt), separators=(",", ":")) + "\n")


def parse(lines: Iterable[str]) -> list[Attempt]:
    """All attempts, by time of completion; a torn last line (probe killed) is left out."""
    attempts = []
    for line in lines:
        if line.endswith("\n"):
            attempts.append(Attempt(**json.loads(line)))
    return sorted(attempts, key=lambda attempt: attempt.end)


def read(path: Path) -> list[Attempt]:
    """All attempts of a probe's file, by time of completion."""
    with path.open() as file:
        return parse(file)
