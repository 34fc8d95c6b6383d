"""Text of the bonding driver's files as records.

The formats: drivers/net/bonding/bond_procfs.c and bond_sysfs.c of Linux 6.1. LACP's details are
shown to whoever has CAP_NET_ADMIN only, and are None for others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from facts.bond import Bond, Leg
from facts.lacp import LacpState

MODES = {
    "IEEE 802.3ad Dynamic link aggregation": "802.3ad",
    "fault-tolerance (active-backup)": "active-backup",
    "load balancing (round-robin)": "balance-rr",
    "load balancing (xor)": "balance-xor",
    "fault-tolerance (broadcast)": "broadcast",
    "transmit load balancing": "balance-tlb",
    "adaptive load balancing": "balance-alb",
}
LISTS = ("arp_ip_target", "primary")  # all others are a word, and a number that says the same


def bonds_of(text: str) -> tuple[Bond, ...]:
    """Files of /proc/net/bonding, each after a line ``==> NAME``; ValueError on other text."""
    return tuple(_bond(name, body) for name, body in _files(text))


def options_of(text: str) -> dict[str, dict[str, str]]:
    """Options by bond, of lines ``FILE VALUE`` after ``==> NAME``; ValueError on other text."""
    lines = {name: filter(None, body.split("\n")) for name, body in _files(text)}
    return {name: dict(map(_option, found)) for name, found in lines.items()}


def drivers_of(text: str) -> dict[str, str]:
    """Kernel modules by port, of lines ``PORT DRIVER``; ValueError on other text."""
    found: dict[str, str] = {}
    for line in filter(None, text.split("\n")):
        port, sign, driver = line.partition(" ")
        if not sign or " " in driver:
            raise ValueError(f"expected 'PORT DRIVER', met {line!r}")
        found[port] = driver
    return found


def _files(text: str) -> Iterator[tuple[str, str]]:
    head, *files = re.split(r"^==> (\S+)$", text, flags=re.MULTILINE)
    if head.strip():
        raise ValueError(f"expected '==> NAME', met {head.strip().splitlines()[0]!r}")
    for name, body in zip(files[::2], files[1::2], strict=True):
        yield name, body.strip("\n")


def _option(line: str) -> tuple[str, str]:
    name, sign, value = line.partition(" ")
    if not re.fullmatch(r"\w+", name) or not sign:
        raise ValueError(f"expected 'OPTION VALUE', met {line!r}")
    return name, value.strip() if name in LISTS else value.partition(" ")[0]


def _bond(name: str, text: str) -> Bond:
    head, *legs = re.split(r"^Slave Interface: ", text, flags=re.MULTILINE)
    values = dict(_pairs(head))
    mode = re.sub(r" \(fail_over_mac \w+\)$", "", values["Bonding Mode"])
    active = values.get("Currently Active Slave")
    return Bond(
        name=name,
        mode=MODES.get(mode, mode),
        mii_status=values["MII Status"],
        legs=tuple(map(_leg, legs)),
        active_leg=None if active == "None" else active,
        active_aggregator=_number(values.get("Aggregator ID")),
        aggregated_ports=_number(values.get("Number of ports")),
        partner_mac=values.get("Partner Mac Address"),
        partner_key=_number(values.get("Partner Key")),
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
        actor_churn=values.get("Actor Churn State"),
        partner_churn=values.get("Partner Churn State"),
        actor_key=_number(values.get("port key")),
        actor_state=_state(values.get("port state")),
        partner_mac=partner.get("system mac address"),
        partner_key=_number(partner.get("oper key")),
        partner_state=_state(partner.get("port state")),
    )


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        key, sign, value = line.strip().partition(": ")
        if sign:
            yield key, value.strip()


def _number(value: str | None) -> int | None:
    """A count; None where the kernel has none ("N/A", an absent line)."""
    return int(value) if value is not None and value != "N/A" else None


def _state(value: str | None) -> LacpState | None:
    return None if value is None else LacpState.of(int(value))
