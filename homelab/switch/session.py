"""A session with the switch over SSH, by netmiko: the one file that knows it.

Dialogues: the answers to ``save`` are those in netmiko's huawei.py and its issues 986 and 1990;
``schedule reboot`` is as in Huawei's command references of the S series and CloudEngine, whose
question whether to save first is always answered no. None was ever seen on a real switch by us.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from netmiko import ConnectHandler
from netmiko.exceptions import (
    NetmikoAuthenticationException,
    NetmikoBaseException,
    NetMikoTimeoutException,
    ReadException,
)
from paramiko.ssh_exception import SSHException

from homelab.site.model import Switch
from homelab.switch.parse import scheduled

PLATFORMS = {"vrp5": "huawei_vrp", "vrp8": "huawei_vrpv8"}
ERROR = re.compile(r"^\s*Error:.*$", re.MULTILINE)
QUESTION = r"\[[Yy]/[Nn](?:/[Cc])?\]\s*:?\s*$"
FILE_NAME = r"\[[\w:/.-]+\.(?:zip|cfg)\]\s*:\s*$"
# Questions and answers, the first that fits. A question that is not here is answered no.
SAVING = ((FILE_NAME, ""), (r"continue|written|overwrite|sure", "y"))
ARMING = ((r"sav(?:e|ed|ing)\b|written", "n"), (r"confirm|continue|sure|reboot", "y"))
CHANGING = ((r"vlan|continue", "y"),)
DISARMING = ((r"confirm|continue|sure|cancel", "y"),)
Answers = Sequence[tuple[str, str]]


class SwitchError(Exception):
    """What the switch refused, or how the way to it failed, and what to do."""


class Lost(SwitchError):
    """The connection is gone; what was sent last may have been done, or not."""


class Refused(SwitchError):
    """The switch refused a line; ``answer`` has its own words."""

    def __init__(self, line: str, answer: str) -> None:
        super().__init__(f"the switch refused {line!r}: {answer}")
        self.line, self.answer = line, answer


def password(switch: Switch, environ: Mapping[str, str]) -> str | None:
    """From the variable that the site names; None, where a key is used."""
    if (found := environ.get(switch.password_variable)) or switch.ssh_key:
        return found
    raise SwitchError(
        f"the environment has no {switch.password_variable}, where the site says the switch's "
        f"password is: `read -rs {switch.password_variable}; export {switch.password_variable}`, "
        f"or set switch.ssh_key"
    )


class Session:
    """Commands and answers. Every method raises Lost when the connection is gone."""

    def __init__(self, switch: Switch, secret: str | None, patience_s: float = 30) -> None:
        self._switch, self._secret, self._patience = switch, secret, patience_s
        self._connection: Any = None
        self.connect()

    def connect(self) -> None:
        """Anew, if need be."""
        self.close()
        switch = self._switch
        where = f"{switch.ssh_user}@{switch.address}:{switch.ssh_port}"
        try:
            self._connection = ConnectHandler(
                device_type=PLATFORMS[switch.platform], host=switch.address, port=switch.ssh_port,
                username=switch.ssh_user, password=self._secret, key_file=switch.ssh_key,
                use_keys=switch.ssh_key is not None, ssh_strict=switch.ssh_host_key == "known",
                system_host_keys=switch.ssh_host_key == "known", conn_timeout=self._patience,
                passphrase=self._secret if switch.ssh_key else None,
            )  # fmt: skip
        except NetmikoAuthenticationException:
            raise SwitchError(
                f"the switch does not let {where} in: mend switch.ssh_user, switch.ssh_key, or the "
                f"password in {switch.password_variable}"
            ) from None
        except (NetmikoBaseException, NetMikoTimeoutException, SSHException, OSError) as error:
            raise Lost(f"the switch is not reached as {where}: {_first_line(error)}") from None
        self._say("undo terminal monitor", ())  # no log between an answer and its prompt

    def close(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            try:
                connection.disconnect()
            except (NetmikoBaseException, SSHException, OSError, EOFError, ValueError):
                return  # it was gone already

    def read(self, command: str) -> str:
        """What a ``display …`` shows."""
        said = self._say(command, ())
        lines = said.splitlines()[:-1]  # the last line is the prompt
        echoed = bool(lines) and lines[0].strip() == command
        text = "\n".join(lines[1:] if echoed else lines)
        if found := ERROR.search(text):
            raise Refused(command, found[0].strip())
        return text

    def running(self) -> str:
        return self.read("display current-configuration")

    def saved(self) -> str:
        return self.read("display saved-configuration")

    def armed(self) -> str | None:
        """When it will reboot, in the switch's words; None: it will not."""
        return scheduled(self.read("display schedule reboot"))

    def arm(self, minutes: int) -> None:
        """It reboots after ``minutes`` into what is saved, unless disarmed."""
        self._checked(f"schedule reboot delay {minutes}", ARMING)

    def disarm(self) -> None:
        self._checked("undo schedule reboot", DISARMING)

    def save(self) -> None:
        said = self._checked("save", SAVING)
        if not re.search(r"success", said, re.IGNORECASE):
            raise Refused("save", said.strip().splitlines()[-1])

    def configure(self, lines: Sequence[str], tolerant: bool = False) -> None:
        """Types ``lines`` in the system view, and on VRP 8 commits them.

        Refused at the first one that is not taken; ``tolerant`` goes on, but never types in a view
        what is meant for another: where the view is refused, so is all up to its ``quit``.
        """
        self._checked("system-view", ())
        skipping = False
        try:
            for line in lines:
                if skipping:
                    skipping = line != "quit"
                    continue
                said = self._say(line, CHANGING)
                if found := ERROR.search(said):
                    if not tolerant:
                        raise Refused(line, found[0].strip())
                    skipping = line.startswith("interface ")
            if self._switch.platform == "vrp8":
                self._checked("commit", CHANGING)
        except Refused:
            if self._switch.platform == "vrp8":  # what was typed, but not committed
                self._say("clear configuration candidate", CHANGING)
            self._say("return", ())
            raise
        self._say("return", ())

    def _checked(self, command: str, answers: Answers) -> str:
        said = self._say(command, answers)
        if found := ERROR.search(said):
            raise Refused(command, found[0].strip())
        return said

    def _say(self, command: str, answers: Answers) -> str:
        """Types a line, answers what it asks, and gives all that was said up to the prompt."""
        said = latest = self._type(command, verify=True)
        while re.search(rf"{QUESTION}|{FILE_NAME}", latest):
            asked = latest.partition("\n")[2] or latest
            answer = next((a for q, a in answers if re.search(q, asked, re.IGNORECASE)), None)
            latest = self._type("n" if answer is None else answer, verify=False)
            said += latest
            if answer is None:
                raise Refused(command, f"it asks {_words(asked)!r}, which is answered no here")
        return said

    def _type(self, line: str, verify: bool) -> str:
        if self._connection is None:
            raise Lost("the switch is not connected")
        name = re.escape(self._connection.base_prompt)
        prompt = rf"[<\[][~*]?{name}[^\]>\r\n]*[\]>]\s*$"
        try:
            said = self._connection.send_command(
                line, expect_string=rf"{prompt}|{QUESTION}|{FILE_NAME}", cmd_verify=verify,
                strip_prompt=False, strip_command=False, read_timeout=self._patience,
            )  # fmt: skip
            return str(said)
        except (NetmikoBaseException, ReadException, SSHException, OSError, EOFError) as error:
            self.close()
            why = _first_line(error)
            raise Lost(f"the connection was lost at {line!r}: {why}") from None


def _words(text: str) -> str:
    return " ".join(text.split())[-120:]


def _first_line(error: BaseException) -> str:
    """Netmiko's first line, and the last one where that says what the first announces."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [repr(error)]
    return lines[0] if not lines[0].endswith(":") else f"{lines[0]} {lines[-1]}"
