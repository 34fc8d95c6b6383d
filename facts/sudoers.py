"""Files of sudoers(5), and the lines of them that count."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from facts.record import Record

# A # before digits is a user's number, and #include is no comment either; \# is no comment
# (sudoers(5), "Other special characters and reserved words").
_COMMENT = re.compile(r"(?<!\\)#(?!-?\d|include(?:dir)?\s).*")


@dataclass(frozen=True)
class SudoersFile(Record):
    """One file that sudo reads; ``lines`` without comments, joined where they go on."""

    path: str
    sha256: str
    mode: int
    owner: str
    group: str
    lines: tuple[str, ...]


def effective(lines: Iterable[str]) -> tuple[str, ...]:
    """Lines as sudo takes them, with single spaces. A comment does not go on in the next line."""
    found: list[str] = []
    begun = ""
    for line in lines:
        text = _COMMENT.sub("", begun + line)
        if text == begun + line and text.endswith("\\"):
            begun = text[:-1]
            continue
        begun = ""
        found.append(" ".join(text.split()))
    found.append(" ".join(begun.split()))
    return tuple(line for line in found if line)
