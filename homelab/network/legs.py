"""What is wrong with one leg: its link, its speed, its neighbour, its counters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from homelab.network.finding import Finding
from homelab.network.lacp import lacp_findings
from homelab.site.model import Nic

if TYPE_CHECKING:
    from facts.bond import Bond, Leg
    from facts.links import Counters

# A sound cable has no damaged frames: 802.3 promises less than one in 10^8 of full size. Frames
# are dropped for many a harmless reason (a protocol that nobody here speaks), so more are allowed;
# but a leg that loses one in a hundred has to be told before all that it ever got is diluted.
DAMAGED = 1 / 10_000
DROPPED = 1 / 200
ENOUGH = 1_000  # packets; of fewer nothing follows


def leg_findings(bond: Bond, leg: Leg, nic: Nic | None) -> Iterator[Finding]:
    """In the order in which a person would look: cable first, the switch's groups last."""
    where = f"{bond.name} {leg.name}"
    port = switch_port(nic)
    if not leg.up:
        yield _link(where, leg, port)
    else:
        speed = list(_speed(where, bond, leg, nic, port))
        yield from speed
        if not speed:  # a leg of another speed falls out of the aggregator for that reason
            yield from lacp_findings(bond, leg, port)
    yield from _counters(where, leg, port)


def switch_port(nic: Nic | None) -> str:
    """In words: with its name, if the site knows it."""
    return f"the switch's port {nic.port}" if nic and nic.port else "its port of the switch"


def _link(where: str, leg: Leg, port: str) -> Finding:
    if leg.mii_status == "going back":
        why = "its link is back, and updelay has not passed"
        return Finding(where, "is not in use yet", why, "look again in a second", note=True)
    if leg.link and not leg.link.up:
        why = "somebody set it down on the machine"
        return Finding(where, "is switched off", why, f"ip link set {leg.name} up")
    if leg.link and leg.link.carrier:
        return Finding(
            where,
            "has a link, and no ARP target answers through it",
            "what is behind the cable does not reach them, so the bond leaves it out",
            f"check the VLAN of {port}, that switch's uplink, and the ARP targets",
        )
    return Finding(
        where,
        "has no link",
        "the bond has one cable less",
        f"check that the cable sits in {port}, that this port is enabled, then another cable",
    )


def _speed(where: str, bond: Bond, leg: Leg, nic: Nic | None, port: str) -> Iterator[Finding]:
    if leg.duplex == "half":
        yield Finding(
            where,
            "runs at half duplex",
            "frames collide and are lost under load",
            f"set {port} to negotiate (auto), never to a fixed speed on one end only",
        )
    speed, peers = leg.speed_mbps, [peer.speed_mbps or 0 for peer in bond.legs if peer.up]
    if speed is None:
        return
    cable = f"another cable (two broken wires of eight give 100), then {port}: auto, not fixed"
    if nic and nic.speed_mbps and speed < nic.speed_mbps:
        why = f"the site says {nic.speed_mbps}"
        yield Finding(where, f"has {speed} Mbit/s", why, cable)
    elif speed < max(peers):
        why = f"its peers have {max(peers)}" + (
            ", and LACP aggregates ports of one speed only" if bond.mode == "802.3ad" else ""
        )
        yield Finding(where, f"has {speed} Mbit/s", why, cable)


def _counters(where: str, leg: Leg, port: str) -> Iterator[Finding]:
    if leg.failures:
        yield Finding(
            where,
            f"has lost its link {leg.failures} time(s) since it joined the bond",
            "a loose plug, or the switch was restarted",
            "look at the times: journalctl -k -g 'link status' there",
            note=True,
        )
    if leg.link and leg.link.received:
        yield from _losses(where, leg.name, port, "received", leg.link.received)
    if leg.link and leg.link.sent:
        yield from _losses(where, leg.name, port, "sent", leg.link.sent)


def _losses(where: str, name: str, port: str, way: str, counters: Counters) -> Iterator[Finding]:
    errors, dropped = counters.errors, counters.dropped
    total = counters.packets + errors
    if total < ENOUGH:
        return
    if errors > total * DAMAGED:
        yield Finding(
            where,
            f"has {errors} errors in {total} packets {way} ({errors / total:.2%})",
            "the flows that it carries are slow, and its link says nothing",
            f"another cable, then {port}; `ethtool -S {name}` says which errors",
        )
    if dropped > total * DROPPED:
        yield Finding(
            where,
            f"dropped {dropped} of {total} packets {way} ({dropped / total:.2%})",
            "its buffers were full, or they were of a protocol that the machine does not speak",
            f"if it grows under load: ethtool -g {name}",
            note=True,
        )
