"""The quorum guard: before anything disruptive, a machine gives away what others can hold.

One machine at a time; the gate after it says when the next may go.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence

from pyinfra.api import StringCommand, operation

from operations.etcd import all_sound, etcdctl, heir, leads
from operations.step import script

TIMER = "homelab-keepalived-back"
DISARM = f"systemctl stop {TIMER}.timer 2>/dev/null || :"
WANTED = "systemctl is-enabled -q keepalived 2>/dev/null"
ALONE_S = 900  # longer than any gate that stands between the two steps


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
        *stop_keepalived(),
    )


def stop_keepalived() -> list[str]:
    """With a timer of the machine's own: should this run die, it votes again all the same."""
    return [
        f"if {WANTED}; then",
        f"  {DISARM}",
        # by then the machine may have been reset, and be nobody's balancer
        f"  systemd-run --quiet --collect --unit={TIMER} --on-active={ALONE_S} "
        f"sh -c '{WANTED} && systemctl start keepalived'",
        # it says goodbye with priority 0: the next one takes over within 100 ms
        "  systemctl stop keepalived",
        "fi",
    ]


def start_keepalived() -> list[str]:
    return [f"if {WANTED}; then", "  systemctl start keepalived", f"  {DISARM}", "fi"]


@operation()
def leave(address: str, others: Sequence[str]) -> Generator[StringCommand, None, None]:
    """Before a disruptive step on a control plane; :func:`come_back` ends it."""
    yield StringCommand(leave_script(address, others))


@operation()
def step_aside() -> Generator[StringCommand, None, None]:
    """As :func:`leave`, of a machine that holds nothing but the VIP."""
    yield StringCommand(script(*stop_keepalived()))


@operation()
def come_back() -> Generator[StringCommand, None, None]:
    """The machine may hold the VIP again."""
    yield StringCommand(script(*start_keepalived()))
