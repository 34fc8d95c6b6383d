"""Many facts of one machine in one round trip: each fact's own command, each with a verdict.

The script goes to ``sh`` on standard input, so nothing of it is quoted twice or stands in argv. The
mark between two answers is drawn anew for each run: what a machine's files hold can't imitate it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

BROKEN = "the answer broke off"
LIMIT = 8_000_000  # bytes of one answer; a program that never stops talking is cut off


@dataclass(frozen=True)
class Part:
    """What one fact's command printed; ``failure`` is why that is not all, or empty."""

    lines: tuple[str, ...]
    failure: str = ""


def script(commands: Mapping[str, str], mark: str, seconds: int = 30) -> str:
    """POSIX shell for standard input; ``commands`` by name, ``seconds`` at most for each.

    ``mark``: a word of letters and digits that nobody can guess.
    """
    parts = [
        f"command=$(cat <<'{mark}'\n{command}\n{mark}\n)\n"
        f"printf '%s begin %s\\n' {mark} {name}\n"
        f'{{ timeout -k 1 {seconds} sh -c "$command" </dev/null 2>/dev/null\n'
        f"printf '\\n%s end %s\\n' {mark} $?; }} | head -c {LIMIT}\n"
        "echo\n"
        for name, command in commands.items()
    ]
    return "".join(parts) + f"printf '%s done\\n' {mark}\n"


def parts(output: Iterable[str], mark: str) -> dict[str, Part]:
    """Answers by name. One that breaks off has its failure; what was asked later is not there.

    ValueError if there is something outside of the marks.
    """
    found: dict[str, Part] = {}
    name, lines = "", list[str]()
    for line in output:
        word = re.fullmatch(rf"{mark} (begin|end|done)(?: (\S+))?", line)
        if word is None:
            lines.append(line)
        elif word[1] == "begin":
            if name:
                found[name] = Part(_stripped(lines), BROKEN)
            name, lines = word[2], []
        elif word[1] == "end":
            found[name] = Part(_stripped(lines), _failure(int(word[2])))
            name, lines = "", []
    if name:
        found[name] = Part(_stripped(lines), BROKEN)
    elif any(line.strip() for line in lines):
        raise ValueError(f"expected an answer, met {lines[0][:60]!r}")
    return found


def complete(output: Iterable[str], mark: str) -> bool:
    """Whether the machine got to the end of the script."""
    return f"{mark} done" in output


def _stripped(lines: list[str]) -> tuple[str, ...]:
    """Without the one line end that the mark brings with it."""
    return tuple(lines[:-1] if lines and not lines[-1] else lines)


def _failure(code: int) -> str:
    if code in (124, 137):
        return "timed out"
    return f"exit code {code}" if code else ""
