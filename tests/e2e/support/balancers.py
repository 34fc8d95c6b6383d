"""The VIP and the balancers behind it."""

from __future__ import annotations

import csv
import io

from homelab.probe.holders import who_have
from homelab.site import derived
from tests.e2e.support.rig import Rig

STATS = 'echo "show stat" | socat - UNIX-CONNECT:/run/haproxy/admin.sock'


def holders(rig: Rig) -> list[str]:
    """The machines that answer for the VIP, asked by ARP; by MAC where it is no machine's."""
    names = {machine.address: machine.name for machine in derived.balancers(rig.site)}
    answers = who_have([rig.vip, *names])
    claims = answers.pop(rig.vip)
    owners = {mac: names[address] for address, macs in answers.items() for mac in macs}
    return sorted(owners.get(mac, mac) for mac in claims)


def holder(rig: Rig) -> str:
    """The one machine that holds the VIP; LookupError if it is none or several."""
    found = holders(rig)
    if len(found) != 1:
        raise LookupError(f"the VIP {rig.vip} is held by {found or 'nobody'}")
    return found[0]


def statistics(rig: Rig, machine: str) -> dict[str, dict[str, str]]:
    """HAProxy's own columns for every server, by ``backend/server`` (its manual, 9.1)."""
    text = rig.root(machine, STATS).removeprefix("# ")
    rows = csv.DictReader(io.StringIO(text))
    return {
        f"{row['pxname']}/{row['svname']}": row
        for row in rows
        if row["svname"] not in ("FRONTEND", "BACKEND")
    }


def backends(rig: Rig, machine: str) -> dict[str, str]:
    """The state of every server of a machine's HAProxy."""
    return {server: row["status"] for server, row in statistics(rig, machine).items()}


def down(rig: Rig) -> str:
    """Which balancer sees which server down; empty if all are up that should be.

    Nothing in the lab serves HTTPS behind the ingress, so those servers are down by right.
    """
    bad = []
    for machine in derived.balancers(rig.site):
        for server, status in backends(rig, machine.name).items():
            if status != "UP" and not server.startswith("ingress-https/"):
                bad.append(f"{machine.name}: {server} {status}")
    return ", ".join(bad)
