"""What LACP made of a bond: who is at the other end, and which legs he takes (IEEE 802.1AX)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from homelab.network.finding import Finding
from homelab.site import model

if TYPE_CHECKING:
    from facts.bond import Bond, Leg
    from facts.lacp import LacpState


def partner_findings(declared: model.Bond, bond: Bond) -> Iterator[Finding]:
    """What concerns the bond as a whole."""
    up = [leg for leg in bond.legs if leg.up]
    if bond.mode != "802.3ad" or not up:
        return
    if any(leg.actor_state is None for leg in up):
        why = "the kernel shows it to root (CAP_NET_ADMIN) only"
        mend = "read it as root, or by sudo"
        yield Finding(bond.name, "does not show LACP's state", why, mend, note=True)
    elif nobody_speaks(bond):
        yield Finding(
            bond.name,
            "hears no LACP partner on any leg",
            "the switch does not speak LACP on these ports, so one leg carries all",
            "put the ports into one LACP group there (no static one), or choose another mode; "
            "docs/bonding.md has the table",
        )
    elif declared.lacp_rate == "fast" and any(_slow(leg) for leg in up):
        yield Finding(
            bond.name,
            "has a switch that asks for LACPDUs every 30 s",
            "it sends to a dead leg that keeps its link for up to 90 s",
            "set the group's LACP timeout to fast (short) there",
            note=True,
        )


def nobody_speaks(bond: Bond) -> bool:
    """No leg that has a link ever heard an LACPDU."""
    up = [leg for leg in bond.legs if leg.up]
    return bool(up) and all(leg.partner_silent for leg in up)


def lacp_findings(bond: Bond, leg: Leg, port: str) -> Iterator[Finding]:
    """Of a leg with a link and the right speed: the nearest cause, if it is not in use."""
    actor, partner = leg.actor_state, leg.partner_state
    if bond.mode != "802.3ad" or actor is None or partner is None or nobody_speaks(bond):
        return
    where = f"{bond.name} {leg.name}"
    peer = _peer(bond, leg)
    if leg.partner_silent or actor.defaulted:
        yield Finding(
            where,
            "hears no LACP partner" if leg.partner_silent else "no longer hears its LACP partner",
            "the other legs do, so this cable ends elsewhere or in a port outside of the group",
            f"look where the cable goes; put {port} into the others' LACP group",
        )
    elif actor.expired:
        why = "LACPDUs are being lost: in the next seconds it will fall out of the bond"
        yield Finding(where, "waits for its LACP partner", why, f"check the cable and {port}")
    elif peer and leg.partner_mac != peer.partner_mac:
        yield Finding(
            where,
            f"goes to the switch {leg.partner_mac}, {peer.name} to {peer.partner_mac}",
            "one aggregator has one partner, so this leg carries nothing",
            f"move its cable to the other legs' switch, or stack the two (MLAG); check {port}",
        )
    elif peer and leg.partner_key != peer.partner_key:
        yield Finding(
            where,
            f"is in the switch's group with key {leg.partner_key}, {peer.name} in that with "
            f"{peer.partner_key}",
            "these are two groups (or two speeds) of one switch, so this leg carries nothing",
            f"put {port} into the same group as the others",
        )
    elif bond.active_aggregator is not None and leg.aggregator != bond.active_aggregator:
        yield Finding(
            where,
            f"is in aggregator {leg.aggregator}, the active one is {bond.active_aggregator}",
            "it carries nothing",
            _refused(partner, port),
        )
    elif not leg.aggregated:
        yield Finding(
            where,
            "is not in use",
            "both ends have to be in sync, collect and distribute; the machine says "
            f"{actor.letters}, the switch {partner.letters}",
            _refused(partner, port),
        )
    elif "churned" in (leg.actor_churn, leg.partner_churn):
        why = "LACP did not settle within 60 s, and may carry traffic by chance"
        yield Finding(where, "is churned", why, f"compare {port} with the other legs' ports")


def _peer(bond: Bond, leg: Leg) -> Leg | None:
    """A leg of the active aggregator, to compare one outside of it with."""
    if leg.aggregator == bond.active_aggregator:
        return None
    inside = (peer for peer in bond.legs if peer.aggregator == bond.active_aggregator)
    return next(inside, None)


def _refused(partner: LacpState, port: str) -> str:
    if not partner.aggregation:
        return f"the switch holds {port} for a port of its own: put it into the LACP group"
    return f"look at the group there: is it full, is {port} of another speed, VLAN or duplex?"


def _slow(leg: Leg) -> bool:
    return bool(leg.aggregated and leg.partner_state and not leg.partner_state.timeout)
