"""Routes and policy rules of all tables, IPv4 and IPv6."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pyinfra.api.facts import FactBase

from facts.questions import Answer, answers, questions
from facts.record import Reading, Record, parsed, unknown


@dataclass(frozen=True)
class Hop(Record):
    gateway: str | None
    device: str | None
    weight: int


@dataclass(frozen=True)
class Route(Record):
    """One route. ``protocol`` says who made it: "kernel", "static", "dhcp", "ra", "boot"."""

    destination: str  # "default", "10.244.12.0/24"
    family: str  # "inet" or "inet6"
    type: str  # "unicast", "local", "broadcast", "blackhole", …
    table: str
    gateway: str | None
    device: str | None
    source: str | None
    protocol: str
    scope: str
    metric: int
    flags: tuple[str, ...]  # "linkdown", "onlink", "dead"
    hops: tuple[Hop, ...]  # of a multipath route only


@dataclass(frozen=True)
class Rule(Record):
    """One policy rule, as ``ip rule`` shows it."""

    priority: int
    family: str
    source: str
    destination: str
    table: str | None
    action: str  # "to_tbl" if it names a table
    mark: str | None
    incoming: str | None
    protocol: str


@dataclass(frozen=True)
class RouteTable(Reading):
    """A family that could not be read (IPv6 switched off, say) is missing and in ``unread``."""

    routes: tuple[Route, ...] | None = None
    rules: tuple[Rule, ...] | None = None

    def to(self, destination: str, table: str = "main") -> tuple[Route, ...]:
        """Routes to exactly ``destination``, as it is spelt in ``ip route``."""
        return tuple(
            route
            for route in self.routes or ()
            if (route.destination, route.table) == (destination, table)
        )


def parse(output: list[str]) -> RouteTable:
    """Output of :class:`Routes`' command; ValueError and the like on garbage."""
    asked = answers(output)
    if not asked:
        return Routes.default()
    unread = {name: answer.failure for name, answer in asked.items() if answer.failure}
    routes = {
        name: tuple(_route(item, name) for item in _items(asked[f"routes-{name}"]))
        for name in ("inet", "inet6")
        if f"routes-{name}" not in unread
    }
    rules = {
        name: tuple(_rule(item, name) for item in _items(asked[f"rules-{name}"]))
        for name in ("inet", "inet6")
        if f"rules-{name}" not in unread
    }
    return RouteTable(
        routes=sum(routes.values(), ()) if "inet" in routes else None,
        rules=sum(rules.values(), ()) if "inet" in rules else None,
        unread=unread,
    )


def _items(answer: Answer) -> list[Mapping[str, Any]]:
    # ip prints nothing at all, instead of [], where there is no route.
    return [item for item in answer.json() if item] if answer.output else []


def _route(item: Mapping[str, Any], family: str) -> Route:
    return Route(
        destination=item["dst"],
        family=family,
        type=item.get("type", "unicast"),
        table=str(item.get("table", "main")),
        gateway=item.get("gateway") or (item.get("via") or {}).get("host"),
        device=item.get("dev"),
        source=item.get("prefsrc"),
        protocol=str(item.get("protocol", "boot")),
        scope=str(item.get("scope", "global")),
        metric=int(item.get("metric", 0)),
        flags=tuple(item.get("flags", ())),
        hops=tuple(
            Hop(hop.get("gateway"), hop.get("dev"), int(hop.get("weight", 1)))
            for hop in item.get("nexthops", ())
        ),
    )


def _rule(item: Mapping[str, Any], family: str) -> Rule:
    def network(side: str) -> str:
        address = item.get(side, "all")
        length = item.get(f"{side}len")
        return address if length is None else f"{address}/{length}"

    return Rule(
        priority=int(item["priority"]),
        family=family,
        source=network("src"),
        destination=network("dst"),
        table=item.get("table"),
        action=item.get("action", "to_tbl"),
        mark=item.get("fwmark"),
        incoming=item.get("iif"),
        protocol=str(item.get("protocol", "kernel")),
    )


class Routes(FactBase[RouteTable]):
    """Routes and rules of all tables.

    .. code:: python

        [route.gateway for route in host.get_fact(Routes).to("default")]
    """

    def requires_command(self) -> str:
        return "ip"

    def command(self) -> str:
        return questions(
            {
                "routes-inet": "ip -j -4 route show table all",
                "routes-inet6": "ip -j -6 route show table all",
                "rules-inet": "ip -j -4 rule show",
                "rules-inet6": "ip -j -6 rule show",
            }
        )

    @staticmethod
    def default() -> RouteTable:
        return RouteTable(unread=unknown("routes"))

    def process(self, output: list[str]) -> RouteTable:
        return parsed("routes", parse, output)
