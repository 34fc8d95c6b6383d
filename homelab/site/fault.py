"""A fault of a site file: where, what, why, how to mend it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong; ``file``, ``rule`` and ``source`` are filled in by :func:`check`.

    ``source`` is where the rule is from, if it is not ours.

    ``field`` is a path as Python would write it: ``machines[2].nics[0].mac``.
    """

    field: str
    value: Any
    problem: str
    mend: str
    machine: str = ""  # its name, where the field is a machine's
    file: str = ""
    rule: str = ""
    source: str = ""

    def __str__(self) -> str:
        owner = f" ({self.machine})" if self.machine else ""
        value = "" if self.field == "" else f"{self.field}{owner} = {shown(self.value)}: "
        source = f" ({self.source})" if self.source else ""
        return f"{self.file}: {value}{self.problem}; {self.mend}{source}"


def shown(value: Any) -> str:
    """The value as a person wrote it, cut to 60 characters."""
    try:
        text = repr(value)
    except Exception:  # a site file may hold any object, with any __repr__
        text = f"<{type(value).__name__}>"
    return text if len(text) <= 60 else f"{text[:59]}…"


class SiteError(Exception):
    """The site can't be used; ``faults`` has all that is wrong with it."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = tuple(faults)
