"""Run a program; if it fails, say so in one line and keep its output in a file."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from homelab.lab.errors import LabError

TAIL = 300


def run(
    argv: Sequence[str | Path],
    *,
    log: Path | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: str | None = None,
    then: str = "",
) -> str:
    """Run `argv` and return what it printed; `log` keeps that (with stderr) for a person.

    `env` is added to the environment, not put in its place.
    """
    done = subprocess.run(
        [str(word) for word in argv],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if log else subprocess.PIPE,
        input=stdin,
        text=True,
        errors="replace",
        env={**os.environ, "LC_ALL": "C.UTF-8", **(env or {})},
        cwd=cwd,
        check=False,
    )
    if log:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a") as file:
            file.write(f"$ {' '.join(str(word) for word in argv)}\n{done.stdout}\n")
    if done.returncode != 0:
        said = " ".join((done.stderr or done.stdout or "").split())[-TAIL:]
        where = f"read {log}" if log else then
        raise LabError(f"{Path(argv[0]).name} failed (rc {done.returncode})", said, where)
    return done.stdout
