"""What a machine is, as far as documents depend on it: facts, never declared twice."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Traits:
    """Read by the deploy's survey (``facts/survey.py``); the defaults are a bare x99 machine."""

    container: bool = False  # no kernel, clock or swap of its own: those are checked, never set
    sys_resource: bool = True  # may lower oom_score_adj (CAP_SYS_RESOURCE in the bounding set)
    cgroup2: bool = True
    swap_on: bool = False  # swap of a kernel that this machine does not own
    debian: int = 12
    interface: str = "eth0"  # carries the machine's address now
