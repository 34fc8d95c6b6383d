"""The quorum guard: before anything disruptive, a machine gives away what others can hold.

One machine at a time; the gate after it says when the next may go.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence

from pyinfra.api import StringCommand, operation

from operations.etcd import etcdctl
from operations.step import script


def leave_script(address: str, others: Sequence[str]) -> str:
    """Refuse unless every member votes and is healthy; then move leadership and VIP away."""
    ctl = etcdctl([address, *others])
    own = etcdctl([address])
    return script(
        # a dead member is asked until the time-out
        f"{ctl} --command-timeout=8s endpoint health >/dev/null 2>&1 || "
        "{ echo 'not every etcd member is healthy: nothing is taken down now. "
        "Look: etcdctl endpoint health --cluster' >&2; exit 1; }",
        f"{ctl} member list | "
        "awk -F', ' '$2 != \"started\" || $6 != \"false\" {bad = 1} END {exit bad}' || "
        "{ echo 'not every etcd member votes: nothing is taken down now' >&2; exit 1; }",
        f"me=$({own} endpoint status | awk -F', ' '{{print $2}}')",
        f"if {own} endpoint status | awk -F', ' '{{exit $5 != \"true\"}}'; then",
        f"  heir=$({ctl} member list | awk -F', ' -v me=$me '$1 != me {{print $1; exit}}')",
        f"  {own} move-leader $heir",
        "fi",
        # keepalived says goodbye with priority 0: the next one takes over within 100 ms
        "systemctl stop keepalived 2>/dev/null || :",
    )


@operation()
def leave(address: str, others: Sequence[str]) -> Generator[StringCommand, None, None]:
    """Before a disruptive step on a control plane; :func:`come_back` ends it."""
    yield StringCommand(leave_script(address, others))


@operation()
def come_back() -> Generator[StringCommand, None, None]:
    """The machine may hold the VIP again."""
    yield StringCommand(
        "! systemctl is-enabled -q keepalived 2>/dev/null || systemctl start keepalived"
    )
