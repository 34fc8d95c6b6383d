"""Several commands on one machine in one round trip, each with a verdict of its own."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

# Standard output passes through, the error stream is kept for the verdict line. Nothing is
# written to the machine's disk, and nothing waits for ever: `timeout` gives 124. The last lines say
# it; etcdctl prints its retries before them, as JSON.
_ASK = """exec 3>&1
ask() {
  printf '@@ask %s\\n' "$1"; shift
  err=$(timeout -k 1 "$@" 2>&1 >&3 3>&- </dev/null); rc=$?
  err=$(printf %s "$err" | sed '/^{"level":/d' | tail -n 3 | tail -c 600 | tr '\\n' ' ')
  printf '\\n@@answer %s %s\\n' "$rc" "$err"
}
"""
_TIMED_OUT = 124


@dataclass(frozen=True)
class Answer:
    """One command's standard output, exit code, and the end of its error stream."""

    output: str
    code: int
    error: str

    @property
    def failure(self) -> str | None:
        """One line that says how the command failed; None if it did not."""
        if self.code == 0:
            return None
        reason = "timed out" if self.code == _TIMED_OUT and not self.error else self.error
        return f"exit code {self.code}: {reason or 'it said nothing'}"

    def json(self) -> Any:
        """The output as JSON; ValueError if it is none."""
        return json.loads(self.output)


def questions(commands: Mapping[str, str], seconds: int = 10) -> str:
    """Shell that runs ``commands`` (name to shell text), ``seconds`` at most for each."""
    asked = (
        f"ask {shlex.quote(name)} {seconds} sh -c {shlex.quote(command)}"
        for name, command in commands.items()
    )
    return _ASK + "\n".join(asked) + "\ntrue\n"


def answers(output: Iterable[str]) -> dict[str, Answer]:
    """Answers by name; ValueError on lines outside of a question, or one that has no verdict."""
    found: dict[str, Answer] = {}
    name: str | None = None
    lines: list[str] = []
    for line in output:
        if asked := re.fullmatch(r"@@ask (\S+)", line):
            if name is not None:
                raise ValueError(f"the answer to {name!r} has no end")
            name, lines = asked[1], []
        elif verdict := re.fullmatch(r"@@answer (\d+) ?(.*)", line):
            if name is None:
                raise ValueError(f"an answer to no question: {line!r}")
            text = "\n".join(lines).strip("\n")
            found[name] = Answer(text, int(verdict[1]), verdict[2].strip())
            name = None
        elif name is not None:
            lines.append(line)
        elif line.strip():
            raise ValueError(f"expected a question, met {line!r}")
    if name is not None:
        raise ValueError(f"the answer to {name!r} has no end")
    return found
