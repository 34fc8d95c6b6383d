"""The configuration of a switch that behaves like VRP, as far as the tests type into it.

What it holds to is VRP's: a stanza's lines come in an order of its own, defaults are not shown, a
member of an Eth-Trunk has no VLANs, a mode does not change under members, a trunk with members is
not removed. Its words are those of the guides and captures that homelab/switch names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from homelab.switch.parse import numbers

HEAD = ["!Software Version V200R005C00SPC500", "#", "sysname SW", "#"]
ORDER = ("description", "port link-type", "port trunk pvid", "undo port trunk", "port trunk allow",
         "port default", "port hybrid", "mode", "load-balance", "lacp", "eth-trunk",
         "jumboframe", "stp")  # fmt: skip
UNKNOWN = "Error: Unrecognized command found at '^' position."
# A setting has one line; a second one replaces it.
SINGLE = ("description", "port link-type", "port trunk pvid vlan", "port default vlan",
          "port hybrid pvid vlan", "mode", "load-balance", "lacp timeout", "lacp force-forward",
          "jumboframe enable", "stp edged-port")  # fmt: skip
LISTS = ("port trunk allow-pass vlan", "port hybrid tagged vlan", "port hybrid untagged vlan")
DEFAULTS = ("mode manual load-balance", "load-balance src-dst-ip", "lacp timeout slow",
            "port default vlan 1", "port trunk pvid vlan 1", "port hybrid pvid vlan 1")  # fmt: skip


@dataclass
class Config:
    """Running or saved: VLANs, and each interface's lines."""

    vlans: set[int] = field(default_factory=lambda: {1})
    interfaces: dict[str, list[str]] = field(default_factory=dict)
    others: list[str] = field(default_factory=lambda: ["lldp enable"])
    v8: bool = False

    def copy(self) -> Config:
        lines = {name: [*found] for name, found in self.interfaces.items()}
        return Config({*self.vlans}, lines, [*self.others], self.v8)

    def text(self) -> str:
        lines = [*HEAD]
        if extra := sorted(self.vlans - {1}):
            lines += [f"vlan batch {' '.join(map(str, extra))}", "#"]
        lines += [item for line in self.others for item in (line, "#")]
        for name, own in sorted(self.interfaces.items(), key=lambda item: _by_name(item[0])):
            lines += [f"interface {name}", *(f" {line}" for line in sorted(own, key=_order)), "#"]
        return "\n".join([*lines, "return"])

    def members(self, trunk: str) -> list[str]:
        return [name for name, own in self.interfaces.items() if f"eth-trunk {trunk[9:]}" in own]

    def system(self, line: str) -> str:
        """A line in the system view; what is said, "" if it is taken in silence."""
        if found := re.fullmatch(r"(undo )?vlan batch ([\d to]+)", line):
            named = numbers(found[2])
            self.vlans = self.vlans - named if found[1] else self.vlans | named
            return ""
        if found := re.fullmatch(r"undo interface (Eth-Trunk\d+)", line):
            if found[1] not in self.interfaces:
                return "Error: The Eth-Trunk does not exist."
            if self.members(found[1]):
                return "Error: There are member ports in this Eth-Trunk."
            del self.interfaces[found[1]]
            return ""
        return UNKNOWN

    def enters(self, name: str) -> bool:
        """``interface NAME``: an Eth-Trunk is made, a port has to be there."""
        if re.fullmatch(r"Eth-Trunk\d{1,3}", name):
            self.interfaces.setdefault(name, [])
        return name in self.interfaces

    def inside(self, view: str, line: str) -> str:
        """A line in the view of an interface."""
        own = self.interfaces[view]
        bare = line.removeprefix("undo ")
        if bare.startswith("trunkport "):
            return self._member(
                view, bare.removeprefix("trunkport ").replace(" ", ""), bare != line
            )
        if any(item.startswith("eth-trunk ") for item in own) and bare.startswith("port "):
            return "Error: The port is a member of an Eth-Trunk."
        if bare.startswith("mode") and self.members(view):
            return "Error: The Eth-Trunk has member ports, its mode can't be changed."
        if line.startswith("mode ") and line not in self._modes():
            return UNKNOWN
        vlan = re.fullmatch(r"port default vlan (\d+)", line)
        if vlan and int(vlan[1]) not in self.vlans:
            return "Error: The VLAN does not exist."
        return self._set(own, line, bare)

    def _modes(self) -> tuple[str, ...]:
        return ("mode lacp-static",) if self.v8 else ("mode lacp", "mode manual load-balance")

    def _member(self, trunk: str, port: str, out: bool) -> str:
        own = self.interfaces.get(port)
        if own is None:
            return "Error: Wrong parameter found at '^' position."
        mine = f"eth-trunk {trunk[9:]}"
        if out:
            if mine not in own:
                return "Error: The port is not a member of the Eth-Trunk."
            own.remove(mine)
        elif mine in own:
            return "Error: The port is already a member of this Eth-Trunk."
        elif any(line.removeprefix("undo ").startswith(("port ", "eth-trunk ")) for line in own):
            return "Error: Please delete the configuration of the port first."
        else:
            own.append(mine)
        return ""

    def _set(self, own: list[str], line: str, bare: str) -> str:
        for start in LISTS:
            if bare.startswith(start):
                return _listed(own, start, line, numbers(line))
        if line.startswith("undo port hybrid vlan "):
            for start in LISTS[1:]:
                _listed(own, start, line, numbers(line))
            return ""
        for start in SINGLE:
            if not bare.startswith(start):
                continue
            own[:] = [item for item in own if not item.startswith(start)]
            if bare == line and line not in DEFAULTS:
                own.append(line)
            return ""
        return UNKNOWN


def _listed(own: list[str], start: str, line: str, named: set[int]) -> str:
    """A list of VLANs grows and shrinks; VLAN 1 passes a trunk by default."""
    has: set[int] = set()
    for item in [item for item in own if item.startswith(start)]:
        has |= numbers(item)
        own.remove(item)
    without_one = "undo port trunk allow-pass vlan 1"
    if start.startswith("port trunk"):
        if 1 in named:
            own[:] = [item for item in own if item != without_one]
            own += [without_one] if line.startswith("undo ") else []
        named = named - {1}
    has = has - named if line.startswith("undo ") else has | named
    if has:
        own.append(f"{start} {' '.join(map(str, sorted(has)))}")
    return ""


def _order(line: str) -> int:
    return next((at for at, start in enumerate(ORDER) if line.startswith(start)), len(ORDER))


def _by_name(name: str) -> tuple[str, list[int]]:
    return re.sub(r"\d.*", "", name), [int(part) for part in re.findall(r"\d+", name)]
