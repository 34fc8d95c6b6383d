"""How sshd lets people in: its settings in effect, and those that it has for some only.

``sshd -T`` (sshd(8)) reads the files as they are; an sshd that was not reloaded may have others.
It leaves out Match blocks, so those are read from the files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pyinfra.api.facts import FactBase

from facts.questions import answers, questions
from facts.record import Reading, Record, parsed, unknown

FILES = "/etc/ssh/sshd_config /etc/ssh/sshd_config.d/*.conf"
# Without these it is not sshd that has answered.
_ALWAYS = ("permitrootlogin", "passwordauthentication", "authorizedkeysfile")


@dataclass(frozen=True)
class Match(Record):
    """One Match block: for whom, and what; names in lower case."""

    path: str
    criteria: str  # "User backup"
    settings: Mapping[str, str]


@dataclass(frozen=True)
class Sshd(Reading):
    """``settings`` by lower-case name; what sshd repeats is joined with ", "."""

    settings: Mapping[str, str] | None = None
    matches: tuple[Match, ...] | None = None


def parse(output: list[str]) -> Sshd:
    """Output of :class:`SshdSettings`' command; ValueError on lines that it does not know."""
    asked = answers(output)
    if not asked:
        return SshdSettings.default()
    unread = {name: answer.failure for name, answer in asked.items() if answer.failure}
    return Sshd(
        settings=None if "settings" in unread else _settings(asked["settings"].output),
        matches=None if "matches" in unread else _matches(asked["matches"].output),
        unread=unread,
    )


def _settings(text: str) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        name, _, value = line.partition(" ")
        found.setdefault(name.lower(), []).append(value.strip())
    if missing := [name for name in _ALWAYS if name not in found]:
        raise ValueError(f"expected sshd's settings, met none called {missing[0]}")
    return {name: ", ".join(values) for name, values in found.items()}


def _matches(text: str) -> tuple[Match, ...]:
    """Lines "PATH: NAME VALUE"; a block ends where the next begins, or the file ends."""
    blocks: list[tuple[str, str, dict[str, list[str]]]] = []
    for line in text.splitlines():
        path, colon, setting = line.partition(": ")
        text = setting.partition(" #")[0].strip()
        name, _, value = text.replace("=", " ", 1).partition(" ")
        if not colon or not name:
            raise ValueError(f"expected a line of a Match block, met {line[:60]!r}")
        if name.lower() == "match":
            blocks.append((path, value.strip(), {}))
        elif not blocks or blocks[-1][0] != path:
            raise ValueError(f"expected Match, met {line[:60]!r}")
        else:
            blocks[-1][2].setdefault(name.lower(), []).append(value.strip().strip('"'))
    return tuple(
        Match(path, criteria, {name: ", ".join(values) for name, values in settings.items()})
        for path, criteria, settings in blocks
    )


class SshdSettings(FactBase[Sshd]):
    """sshd's settings in effect, and its Match blocks.

    .. code:: python

        host.get_fact(SshdSettings).settings["permitrootlogin"]
    """

    def command(self) -> str:
        blocks = (
            "set --\n"
            f'for f in {FILES}; do [ ! -f "$f" ] || set -- "$@" "$f"; done\n'
            "[ $# = 0 ] || LC_ALL=C awk 'FNR == 1 { inside = 0 }\n"
            "tolower($0) ~ /^[ \\t]*match[ \\t=]/ { inside = 1 }\n"
            'inside && !/^[ \\t\\r]*(#|$)/ { gsub(/[^\\t -~]/, "?"); gsub(/[ \\t]+/, " ")\n'
            '  print FILENAME ": " $0 }\' "$@"'
        )
        return questions({"settings": "sshd -T", "matches": blocks})

    @staticmethod
    def default() -> Sshd:
        return Sshd(unread=unknown("sshd"))

    def process(self, output: list[str]) -> Sshd:
        return parsed("sshd", parse, output)
