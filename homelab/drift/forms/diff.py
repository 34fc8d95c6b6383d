"""A unified diff, line by line, each with what it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

Part = Literal["head", "added", "removed", "same"]
SIGNS: dict[str, Part] = {"+": "added", "-": "removed", "@": "head"}


def parts(diff: str) -> Iterator[tuple[Part, str]]:
    """Each line of one file's diff with its sign; nothing for ``""``.

    Inside a hunk ``--- x`` is a removed line ``-- x``, before the first one it names a file.
    """
    inside = False
    for line in diff.removesuffix("\n").split("\n") if diff else ():
        inside = inside or line.startswith("@@")
        yield (SIGNS.get(line[:1], "same") if inside else "head"), line
