"""A change that is kept only on proof, on a switch that has no commit and no confirm timer.

Before the first line a reboot is armed on the switch itself, into the configuration that is saved.
Then come the steps, each proven where it can be, then the whole; only then it is saved and the
reboot disarmed. Otherwise the undo list is typed, compared, and the reboot disarmed. A switch that
can't be reached any more, or is not as before after the undoing, keeps the reboot.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from homelab.switch.parse import same, settings
from homelab.switch.plan import Step
from homelab.switch.session import Lost, Refused, SwitchError

MARGIN_S = 120  # so long before the reboot at the latest the undoing begins
RETRIES = 5  # to reach the switch again, RETRY_S apart
RETRY_S = 5.0

Prove = Callable[[frozenset[str]], Sequence[str]]  # ports to what does not work of them


class Device(Protocol):
    """What is asked of a session: homelab/switch/session.py has it."""

    def connect(self) -> None: ...
    def running(self) -> str: ...
    def saved(self) -> str: ...
    def armed(self) -> str | None: ...
    def arm(self, minutes: int) -> None: ...
    def disarm(self) -> None: ...
    def save(self) -> None: ...
    def configure(self, lines: Sequence[str], tolerant: bool = False) -> None: ...


@dataclass(frozen=True)
class Timing:
    """``settle_s``: how long a proof may take (LACP negotiates for seconds), ``pause_s`` between
    two tries. The clock and the pause are the tests' to change."""

    minutes: int
    settle_s: float = 60
    pause_s: float = 2
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class Failed(Exception):
    """Not applied. ``restored``: the switch runs what it ran before; else its reboot is armed."""

    def __init__(self, why: str, restored: bool) -> None:
        super().__init__(why)
        self.restored = restored


def apply(
    device: Device, steps: Sequence[Step], prove: Prove, timing: Timing, say: Callable[[str], None]
) -> None:
    """All steps, proven and saved; or Failed. With no steps, nothing is sent."""
    if not steps:
        return
    before = _ready(device)
    started = timing.clock()
    until = started + timing.minutes * 60 - MARGIN_S
    done: list[Step] = []
    try:
        device.arm(timing.minutes)
        armed = device.armed()
        if armed is None:
            raise SwitchError("the switch shows no reboot after `schedule reboot delay`")
        say(f"armed: {armed}")
        for number, step in enumerate(steps, 1):
            if timing.clock() > until:
                raise SwitchError(f"the switch reboots soon, too late for: {step.what}")
            say(f"{number}/{len(steps)} {step.what}")
            done.append(step)
            device.configure(step.lines)
            _proven(step.proves, prove, timing, until)
        _proven(frozenset().union(*(step.proves for step in steps)), prove, timing, until)
    except SwitchError as error:
        at = f"step {len(done)} of {len(steps)}, {done[-1].what}" if done else "before any step"
        why = f"{at}: {error}"
        say(f"failed, undoing: {why}")
        raise _undone(device, done, before, why, timing) from None
    except KeyboardInterrupt:
        raise _undone(device, done, before, "interrupted by you", timing) from None
    _keep(device, say)


def _ready(device: Device) -> str:
    """The running configuration, if it is what a reboot would bring back."""
    before = device.running()
    if not same(before, device.saved()):
        raise Failed(
            "the switch runs what it has not saved, which a reboot would lose: look at `display "
            "current-configuration` and `display saved-configuration`, `save` it there or undo it",
            True,
        )
    if armed := device.armed():
        raise Failed(f"somebody else has armed a reboot ({armed}): wait for it, or undo it", True)
    return before


def _proven(ports: frozenset[str], prove: Prove, timing: Timing, until: float) -> None:
    if not ports:
        return
    end = min(timing.clock() + timing.settle_s, until)
    while problems := prove(ports):
        if timing.clock() >= end:
            raise SwitchError("not proven: " + "; ".join(problems))
        timing.sleep(timing.pause_s)


def _keep(device: Device, say: Callable[[str], None]) -> None:
    try:
        device.save()
        if not same(device.running(), device.saved()):
            raise Refused("save", "what is saved is not what runs")
        device.disarm()
        if armed := device.armed():
            raise Refused("undo schedule reboot", armed)
    except SwitchError as error:
        raise Failed(
            f"proven, but not finished: {error}. Log in: `save`, look whether it is saved, then "
            f"`undo schedule reboot`. Until then the reboot is armed, into what is saved",
            False,
        ) from None
    say("proven, saved, and the reboot disarmed")


def _undone(device: Device, done: Sequence[Step], before: str, why: str, timing: Timing) -> Failed:
    """Takes back what may have been done; each line restores what was there, so twice is once."""
    left = f"within {timing.minutes} minutes the switch reboots into what it has saved"
    trouble: SwitchError | None = None
    for attempt in range(RETRIES):
        try:
            if attempt or isinstance(trouble, Lost):
                timing.sleep(RETRY_S)
            if attempt or not _answers(device):
                device.connect()
            for step in reversed(done):
                device.configure(step.undo, tolerant=True)
            after = device.running()
            if not same(before, after):
                differs = _differs(before, after)
                return Failed(f"{why}. Undone, but not as before ({differs}): {left}", False)
            device.disarm()
            if armed := device.armed():
                return Failed(f"{why}. Undone, but the reboot is still armed: {armed}", False)
            return Failed(f"{why}. Undone: the switch runs what it ran before, unsaved", True)
        except SwitchError as error:
            trouble = error
    return Failed(f"{why}. Not undone ({trouble}): {left}", False)


def _answers(device: Device) -> bool:
    try:
        device.armed()
    except Lost:
        return False
    return True


def _differs(before: str, after: str) -> str:
    old, new = settings(before), settings(after)
    gone = [line.strip() for line in old if line not in new]
    come = [line.strip() for line in new if line not in old]
    return f"missing: {gone[:3]}, too many: {come[:3]}"
