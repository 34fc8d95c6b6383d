"""A switch that behaves like VRP: prompts, views, paging, questions, a reboot that is scheduled.

It keeps its state between connections. Time is its own (``now``, moved by ``advance``), and a
reboot that has come due brings the saved configuration back and cuts every connection.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.unit.switch.vrp_config import UNKNOWN, Config
from tests.unit.switch.vrp_groups import trunks

PAGE = 24  # lines of a screen
VERSIONS = {
    False: "VRP (R) software, Version 5.150 (S5700 V200R005C00SPC500)",
    True: "VRP (R) software, Version 8.150 (CE5800 V200R002C50SPC800)",
}


@dataclass
class Switch:
    """``drop_at``: the line at which the connection is cut, once done; ``refuse``: lines that are
    refused; ``silent``: ports whose machine does not answer by LACP; ``typed``: every line that
    came, by which a test sees what was sent."""

    running: Config
    saved: Config
    v8: bool = False
    now: float = 0.0
    reboot_at: float | None = None
    drop_at: str | None = None
    stays_away: bool = False  # and when it drops a connection, it takes no other one
    refuse: tuple[str, ...] = ()
    silent: set[str] = field(default_factory=set)
    down: bool = False  # reachable by nobody
    neighbours: str = ""
    typed: list[str] = field(default_factory=list)
    asks_file: bool = False  # save asks for a file's name first, as on a new switch
    reboots: int = 0

    def advance(self, seconds: float) -> None:
        self.now += seconds
        if self.reboot_at is not None and self.now >= self.reboot_at:
            self.running, self.reboot_at = self.saved.copy(), None
            self.down = False
            self.reboots += 1

    @property
    def groups(self) -> str:
        """``display eth-trunk``, now."""
        return trunks(self.running, self.silent)

    @property
    def configured(self) -> list[str]:
        """What was typed, but for what only looks, logs in or logs out."""
        looking = ("display ", "screen-length ", "undo terminal ")
        return [line for line in self.typed if line not in ("", "quit") and
                not line.startswith(looking)]  # fmt: skip


class Terminal:
    """One connection: typed lines in, text out. ``questions`` are asked and waited for."""

    def __init__(self, switch: Switch) -> None:
        self.switch = switch
        self.view: str | None = None  # None: user view; "": system view; else an interface's name
        self.candidate: Config | None = None  # VRP 8: what is typed and not committed
        self.paged = True
        self.pending: list[str] = []  # pages that wait for a space
        self.question: Callable[[str], str] | None = None
        self.over = False

    @property
    def prompt(self) -> str:
        if self.view is None:
            return "<SW>"
        mark = ("*" if self.candidate is not None else "~") if self.switch.v8 else ""
        return f"[{mark}SW-{self.view}]" if self.view else f"[{mark}SW]"

    def typed(self, line: str) -> str:
        """What the switch says to a line, with its prompt, or a question instead of it."""
        self.switch.typed.append(line.strip())
        if self.question is not None:
            ask, self.question = self.question, None
            return self._end(ask(line.strip()))
        line = line.strip()
        said = self._line(line) if line else ""
        if line and line == self.switch.drop_at:
            self.switch.drop_at = None
            self.over, self.switch.down = True, self.switch.stays_away
        return self._end(said)

    def _end(self, said: str) -> str:
        if self.question is not None:
            return said
        return f"{said}\n{self.prompt}" if said else self.prompt

    def _line(self, line: str) -> str:
        if line in self.switch.refuse:
            return UNKNOWN
        if line.startswith("display "):
            return self._show(line)
        if line == "quit" and self.view is not None:
            self.view = "" if self.view else None
            return ""
        if line == "quit":
            self.over = True
            return ""
        if line == "return":
            self.view, self.candidate = None, None
            return ""
        return self._user(line) if self.view is None else self._system(line)

    def _user(self, line: str) -> str:
        if line == "system-view":
            self.view = ""
            return "Enter system view, return user view with Ctrl+Z."
        if line == "screen-length 0 temporary":
            self.paged = False
            return (
                "Info: The configuration takes effect on the current user terminal interface only."
            )
        if line == "undo terminal monitor":
            return "Info: Current terminal monitor is off."
        if line == "save":
            return self._save()
        if found := re.fullmatch(r"schedule reboot delay (\d+)", line):
            return self._schedule(int(found[1]))
        if line == "undo schedule reboot":
            self.switch.reboot_at = None
            return ""
        return UNKNOWN

    def _save(self) -> str:
        def write(answer: str) -> str:
            if answer.lower() != "y":
                return ""
            if self.switch.asks_file:
                self.question = self._named
                return "Info: Please input the file name ( *.cfg, *.zip ) [vrpcfg.zip]:"
            return self._written()

        self.question = write
        return (
            "The current configuration will be written to the device.\n"
            "Are you sure to continue?[Y/N]"
        )

    def _named(self, answer: str) -> str:
        def overwrite(answer: str) -> str:
            return self._written() if answer.lower() == "y" else ""

        assert answer == ""
        self.question = overwrite
        return "flash:/vrpcfg.zip exists, overwrite?[Y/N]:"

    def _written(self) -> str:
        self.switch.saved = self.switch.running.copy()
        return (
            "Now saving the current configuration to the slot 0.\n"
            "Save the configuration successfully."
        )

    def _schedule(self, minutes: int) -> str:
        def sure(answer: str) -> str:
            if answer.lower() == "y":
                self.switch.reboot_at = self.switch.now + minutes * 60
            return ""

        def first(answer: str) -> str:
            if answer.lower() == "y":  # the trap: what is not proven would be saved
                self.switch.saved = self.switch.running.copy()
            self.question = sure
            at = f"2026-11-25 22:00:00 (in 0 hours and {minutes} minutes)"
            return f"Info: Reboot system at {at}.\nConfirm? [Y/N]:"

        self.question = first
        return (
            "Warning: The current configuration will be saved to the next startup "
            "saved-configuration file. Continue? [Y/N]:"
        )

    def _system(self, line: str) -> str:
        switch = self.switch
        if switch.v8 and line == "commit":
            if self.candidate is not None:
                switch.running, self.candidate = self.candidate, None
            return ""
        if switch.v8 and line == "clear configuration candidate":
            self.candidate = None
            return ""
        config = switch.running
        if switch.v8:
            config = self.candidate = self.candidate or switch.running.copy()
        if found := re.fullmatch(r"interface (\S+)", line):
            if not config.enters(found[1]):
                return "Error: Wrong parameter found at '^' position."
            self.view = found[1]
            return ""
        if self.view:
            return config.inside(self.view, line)
        if line.startswith("undo vlan batch "):

            def sure(answer: str) -> str:
                return config.system(line) if answer.lower() == "y" else ""

            self.question = sure
            return "Warning: The configurations of the VLAN will be deleted. Continue?[Y/N]:"
        return config.system(line)

    def _show(self, line: str) -> str:
        switch = self.switch
        said = {
            "display version": f"Huawei Versatile Routing Platform Software\n{VERSIONS[switch.v8]}",
            "display current-configuration": switch.running.text(),
            "display saved-configuration": switch.saved.text(),
            "display schedule reboot": self._reboot(),
            "display eth-trunk": switch.groups,
            "display lldp neighbor brief": switch.neighbours,
        }.get(line, UNKNOWN)
        lines = said.splitlines()
        if not self.paged or len(lines) <= PAGE:
            return said
        pages = ["\n".join(lines[at : at + PAGE]) for at in range(0, len(lines), PAGE)]

        def more(_: str) -> str:
            page = pages.pop(0)
            if not pages:
                return page
            self.question = more
            return f"{page}\n  ---- More ----"

        return more("")

    def _reboot(self) -> str:
        left = self.switch.reboot_at
        if left is None:
            return "Info: There is no scheduled reboot."
        minutes = int(left - self.switch.now) // 60
        return f"System will reboot at 22:00:00 2026/11/25 UTC (in 0 hours and {minutes} minutes)."
