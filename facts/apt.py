"""What apt would do next: its sources, its pins, what it left half done, what waits for a boot."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pyinfra.api.facts import FactBase

from facts.apt_sources import Source, sources, through
from facts.questions import answers, questions
from facts.record import Reading, parsed, unknown

REQUIRED = (
    "/run/reboot-required"  # touched by packages, as Debian Policy has it no more than Ubuntu
)
_STATUS = re.compile(r"([uihrp][ncHUFWti][ R])\|(\S+)\|(\S*)")  # dpkg-query(1), db:Status-Abbrev


@dataclass(frozen=True)
class Apt(Reading):
    """``unread`` also has each file of sources that apt could make nothing of, by its path."""

    codename: str | None = None  # of this Debian, "bookworm"; empty: it does not say
    sources: tuple[Source, ...] | None = None  # the enabled ones
    pins: tuple[str, ...] | None = None  # files of apt_preferences(5)
    broken: Mapping[str, str] | None = None  # package to dpkg's two letters, "iF": half configured
    held: tuple[str, ...] | None = None  # by `apt-mark hold`, and installed
    images: Mapping[str, str] | None = None  # installed kernels: release to the package's version
    running: str | None = None  # "6.1.0-49-amd64"
    running_version: str | None = None  # of the package it came from; empty: it does not say
    reboot_required: bool | None = None
    reboot_packages: tuple[str, ...] | None = None  # those that asked for it


def parse(output: list[str]) -> Apt:
    """Output of :class:`AptState`'s command; ValueError on lines that it does not know."""
    asked = answers(output)
    if not asked:
        return AptState.default()
    unread = {name: answer.failure for name, answer in asked.items() if answer.failure}
    values: dict[str, Any] = {}
    if "sources" not in unread:
        found, bad = _sources(asked["sources"].output)
        values |= found
        unread |= bad
    if "packages" not in unread:
        values |= _packages(asked["packages"].output)
    if "boot" not in unread:
        values |= _boot(asked["boot"].output)
    return Apt(**values, unread=unread)


def _sources(text: str) -> tuple[dict[str, Any], dict[str, str]]:
    codename: str | None = None
    pins: list[str] = []
    files: dict[str, list[str]] = {}
    path = ""
    for line in text.splitlines():
        if path and line.startswith("|"):
            files[path].append(line.removeprefix("|"))
        elif line.startswith("==> /"):
            path = line.removeprefix("==> ")
            files[path] = []
        elif line.startswith("pins /"):
            pins.append(line.removeprefix("pins "))
        elif re.fullmatch(r"codename \S*", line) and codename is None:
            codename = line.removeprefix("codename ")
        else:
            raise ValueError(f"expected a source of apt's, met {line[:60]!r}")
    if codename is None:
        raise ValueError("Debian's codename is missing")
    mirrors = {p: lines for p, lines in files.items() if p.startswith("/etc/apt/mirrors/")}
    found: list[Source] = []
    unread: dict[str, str] = {}
    for name in files.keys() - mirrors.keys():
        try:
            found += [through(source, {**mirrors}) for source in sources(name, files[name])]
        except ValueError as error:
            unread[name] = str(error)
    ordered = tuple(sorted(found, key=lambda source: source.path))
    return {"codename": codename, "pins": tuple(pins), "sources": ordered}, unread


def _packages(text: str) -> dict[str, Any]:
    broken: dict[str, str] = {}
    held: list[str] = []
    images: dict[str, str] = {}
    for line in text.splitlines():
        found = _STATUS.fullmatch(line)
        if not found:
            raise ValueError(f"expected a package's state, met {line[:60]!r}")
        state, name, version = found.groups()
        if state[1] not in "nci" or state[2] == "R":
            broken[name] = state.strip()
        elif state[:2] == "hi":
            held.append(name)
        if state[1] == "i" and re.match(r"linux-image-\d", name):
            images[name.removeprefix("linux-image-").removesuffix("-unsigned")] = version
    return {"broken": broken, "held": tuple(held), "images": images}


def _boot(text: str) -> dict[str, Any]:
    lines = text.splitlines()
    if len(lines) < 2 or not re.match(r"#\d+ ", lines[1]):
        raise ValueError(f"expected the running kernel, met {text[:60]!r}")
    build = re.search(r" Debian (\S+)", lines[1])
    return {
        "running": lines[0],
        "running_version": build[1] if build else "",
        "reboot_required": "required" in lines[2:],
        "reboot_packages": tuple(
            sorted({line.removeprefix("by ") for line in lines[2:] if line.startswith("by ")})
        ),
    }


# Names as apt takes them (apt.conf(5), "DIRECTORIES"; apt_preferences(5)). Comments stay, and so
# does a password in a URI.
_SOURCES = r"""VERSION_CODENAME=; . /etc/os-release
printf 'codename %s\n' "$VERSION_CODENAME"
for f in /etc/apt/preferences /etc/apt/preferences.d/*; do
  case ${f##*/} in *.pref) ;; *.*) continue ;; esac
  [ ! -s "$f" ] || printf 'pins %s\n' "$f"
done
set --
for f in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources \
         /etc/apt/mirrors/*; do
  [ ! -f "$f" ] || set -- "$@" "$f"
done
[ $# = 0 ] || LC_ALL=C awk 'FNR == 1 { print "==> " FILENAME }
/^[ \t]*#/ { next }
{ gsub(/:\/\/[^\/@ \t]*@/, "://"); gsub(/[^\t -~]/, "?"); print "|" $0 }' "$@"
"""
# dpkg-query, not dpkg's file of states: what dpkg was killed at is beside that file.
_PACKAGES = r"""said=$(dpkg-query -W -f '${db:Status-Abbrev}|${Package}|${Version}\n') || exit 1
printf '%s\n' "$said" |
  awk -F '|' '$1 !~ /^.[nci] $/ || $1 ~ /^h/ || $2 ~ /^linux-image-[0-9]/'
"""
_BOOT = f"""read -r release </proc/sys/kernel/osrelease || exit 1
read -r version </proc/sys/kernel/version || exit 1
printf '%s\\n' "$release" "$version"
[ ! -e {REQUIRED} ] || echo required
[ ! -f {REQUIRED}.pkgs ] || while read -r name; do printf 'by %s\\n' "$name"; done <{REQUIRED}.pkgs
"""


class AptState(FactBase[Apt]):
    """apt's sources and pins, dpkg's unfinished business, and whether a boot is due.

    .. code:: python

        host.get_fact(AptState).held
    """

    def command(self) -> str:
        return questions({"sources": _SOURCES, "packages": _PACKAGES, "boot": _BOOT})

    @staticmethod
    def default() -> Apt:
        return Apt(unread=unknown("apt"))

    def process(self, output: list[str]) -> Apt:
        return parsed("apt", parse, output)
