"""State of systemd units, as other facts of this folder ask for it in their own round trip."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import UTC, datetime

from facts.questions import Answer
from facts.record import Record

_PROPERTIES = (
    "Id,LoadState,ActiveState,SubState,UnitFileState,MainPID,NRestarts,Result,ActiveEnterTimestamp"
)


@dataclass(frozen=True)
class Unit(Record):
    """What ``systemctl show`` says; see org.freedesktop.systemd1(5) for the words."""

    name: str
    load_state: str  # "loaded", "not-found", "masked"
    active_state: str  # "active", "activating", "failed", "inactive"
    sub_state: str  # "running", "auto-restart"
    enabled: bool
    main_pid: int  # 0: none
    restarts: int  # by systemd itself, since the unit was started by somebody
    result: str  # "success", "exit-code", "oom-kill"
    active_since: datetime | None  # when it last became so

    @property
    def exists(self) -> bool:
        return self.load_state != "not-found"

    @property
    def running(self) -> bool:
        """Active and past its start; a unit that crash-loops is "activating" in between."""
        return self.active_state == "active"


def unit_question(*names: str) -> str:
    """Shell for :func:`facts.questions.questions`; one block per unit, an empty line between."""
    quoted = " ".join(map(shlex.quote, names))
    return f"systemctl show --timestamp=unix --property={_PROPERTIES} -- {quoted}"


def units(answer: Answer) -> tuple[Unit, ...]:
    """The units of an answer that did not fail; ValueError or KeyError on anything else."""
    return tuple(_unit(block) for block in answer.output.split("\n\n") if block.strip())


def _unit(block: str) -> Unit:
    values = {}
    for line in block.splitlines():
        key, sign, value = line.partition("=")
        if not sign:
            raise ValueError(f"expected a unit's property, met {line!r}")
        values[key] = value
    since = values["ActiveEnterTimestamp"].removeprefix("@")
    return Unit(
        name=values["Id"],
        load_state=values["LoadState"],
        active_state=values["ActiveState"],
        sub_state=values["SubState"],
        enabled=values["UnitFileState"] in ("enabled", "enabled-runtime", "static"),
        main_pid=int(values.get("MainPID") or 0),
        restarts=int(values.get("NRestarts") or 0),
        result=values.get("Result", ""),
        active_since=datetime.fromtimestamp(int(since), UTC) if since else None,
    )
