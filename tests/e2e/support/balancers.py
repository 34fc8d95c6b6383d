"""The VIP and the balancers behind it."""

from __future__ import annotations

import csv
import io

from homelab.probe.holders import who_has
from homelab.site import derived
from tests.e2e.support.rig import Rig

STATS = 'echo "show stat" | socat - UNIX-CONNECT:/run/haproxy/admin.sock'


def holders(rig: Rig) -> list[str]:
    """The machines that answer for the VIP, asked by ARP; by MAC where it is no machine's."""
    claims = who_has(rig.vip)
    found = []
    for machine in derived.balancers(rig.site):
        own = who_has(machine.address)
        if own & claims:
            found.append(machine.name)
            claims -= own
    return found + sorted(claims)


def holder(rig: Rig) -> str:
    """The one machine that holds the VIP; LookupError if it is none or several."""
    found = holders(rig)
    if len(found) != 1:
        raise LookupError(f"the VIP {rig.vip} is held by {found or 'nobody'}")
    return found[0]


def backends(rig: Rig, machine: str) -> dict[str, str]:
    """The state of every server line of a machine's HAProxy, by ``backend/server``."""
    text = rig.root(machine, STATS).lstrip("# ")
    rows = csv.DictReader(io.StringIO(text))
    return {
        f"{row['pxname']}/{row['svname']}": row["status"]
        for row in rows
        if row["svname"] not in ("FRONTEND", "BACKEND") and row["pxname"] != "stats"
    }


def down(rig: Rig) -> str:
    """Which balancer sees which server down; empty if all are up."""
    bad = []
    for machine in derived.balancers(rig.site):
        for server, status in backends(rig, machine.name).items():
            # "no check" marks servers that are taken for up, such as an ingress nobody made yet.
            if not status.startswith("UP") and status != "no check":
                bad.append(f"{machine.name}: {server} {status}")
    return ", ".join(bad)
