"""Wait for named conditions, and tell the one that was not met."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

POLL_S = 0.5


@dataclass(frozen=True)
class Condition:
    """``unmet`` returns why it does not hold yet, or an empty string; errors count as unmet."""

    name: str
    unmet: Callable[[], str]

    def look(self) -> str:
        """Why it is unmet; any error of the look itself is a reason, as things are broken."""
        try:
            return self.unmet()
        except Exception as error:  # a half-dead cluster may answer anything
            said = getattr(error, "body", None) or error  # the API's answer without its headers
            return f"{type(error).__name__}: {str(said)[:400]}"


class UnmetError(AssertionError):
    """Names the first condition that did not hold in time, and its last value."""


def wait_for(conditions: Sequence[Condition], timeout: float) -> float:
    """Seconds until all ``conditions`` held, one look after another.

    They are looked at in their order, so put the cheap ones first: the dear ones are not asked
    before those hold. Raises UnmetError after ``timeout`` seconds.
    """
    began = time.monotonic()
    waited_for = ""
    while True:
        for condition in conditions:
            why = condition.look()
            if why:
                break
        else:
            return time.monotonic() - began
        if condition.name != waited_for:  # for whoever asks later what took so long
            print(f"[{time.monotonic() - began:5.1f} s] waiting: {condition.name}: {why}")
            waited_for = condition.name
        if time.monotonic() - began > timeout:
            raise UnmetError(f"not after {timeout:g} s: {condition.name}: {why}")
        time.sleep(POLL_S)
