"""The quorum guard: before anything disruptive, a machine gives away what others can hold.

One machine at a time; the gate after it says when the next may go.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence

from pyinfra.api import StringCommand, operation

from operations.etcd import all_sound, etcdctl, heir, leads
from operations.step import script


def leave_script(address: str, others: Sequence[str]) -> str:
    """Refuse unless every other member votes and is healthy; then move leadership and VIP away.

    Every member on etcd's list, known to this run or not. This machine's own may be the one that
    is sick: then interrupting it costs nothing, and may be what mends it.
    """
    ctl = etcdctl([address, *others])
    own = etcdctl([address])
    return script(
        f"said=$( {all_sound([address, *others], [address])}\n) || {{",
        "  echo 'not every etcd member is healthy and votes: nothing is taken down now.' "
        '"$said. Look: etcdctl endpoint health --cluster" >&2',
        "  exit 1",
        "}",
        f"if {leads(own)}; then",
        f"  heir=$({heir(ctl, address)})",
        f'  [ -z "$heir" ] || {own} move-leader "$heir"',
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
