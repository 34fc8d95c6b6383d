"""What a rule of the catalogue says of all its findings."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

# The entry files that converge what a rule found.
CLUSTER, NETWORK = "deploys/cluster.py", "deploys/network.py"


class Severity(IntEnum):
    """Worst first, so that sorting does."""

    CRITICAL = 0  # data or quorum at risk, or someone can get in
    HIGH = 1  # weaker than declared: one more fault is an outage
    MEDIUM = 2  # not as declared, and it will be felt one day
    LOW = 3
    INFO = 4

    def __str__(self) -> str:
        return self.name.lower()


@dataclass(frozen=True)
class Rule:
    """``why`` it matters is one sentence. ``deploy`` is the entry file that converges it, None
    where a person has to; ``mend`` says how, with ``{machine}`` and ``{subject}`` to be filled in.
    ``restarts`` is what the deploy interrupts, behind its gates.
    """

    area: str
    severity: Severity
    why: str
    mend: str
    deploy: str | None = None
    restarts: str = "nothing"
