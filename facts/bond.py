"""One bond and its legs, as :mod:`facts.bonds` reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from facts.lacp import SILENT, LacpState
from facts.links import Link
from facts.record import Record


@dataclass(frozen=True)
class Leg(Record):
    """One port of a bond. LACP's fields are None in other modes.

    ``actor_*`` is our end of the cable, ``partner_*`` the switch's.
    """

    name: str
    mii_status: str  # "up", "down", "going down", "going back"
    speed_mbps: int | None  # None: the port does not know
    duplex: str | None  # "full", "half"
    failures: int  # how often its link was lost since it joined the bond
    permanent_mac: str
    driver: str | None = None  # None: not read, or a port without hardware
    aggregator: int | None = None
    actor_churn: str | None = None  # "none", "monitoring", "churned"
    partner_churn: str | None = None
    actor_key: int | None = None
    actor_state: LacpState | None = None
    partner_mac: str | None = None
    partner_key: int | None = None
    partner_state: LacpState | None = None
    link: Link | None = None  # its counters

    @property
    def up(self) -> bool:
        return self.mii_status == "up"

    @property
    def partner_silent(self) -> bool | None:
        """Never heard an LACPDU; None: not LACP, or cannot tell."""
        return None if self.partner_mac is None else self.partner_mac == SILENT

    @property
    def aggregated(self) -> bool | None:
        """Both sides let traffic through this port (802.3ad); None: cannot tell."""
        if self.actor_state is None or self.partner_state is None:
            return None
        return self.actor_state.passing and self.partner_state.passing


@dataclass(frozen=True)
class Bond(Record):
    """One bond. ``options`` are those of ``homelab.site.bonding``, ``primary`` and ``lacp_active``,
    by their files in ``/sys/class/net/BOND/bonding``; times in milliseconds."""

    name: str
    mode: str  # the kernel's option name: "802.3ad", "active-backup", …
    mii_status: str
    legs: tuple[Leg, ...] = ()
    options: Mapping[str, str] | None = None  # None: not read
    active_leg: str | None = None  # of the modes that have one
    active_aggregator: int | None = None
    aggregated_ports: int | None = None
    partner_mac: str | None = None
    partner_key: int | None = None
    link: Link | None = None  # its MTU, addresses and counters

    @property
    def partner_silent(self) -> bool | None:
        """No LACP partner on the active aggregator; None: not LACP, or cannot tell."""
        return None if self.partner_mac is None else self.partner_mac == SILENT

    @property
    def one_aggregator(self) -> bool | None:
        """All legs are in the same; None: not LACP, no legs, or cannot tell."""
        found = {leg.aggregator for leg in self.legs}
        return None if not found or found == {None} else len(found) == 1 and None not in found

    @property
    def carrying(self) -> tuple[Leg, ...] | None:
        """The legs that carry what is sent to the world now; None: cannot tell."""
        up = tuple(leg for leg in self.legs if leg.up)
        if self.mode == "active-backup":
            return tuple(leg for leg in up if leg.name == self.active_leg)
        if self.mode != "802.3ad":
            return up
        if self.active_aggregator is None:  # for root only; one aggregator is the active one
            return up if self.one_aggregator or not up else None
        chosen = [leg for leg in up if leg.aggregator == self.active_aggregator]
        # Without a partner the kernel lets the aggregator's ports send all the same.
        return tuple(
            leg
            for leg in chosen
            if self.partner_silent or leg.actor_state is None or leg.actor_state.distributing
        )

    @property
    def bandwidth_mbps(self) -> int | None:
        """What all flows together may have; one flow stays on one leg. None: cannot tell.

        A broadcast bond sends all on every leg, and so has what its slowest one has.
        """
        speeds = [leg.speed_mbps for leg in self.carrying or ()]
        known = [speed for speed in speeds if speed is not None]
        if self.carrying is None or len(known) < len(speeds):
            return None
        return min(known, default=0) if self.mode == "broadcast" else sum(known)
