"""Run a program; if it fails, say so in one line and keep its output in a file."""

import os
import shlex
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

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
    """Run `argv` and return what it printed; with `log` all of that goes there, to be watched.

    `env` is added to the environment, not put in its place.
    """
    words = [str(word) for word in argv]
    with _log(log, words) as file:
        done = subprocess.run(
            words,
            stdout=file or subprocess.PIPE,
            stderr=subprocess.STDOUT if file else subprocess.PIPE,
            input=stdin,
            text=True,
            errors="replace",
            env={**os.environ, "LC_ALL": "C.UTF-8", **(env or {})},
            cwd=cwd,
            check=False,
        )
    if done.returncode != 0:
        text = log.read_text(errors="replace") if log else done.stderr or done.stdout
        said = " ".join(text.split())[-TAIL:]
        where = f"read {log}" if log else then
        raise LabError(f"{Path(words[0]).name} failed (rc {done.returncode})", said, where)
    return done.stdout or ""


@contextmanager
def _log(path: Path | None, words: Sequence[str]) -> Iterator[IO[str] | None]:
    """Open the log and write the command line first, as a shell's transcript has it."""
    if path is None:
        yield None
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(f"$ {shlex.join(words)}\n")
        file.flush()
        yield file
