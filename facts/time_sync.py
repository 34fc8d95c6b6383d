"""Whether the clock is kept in time, by whom, and how well."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pyinfra.api.facts import FactBase

from facts.questions import Answer, answers, questions
from facts.record import Reading, parsed, unknown
from facts.units import Unit, unit_question, units

# Debian's packages that set the clock; the first that runs is the one that does.
SERVICES = ("chrony.service", "systemd-timesyncd.service", "ntpsec.service", "ntp.service")
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0}


@dataclass(frozen=True)
class TimeSync(Reading):
    """Offsets in seconds, positive when this clock is ahead."""

    synchronized: bool | None = None  # the kernel's own flag (adjtimex(2)), whoever set it
    timezone: str | None = None
    local_rtc: bool | None = None
    services: tuple[Unit, ...] | None = None
    server: str | None = None  # None: no source chosen, or not read
    stratum: int | None = None
    offset_s: float | None = None

    @property
    def service(self) -> str | None:
        """The service that keeps the time, "chrony" say; None: none runs, or not read."""
        running = (unit.name for unit in self.services or () if unit.running)
        return next((name.removesuffix(".service") for name in running), None)


def parse(output: list[str]) -> TimeSync:
    """Output of :class:`Clock`'s command; ValueError and the like on garbage."""
    asked = answers(output)
    if not asked:
        return Clock.default()
    unread = {
        name: asked[name].failure or "" for name in ("timedate", "services") if asked[name].failure
    }
    values = {} if "timedate" in unread else _values(asked["timedate"])
    services = None if "services" in unread else units(asked["services"])
    running = {unit.name for unit in services or () if unit.running}
    server: str | None = None
    stratum: int | None = None
    offset: float | None = None
    if "chrony.service" in running:
        if failure := asked["chrony"].failure:
            unread["chrony"] = failure
        else:
            server, stratum, offset = _chrony(asked["chrony"].output)
    elif "systemd-timesyncd.service" in running:
        if failure := asked["timesync"].failure:
            unread["timesync"] = failure
        else:
            server, stratum, offset = _timesyncd(asked["timesync"].output)
    return TimeSync(
        synchronized=_flag(values.get("NTPSynchronized")),
        timezone=values.get("Timezone"),
        local_rtc=_flag(values.get("LocalRTC")),
        services=services,
        server=server,
        stratum=stratum,
        offset_s=offset,
        unread=unread,
    )


def _values(answer: Answer) -> dict[str, str]:
    pairs = [line.partition("=") for line in answer.output.splitlines()]
    if bad := [key for key, sign, _ in pairs if not sign]:
        raise ValueError(f"expected NAME=VALUE of timedatectl, met {bad[0]!r}")
    return {key: value for key, _, value in pairs}


def _flag(value: str | None) -> bool | None:
    return {"yes": True, "no": False}.get(value or "")


def _chrony(text: str) -> tuple[str | None, int | None, float | None]:
    """``chronyc -c tracking``: reference id, name, stratum, time, how slow this clock is."""
    fields = text.strip().split(",")
    if len(fields) < 14:
        raise ValueError(f"expected 14 fields of chronyc's tracking, met {text!r}")
    if fields[0] == "00000000":  # no source chosen
        return None, None, None
    return fields[1] or fields[0], int(fields[2]), -float(fields[4])


def _timesyncd(text: str) -> tuple[str | None, int | None, float | None]:
    """``timedatectl timesync-status``: made for people, but the only place with the offset.

    It is the server's clock less this one.
    """
    values = dict(line.strip().split(": ", 1) for line in text.splitlines() if ": " in line)
    server = values.get("Server", "")
    stratum = values.get("Stratum")
    return (
        server.split(" ")[0] or None if server != "n/a" else None,
        int(stratum) if stratum else None,
        -_seconds(values["Offset"]) if "Offset" in values else None,
    )


def _seconds(text: str) -> float:
    """systemd's time span with a sign: "+1.234ms", "-1min 2.5s"; ValueError if it is none."""
    spans = re.findall(r"([\d.]+)\s*([a-zµμ]+)", text)
    if not spans or any(unit not in _UNITS for _, unit in spans):
        raise ValueError(f"expected an offset such as +1.2ms, met {text!r}")
    total = sum(float(number) * _UNITS[unit] for number, unit in spans)
    return -total if text.lstrip().startswith("-") else total


class Clock(FactBase[TimeSync]):
    """The state of time synchronisation, by chrony, systemd-timesyncd or ntpsec.

    .. code:: python

        host.get_fact(Clock).synchronized
    """

    def command(self) -> str:
        return questions(
            {
                "timedate": "timedatectl show",
                "services": unit_question(*SERVICES),
                "timesync": "LC_ALL=C timedatectl timesync-status",
                "chrony": "chronyc -c tracking",
            }
        )

    @staticmethod
    def default() -> TimeSync:
        return TimeSync(unread=unknown("time"))

    def process(self, output: list[str]) -> TimeSync:
        return parsed("time_sync", parse, output)
