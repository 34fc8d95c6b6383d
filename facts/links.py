"""Network interfaces with their addresses and counters, as the kernel has them now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pyinfra.api.facts import FactBase

from facts.questions import answers, questions
from facts.record import Reading, Record, parsed, unknown


@dataclass(frozen=True)
class Address(Record):
    local: str
    prefix: int
    family: str  # "inet" or "inet6"
    scope: str  # "global", "link", "host"
    dynamic: bool  # has a lease, or came by router advertisement


@dataclass(frozen=True)
class Counters(Record):
    """Since the interface exists."""

    bytes: int
    packets: int
    errors: int
    dropped: int


@dataclass(frozen=True)
class Link(Record):
    """One interface. ``up`` is what was asked for, ``carrier`` what the cable says."""

    name: str
    index: int
    kind: str  # "bond", "vlan", "bridge", "veth", …; "" for a port or loopback
    mac: str
    permanent_mac: str  # differs from ``mac`` on the legs of a bond
    mtu: int
    up: bool
    carrier: bool
    state: str  # RFC 2863's operstate: "UP", "DOWN", "LOWERLAYERDOWN", "UNKNOWN"
    master: str | None
    parent: str | None  # of a VLAN
    vlan: int | None
    addresses: tuple[Address, ...]
    received: Counters | None
    sent: Counters | None


@dataclass(frozen=True)
class LinkList(Reading):
    links: tuple[Link, ...] | None = None

    def link(self, name: str) -> Link | None:
        return next((link for link in self.links or () if link.name == name), None)

    def holding(self, address: str) -> Link | None:
        """The interface that has ``address``; None if there is none, or nothing was read."""
        found = (li for li in self.links or () if address in {a.local for a in li.addresses})
        return next(found, None)


def parse(output: list[str]) -> LinkList:
    """Output of :class:`Links`' command; ValueError and the like on garbage."""
    asked = answers(output)
    if not asked:
        return Links.default()
    answer = asked["links"]
    if answer.failure:
        return LinkList(unread={"links": answer.failure})
    return LinkList(links=links(answer.json()))


def links(items: list[Mapping[str, Any]]) -> tuple[Link, ...]:
    """``ip -j -d -s addr show`` as records; also used by other facts that ask for it."""
    # iproute2 prints empty objects for what a filter left out.
    return tuple(_link(item) for item in items if item)


def _link(item: Mapping[str, Any]) -> Link:
    info = item.get("linkinfo") or {}
    counters = item.get("stats64") or {}
    mac = item.get("address", "")
    return Link(
        name=item["ifname"],
        index=int(item["ifindex"]),
        kind=info.get("info_kind", ""),
        mac=mac,
        permanent_mac=item.get("permaddr", mac),
        mtu=int(item["mtu"]),
        up="UP" in item["flags"],
        carrier="LOWER_UP" in item["flags"],
        state=item.get("operstate", "UNKNOWN"),
        master=item.get("master"),
        parent=item.get("link"),
        vlan=(info.get("info_data") or {}).get("id") if info.get("info_kind") == "vlan" else None,
        addresses=tuple(_address(entry) for entry in item.get("addr_info") or () if entry),
        received=_counters(counters.get("rx")),
        sent=_counters(counters.get("tx")),
    )


def _address(item: Mapping[str, Any]) -> Address:
    return Address(
        local=item["local"],
        prefix=int(item["prefixlen"]),
        family=item["family"],
        scope=str(item["scope"]),
        dynamic=bool(item.get("dynamic", False)),
    )


def _counters(item: Mapping[str, Any] | None) -> Counters | None:
    if item is None:
        return None
    return Counters(*(int(item[key]) for key in ("bytes", "packets", "errors", "dropped")))


class Links(FactBase[LinkList]):
    """All interfaces of the machine's first network namespace.

    .. code:: python

        host.get_fact(Links).holding("192.168.0.11").name
    """

    def requires_command(self) -> str:
        return "ip"

    def command(self) -> str:
        return questions({"links": "ip -j -d -s addr show"})

    @staticmethod
    def default() -> LinkList:
        return LinkList(unread=unknown("links"))

    def process(self, output: list[str]) -> LinkList:
        return parsed("links", parse, output)
