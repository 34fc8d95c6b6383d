"""Is each leg plugged in where the site says? By LLDP of the machines, and of the switch.

A machine hears the port's name from the switch (IEEE 802.1AB), the switch the leg's name or MAC
from the machine's lldpd. One side is enough to tell; where both tell, both are held against it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from homelab.site.derived import mac
from homelab.site.switch_ports import port as port_name
from homelab.switch.parse import Neighbour
from homelab.switch.wanted import Plug, Wanted


@dataclass(frozen=True)
class Heard:
    """A machine's leg, and the port's name that it hears from the other end of its cable."""

    machine: str
    leg: str  # its interface's name
    mac: str  # permanent, lower case with colons
    port: str
    system: str = ""


def heard(answer: Mapping[str, Any]) -> Iterator[Heard]:
    """Of pyinfra's JSON of facts.lldp.Lldp; legs that hear nobody are absent."""
    for by_machine in answer.values():
        for machine, found in (by_machine or {}).items():
            for item in (found or {}).get("neighbours") or ():
                if item.get("permanent_mac"):
                    system = item.get("system") or ""
                    own = mac(item["permanent_mac"])
                    yield Heard(machine, item["port"], own, item["remote"], system)


def problems(
    wanted: Wanted, machines: Iterable[Heard], switch: Iterable[Neighbour]
) -> Iterator[str]:
    """What is plugged in elsewhere, a line each. Silence of both sides is told, too."""
    heard = {item.mac: item for item in machines}
    by_port = {item.port: item for item in switch}
    for plug in wanted.plugs:
        here = heard.get(plug.mac)
        name = f"leg {here.leg if here else plug.mac} of {plug.machine}"
        seen = {port_name(here.port) or here.port} if here else set[str]()
        seen |= {n.port for n in by_port.values() if _is(n, plug, here)}
        if not seen:
            yield from _silent(name, plug, by_port.get(plug.port))
        for port in sorted(seen - {plug.port}):
            yield f"{name} is in port {short(port)}, the site says {short(plug.port)}"


def _silent(name: str, plug: Plug, other: Neighbour | None) -> Iterator[str]:
    if other is not None and other.system not in ("-", "", plug.machine):
        yield f"{name}: port {short(plug.port)} hears {other.system} instead"
    else:
        yield f"{name}: neither side hears the other by LLDP in port {short(plug.port)}"


def _is(neighbour: Neighbour, plug: Plug, here: Heard | None) -> bool:
    """Is it this leg that the switch hears? By its MAC, or by its name and the machine's."""
    if "-" in neighbour.remote and mac(neighbour.remote) == plug.mac:
        return True
    named = here is not None and neighbour.remote == here.leg
    return named and neighbour.system.split(".")[0] == plug.machine


def short(port: str) -> str:
    return port.replace("XGigabitEthernet", "XGE").replace("GigabitEthernet", "GE")
