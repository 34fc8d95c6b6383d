"""What a condition gets, and what it gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from homelab.preflight.survey import Survey
from homelab.site.model import Machine, Site


@dataclass(frozen=True)
class Problem:
    """One thing that stands in the way. ``fatal`` ones stop the run; others are warnings."""

    machine: str
    condition: str
    value: str
    mend: str
    fatal: bool = True

    def __str__(self) -> str:
        return f"{self.machine}: {self.condition}: {self.value}. {self.mend}"


@dataclass(frozen=True)
class View:
    """One machine beside all others."""

    site: Site
    machine: Machine
    survey: Survey
    all: Mapping[str, Survey]

    def problem(self, condition: str, value: object, mend: str, fatal: bool = True) -> Problem:
        return Problem(self.machine.name, condition, str(value), mend, fatal)


Condition = Callable[[View], Iterator[Problem]]
