"""One thing that is not as declared: what, where, since when."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

# drift: changed behind our back; not-yet-applied: the site changed since the last deploy;
# undeclared: it is there, and nobody declared it; unknown: it could not be read.
Kind = Literal["drift", "not-yet-applied", "undeclared", "unknown"]

CLUSTER = "cluster"  # stands for a machine where a finding is of none


@dataclass(frozen=True)
class Finding:
    """``rule`` is a key of :data:`homelab.drift.catalogue.RULES`, which has the rest.

    ``machine`` is a machine's name or :data:`CLUSTER`; ``subject`` is what the rule found, such as
    a path, a member, a flag. ``expected`` and ``actual`` are one line each, ``diff`` a unified diff
    of a file; none of them ever holds a secret. ``since`` is aware, None where nobody knows.
    """

    rule: str
    machine: str
    subject: str
    expected: str
    actual: str
    kind: Kind = "drift"
    diff: str = ""
    since: datetime | None = None

    @property
    def id(self) -> str:
        """Rule, machine and subject: the same from run to run, and after a change of the code."""
        return "/".join((self.rule, self.machine, slug(self.subject)))


def slug(subject: str) -> str:
    """A subject as it stands in an id: no spaces, no control characters, nothing that quotes."""
    return re.sub(r"[^A-Za-z0-9._:@=+-]+", "-", subject).strip("-") or "-"
