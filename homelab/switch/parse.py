"""What a VRP switch shows, read tolerantly: nothing here raises on lines that it does not know.

The forms of ``display eth-trunk`` and ``display lldp neighbor brief`` are those of ntc-templates'
captures (networktocode/ntc-templates, tests/huawei_vrp) and of Huawei's S9700 and CE guides.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from homelab.site.derived import mac
from homelab.site.switch_ports import port as port_name


@dataclass(frozen=True)
class Interface:
    """One ``interface`` of the configuration; ``name`` as the switch spells it."""

    name: str
    lines: tuple[str, ...]

    def having(self, start: str) -> tuple[str, ...]:
        return tuple(line for line in self.lines if line.startswith(start))


@dataclass(frozen=True)
class Running:
    """A configuration. ``interfaces`` by the name to compare by, Eth-Trunks as "Eth-Trunk1"."""

    interfaces: Mapping[str, Interface]
    vlans: frozenset[int]
    lldp: bool

    def trunk_of(self, port: str) -> int | None:
        """The Eth-Trunk that a port is a member of."""
        for line in self.interfaces[port].having("eth-trunk "):
            return int(line.split()[1])
        return None

    def members(self, trunk: int) -> frozenset[str]:
        return frozenset(p for p in self.interfaces if self.trunk_of(p) == trunk)


def running(text: str) -> Running:
    """Of ``display current-configuration``."""
    interfaces: dict[str, Interface] = {}
    vlans = {1}
    lldp, inside, lines = False, "", list[str]()
    for line in [*text.splitlines(), "#"]:
        if inside and line.startswith(" "):
            lines.append(line.strip())
            continue
        if inside:
            interfaces[port_name(inside) or inside] = Interface(inside, tuple(lines))
        found = re.fullmatch(r"interface (\S+)\s*", line)
        inside, lines = found[1] if found else "", []
        if line.startswith("vlan batch "):
            vlans |= numbers(line.removeprefix("vlan batch "))
        elif found := re.fullmatch(r"vlan (\d+)\s*", line):
            vlans.add(int(found[1]))
        lldp = lldp or line.strip() == "lldp enable"
    return Running(interfaces, frozenset(vlans), lldp)


def numbers(text: str) -> set[int]:
    """``10 20 30 to 32`` as VRP writes lists of VLANs."""
    found: set[int] = set()
    for first, last in re.findall(r"(\d+)(?: to (\d+))?", text):
        found |= set(range(int(first), int(last or first) + 1))
    return found


def same(one: str, other: str) -> bool:
    """Are two configurations the same, but for the comment of when and by whom it was saved?"""
    return settings(one) == settings(other)


def settings(text: str) -> list[str]:
    """A configuration's lines without comments (``!``), separators and trailing space."""
    lines = (line.rstrip() for line in text.splitlines())
    return [line for line in lines if line and line != "#" and not line.startswith("!")]


@dataclass(frozen=True)
class Member:
    """A port of an Eth-Trunk. ``partner`` is the system that answers its LACPDUs, None: nobody."""

    port: str
    up: bool  # "Selected" (LACP), "Up" (static)
    state: str | None = None  # LACP's eight bits from the first: activity, time-out, …
    partner: str | None = None

    @property
    def passes(self) -> bool:
        """In sync, collecting and distributing: bits 4 to 6 of IEEE 802.1AX's port state."""
        return self.up and (self.state is None or self.state[3:6] == "111")


@dataclass(frozen=True)
class Trunk:
    """An Eth-Trunk as it runs."""

    number: int
    lacp: bool
    hashing: str | None  # "SIP-XOR-DIP"; None: the switch says something else
    system: str | None  # the switch's own MAC address in LACP
    members: tuple[Member, ...]


def trunks(text: str) -> dict[int, Trunk]:
    """Of ``display eth-trunk``."""
    parts = re.split(r"^\s*Eth-Trunk(\d+)'s state information is:", text, flags=re.MULTILINE)
    return {
        int(number): _trunk(int(number), body)
        for number, body in zip(parts[1::2], parts[2::2], strict=True)
    }


def _trunk(number: int, text: str) -> Trunk:
    local, _, partner = text.partition("Partner:")
    mode = re.search(r"Working ?Mode: *([\w-]+)", local, re.IGNORECASE)
    hashing = re.search(r"According to ([A-Z-]+)\b", local)
    system = re.search(r"System ID: *([0-9a-f-]{14})", local, re.IGNORECASE)
    partners = {row[0]: row[2] for row in _rows(partner) if len(row) > 2}
    members = [_member(row, partners.get(row[0])) for row in _rows(local) if len(row) > 1]
    return Trunk(
        number=number,
        lacp=mode is not None and mode[1].lower() not in ("normal", "manual"),
        hashing=hashing[1] if hashing else None,
        system=mac(system[1]) if system else None,
        members=tuple(members),
    )


def _member(row: list[str], partner: str | None) -> Member:
    bits = [word for word in row[2:] if re.fullmatch(r"[01]{8}", word)]
    known = mac(partner) if partner else None
    return Member(
        port=row[0],
        up=row[1].lower() in ("selected", "up"),
        state=bits[0] if bits else None,
        partner=None if known in (None, "00:00:00:00:00:00") else known,
    )


def _rows(text: str) -> list[list[str]]:
    """The words of lines that begin with a port's name (and perhaps a mark behind it)."""
    found = []
    for words in (line.split() for line in text.splitlines() if line.strip()):
        if name := port_name(re.sub(r"\(.*\)$", "", words[0])):
            found.append([name, *words[1:]])
    return found


@dataclass(frozen=True)
class Neighbour:
    """Who is heard by LLDP on a port of the switch: its system name and its port's id."""

    port: str
    system: str
    remote: str


def neighbours(text: str) -> tuple[Neighbour, ...]:
    """Of ``display lldp neighbor brief``: the S series has the time last, CloudEngine second."""
    found = []
    for name, *words in _rows(text):
        if len(words) < 3:
            continue
        if words[0].isdigit():
            found.append(Neighbour(name, " ".join(words[2:]), words[1]))
        else:
            found.append(Neighbour(name, " ".join(words[:-2]), words[-2]))
    return tuple(found)


@dataclass(frozen=True)
class Version:
    """VRP's generation, and the release: V200R005 is (200, 5)."""

    vrp: int
    release: tuple[int, int]

    @property
    def lacp(self) -> str:
        """What comes after ``mode``: the S series says lacp from V200R005 on."""
        return "lacp" if self.vrp == 5 and self.release >= (200, 5) else "lacp-static"


def version(text: str) -> Version | None:
    """Of ``display version``: "VRP (R) software, Version 5.150 (S5700 V200R005C00SPC500)"."""
    found = re.search(r"Version (\d+)\.\d+ +\([^)]*?V(\d{3})R(\d{3})", text)
    return Version(int(found[1]), (int(found[2]), int(found[3]))) if found else None


def scheduled(text: str) -> str | None:
    """Of ``display schedule reboot``: the line that says when it reboots; None: it does not."""
    for line in text.splitlines():
        if re.search(r"reboot", line, re.IGNORECASE) and re.search(r"\d+:\d+", line):
            return line.strip()
    return None
