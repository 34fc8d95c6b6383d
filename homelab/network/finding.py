"""One thing that a person should know about a machine's network."""

from __future__ import annotations

from dataclasses import dataclass

DEPLOY = "deploys/network.py"


@dataclass(frozen=True)
class Finding:
    """What is wrong where, why it matters, and what to do.

    A ``note`` is worth knowing, and no reason to call anything broken: a link that was lost and
    is back, a switch's setting that could be better.
    """

    where: str  # "bond0", or "bond0 enp4s0"
    wrong: str
    why: str
    mend: str
    note: bool = False

    def __str__(self) -> str:
        return f"{self.where} {self.wrong}: {self.why}; {self.mend}"
