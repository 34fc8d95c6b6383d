"""Bonds as the kernel runs them: what was negotiated with the switch, not what was configured.

The file's format: drivers/net/bonding/bond_procfs.c of Linux 6.1. LACP's details are shown to
whoever has CAP_NET_ADMIN only, and are None for others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from pyinfra.api.facts import FactBase

from facts.links import Link, links
from facts.questions import answers, questions
from facts.record import Reading, Record, parsed, unknown

SILENT = "00:00:00:00:00:00"  # the partner of a port that never heard an LACPDU
# IEEE 802.1AX port state bits: synchronization, collecting and distributing.
IN_SYNC, COLLECTING, DISTRIBUTING = 0x08, 0x10, 0x20


@dataclass(frozen=True)
class Leg(Record):
    """One port of a bond."""

    name: str
    mii_status: str  # "up", "down", "going down", "going back"
    speed_mbps: int | None  # None: the port does not know
    duplex: str | None
    failures: int
    permanent_mac: str
    aggregator: int | None = None
    churn: str | None = None  # "none", "monitoring", "churned"
    actor_state: int | None = None
    partner_mac: str | None = None
    partner_state: int | None = None

    @property
    def aggregated(self) -> bool | None:
        """Both sides let traffic through this port (802.3ad); None: cannot tell."""
        if self.actor_state is None or self.partner_state is None:
            return None
        both = self.actor_state & self.partner_state
        return both & IN_SYNC > 0 and both & COLLECTING > 0 and both & DISTRIBUTING > 0


@dataclass(frozen=True)
class Bond(Record):
    """One bond. Times in milliseconds."""

    name: str
    mode: str  # the kernel's option name: "802.3ad", "active-backup", …
    mii_status: str
    miimon_ms: int
    up_delay_ms: int
    down_delay_ms: int
    legs: tuple[Leg, ...] = ()
    xmit_hash_policy: str | None = None
    active_leg: str | None = None  # of active-backup
    lacp_rate: str | None = None
    lacp_active: bool | None = None
    min_links: int | None = None
    active_aggregator: int | None = None
    aggregated_ports: int | None = None
    partner_mac: str | None = None
    link: Link | None = None  # its MTU, addresses and counters

    @property
    def partner_silent(self) -> bool | None:
        """No LACP partner on the active aggregator; None: not LACP, or cannot tell."""
        return None if self.partner_mac is None else self.partner_mac == SILENT


@dataclass(frozen=True)
class BondList(Reading):
    """``bonds`` is () on a machine whose kernel has no bond."""

    bonds: tuple[Bond, ...] | None = None

    def bond(self, name: str) -> Bond | None:
        return next((bond for bond in self.bonds or () if bond.name == name), None)


MODES = {
    "IEEE 802.3ad Dynamic link aggregation": "802.3ad",
    "fault-tolerance (active-backup)": "active-backup",
    "load balancing (round-robin)": "balance-rr",
    "load balancing (xor)": "balance-xor",
    "fault-tolerance (broadcast)": "broadcast",
    "transmit load balancing": "balance-tlb",
    "adaptive load balancing": "balance-alb",
}


def parse(output: list[str]) -> BondList:
    """Output of :class:`Bonds`' command; ValueError and the like on garbage."""
    asked = answers(output)
    if not asked:
        return Bonds.default()
    unread = {name: answer.failure for name, answer in asked.items() if answer.failure}
    if "bonds" in unread:
        return BondList(unread=unread)
    bonds = bonds_of(asked["bonds"].output)
    if "links" not in unread:
        by_name = {link.name: link for link in links(asked["links"].json())}
        bonds = tuple(replace(bond, link=by_name.get(bond.name)) for bond in bonds)
    return BondList(bonds=bonds, unread=unread)


def bonds_of(text: str) -> tuple[Bond, ...]:
    """Files of /proc/net/bonding, each after a line ``==> NAME``; ValueError on other text."""
    head, *files = re.split(r"^==> (\S+)$", text, flags=re.MULTILINE)
    if head.strip():
        raise ValueError(f"expected '==> NAME', met {head.strip().splitlines()[0]!r}")
    return tuple(_bond(name, body) for name, body in zip(files[::2], files[1::2], strict=True))


def _bond(name: str, text: str) -> Bond:
    head, *legs = re.split(r"^Slave Interface: ", text, flags=re.MULTILINE)
    values = dict(_pairs(head))
    mode = re.sub(r" \(fail_over_mac \w+\)$", "", values["Bonding Mode"])
    lacp = "LACP rate" in values
    return Bond(
        name=name,
        mode=MODES.get(mode, mode),
        mii_status=values["MII Status"],
        miimon_ms=int(values["MII Polling Interval (ms)"]),
        up_delay_ms=int(values["Up Delay (ms)"]),
        down_delay_ms=int(values["Down Delay (ms)"]),
        legs=tuple(map(_leg, legs)),
        xmit_hash_policy=_first_word(values.get("Transmit Hash Policy")),
        active_leg=_named(values.get("Currently Active Slave")),
        lacp_rate=values.get("LACP rate"),
        lacp_active=None if "LACP active" not in values else values["LACP active"] == "on",
        min_links=int(values["Min links"]) if lacp and "Min links" in values else None,
        active_aggregator=_number(values.get("Aggregator ID")),
        aggregated_ports=_number(values.get("Number of ports")),
        partner_mac=values.get("Partner Mac Address"),
    )


def _leg(text: str) -> Leg:
    name, _, rest = text.partition("\n")
    own, _, partner_text = rest.partition("details partner lacp pdu:")
    values, partner = dict(_pairs(own)), dict(_pairs(partner_text))
    speed = re.fullmatch(r"(\d+) Mbps", values.get("Speed", ""))
    duplex = values.get("Duplex", "Unknown")
    return Leg(
        name=name.strip(),
        mii_status=values["MII Status"],
        speed_mbps=int(speed[1]) if speed else None,
        duplex=None if duplex == "Unknown" else duplex,
        failures=int(values["Link Failure Count"]),
        permanent_mac=values["Permanent HW addr"],
        aggregator=_number(values.get("Aggregator ID")),
        churn=values.get("Actor Churn State"),
        actor_state=_number(values.get("port state")),
        partner_mac=partner.get("system mac address"),
        partner_state=_number(partner.get("port state")),
    )


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        key, sign, value = line.strip().partition(": ")
        if sign:
            yield key, value.strip()


def _number(value: str | None) -> int | None:
    """A count; None where the kernel has none ("N/A", an absent line)."""
    return int(value) if value is not None and value != "N/A" else None


def _first_word(value: str | None) -> str | None:
    return value.split()[0] if value else None  # "layer3+4 (1)"


def _named(value: str | None) -> str | None:
    return None if value in (None, "None") else value


class Bonds(FactBase[BondList]):
    """Every bond with its legs, and what LACP made of them.

    .. code:: python

        bond = host.get_fact(Bonds).bond("bond0")
        {leg.aggregator for leg in bond.legs} == {bond.active_aggregator}
    """

    def command(self) -> str:
        return questions(
            {
                "bonds": "for f in /proc/net/bonding/*; do [ -e $f ] || continue; "
                'echo "==> ${f##*/}"; cat $f || exit 1; done',
                "links": "ip -j -d -s addr show",
            }
        )

    @staticmethod
    def default() -> BondList:
        return BondList(unread=unknown("bonds"))

    def process(self, output: list[str]) -> BondList:
        return parsed("bonds", parse, output)
