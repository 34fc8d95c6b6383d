"""Who is at the other end of each cable: what lldpd heard (IEEE 802.1AB).

The form of ``lldpcli -f json0``: src/client/json_writer.c and display.c of lldpd 1.0.16;
"json0" writes every list as a list, also of one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pyinfra.api.facts import FactBase

from facts.links import links
from facts.questions import answers, questions
from facts.record import Reading, Record, parsed, unknown


@dataclass(frozen=True)
class Neighbour(Record):
    """What is heard on one port of the machine. Names are None where the neighbour sends none."""

    port: str  # of the machine: "eth2"
    permanent_mac: str | None  # of that port; None: its link is not known
    chassis: str  # the neighbour's id, usually its MAC address
    system: str | None  # its name
    remote: str  # its port's id: a switch sends the port's name
    remote_description: str | None


@dataclass(frozen=True)
class Neighbours(Reading):
    """``neighbours`` is () where lldpd runs and hears nobody."""

    neighbours: tuple[Neighbour, ...] | None = None

    def on(self, port: str) -> tuple[Neighbour, ...]:
        return tuple(item for item in self.neighbours or () if item.port == port)


def parse(output: list[str]) -> Neighbours:
    """Output of :class:`Lldp`'s command; ValueError and the like on garbage."""
    asked = answers(output)
    if not asked:
        return Lldp.default()
    unread = {name: answer.failure for name, answer in asked.items() if answer.failure}
    macs: dict[str, str] = {}
    if "links" not in unread:
        macs = {link.name: link.permanent_mac for link in links(asked["links"].json())}
    if "lldp" in unread:
        return Neighbours(unread=unread)
    found = tuple(_heard(asked["lldp"].json(), macs))
    return Neighbours(neighbours=found, unread=unread)


def _heard(answer: Mapping[str, Any], macs: Mapping[str, str]) -> Iterator[Neighbour]:
    for part in answer["lldp"]:
        for item in part.get("interface") or ():
            chassis, port = item["chassis"][0], item["port"][0]
            yield Neighbour(
                port=item["name"],
                permanent_mac=macs.get(item["name"]),
                chassis=str(_value(chassis, "id")),
                system=_value(chassis, "name"),
                remote=str(_value(port, "id")),
                remote_description=_value(port, "descr"),
            )


def _value(item: Mapping[str, Any], key: str) -> str | None:
    found = item.get(key) or ()
    return found[0]["value"] if found else None


class Lldp(FactBase[Neighbours]):
    """Each port's neighbour, by lldpd.

    .. code:: python

        [n.remote for n in host.get_fact(Lldp).on("eth2")] == ["GigabitEthernet0/0/11"]
    """

    def command(self) -> str:
        return questions(
            {"lldp": "lldpcli -f json0 show neighbors", "links": "ip -j -d -s addr show"}
        )

    @staticmethod
    def default() -> Neighbours:
        return Neighbours(unread=unknown("lldp"))

    def process(self, output: list[str]) -> Neighbours:
        return parsed("lldp", parse, output)
