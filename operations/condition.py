"""A named condition of a machine: what gates wait for and a post-mortem asks."""

from __future__ import annotations

import shlex
from dataclasses import dataclass


@dataclass(frozen=True)
class Condition:
    """``probe`` is read-only shell: exit 0 when met, and its last line of output is the value.

    ``look`` is the command for a person who wants to know more. ``nudge`` is shell that a gate runs
    before each question while it waits: what would happen by itself, but later. Never by ``--dry``.
    """

    name: str
    probe: str
    look: str
    nudge: str = ":"


def bounded(condition: Condition) -> str:
    """A probe that hangs counts as not met."""
    return f"timeout 10 sh -c {shlex.quote(condition.probe)}"
