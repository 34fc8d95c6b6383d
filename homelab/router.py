"""``python -m homelab.router INVENTORY``: what to set on the consumer router, as a page.

Such a router (ipTIME and the like) has no API, so a person sets it. ``--probe`` then asks its outer
address from where this runs, and tells what is reachable. Exit code 0: as declared; 2: not.
"""

from __future__ import annotations

import argparse
import socket
import sys
from collections.abc import Sequence
from ipaddress import ip_address, ip_network

from homelab.probe.scan import open_ports
from homelab.site import Site, SiteError, derived, load_site
from homelab.site.early import tell
from homelab.site.ports import Port, ports


def open_to_world(site: Site) -> dict[int, str]:
    """TCP ports that answer at the router's outer address, and what each is."""
    if site.ingress is None:
        return {}
    dmz = derived.machine(site, site.ingress.dmz)
    found = {p.span[0]: p.service for p in _tcp(site, dmz.name) if "world" in p.sources}
    return dict(sorted((found | {derived.balanced_port(site): "the API, on the VIP"}).items()))


def closed_to_world(site: Site) -> dict[int, str]:
    """TCP ports of the machines that must not answer there; of node ports the ends and ours."""
    found: dict[int, str] = {}
    for machine in site.machines:
        for port in _tcp(site, machine.name):
            found |= dict.fromkeys(port.span, port.service)
    if site.ingress:
        mine = (site.ingress.http_node_port, site.ingress.https_node_port)
        found |= dict.fromkeys(mine, "node ports")
    return {n: found[n] for n in sorted(found.keys() - open_to_world(site).keys())}


def _tcp(site: Site, name: str) -> list[Port]:
    return [port for port in ports(site, derived.machine(site, name)) if port.protocol == "tcp"]


def page(site: Site) -> str:
    """The page for the person, in Markdown."""
    vip, number = site.api.vip, derived.balanced_port(site)
    lines = [f"# The router of {site.name}", "", "## To set", ""]
    if site.ingress is None:
        lines += ["Nothing: no way in for the world is declared (`Site.ingress`)."]
    else:
        dmz = derived.machine(site, site.ingress.dmz)
        lines += [
            f'- DMZ host ("exposed host"): `{dmz.address}` ({dmz.name}). It answers '
            f"{_listed(open_to_world(site), {number})}; its firewall drops all else.",
            f"- One forwarded port: outer TCP `{number}` to `{vip}`, port `{number}` (the VIP: "
            f"whichever machine holds it).",
        ]
    held = [f"`{m.address}` ({m.name})" for m in site.machines]
    lines += [
        f"- DHCP: a range without the VIP `{vip}` and without the machines: {', '.join(held)}"
        + (f", and without the switch `{site.switch.address}`." if site.switch else "."),
        "",
        "## Must not exist",
        "",
        "- Any other forwarded port, to any machine. In particular none of these:",
        "",
        *(f"  - `{number}/tcp` {service}" for number, service in closed_to_world(site).items()),
        "",
        "- UPnP or NAT-PMP: a program inside could open a port.",
        "- The router's own page, SSH or ping service on its outer side.",
        "",
        "## To check",
        "",
        "From a point outside (a phone's hotspot, a rented machine), as root:",
        "",
        "    ./nox -s router -- INVENTORY --probe ADDRESS",
    ]
    return "\n".join(lines)


def _listed(found: dict[int, str], without: set[int]) -> str:
    return ", ".join(
        f"{number} ({what})" for number, what in found.items() if number not in without
    )


def judged(site: Site, answered: Sequence[int]) -> list[str]:
    """What is not as declared of the ports that ``answered``, a line each."""
    found = []
    for number, what in open_to_world(site).items():
        if number not in answered:
            found.append(f"{number}/tcp ({what}) does not answer: is it forwarded, is it up?")
    for number, what in closed_to_world(site).items():
        if number in answered:
            found.append(f"{number}/tcp ({what}) answers, and must not: take its forward away")
    return found


def probe(site: Site, name: str) -> int:
    """Ask the outer address ``name`` from here; prints what is reachable; the exit code."""
    address = socket.gethostbyname(name)
    subnet = ip_network(site.network.subnet)
    inside = [a for a in (address, _source(address)) if ip_address(a) in subnet]
    if inside:
        print(
            f"{inside[0]} is inside the node subnet {subnet}: that shows nothing of the way in; "
            f"run this outside, against the router's outer address",
            file=sys.stderr,
        )
        return 2
    asked = {**open_to_world(site), **closed_to_world(site)}
    answered = open_ports(address, sorted(asked))
    for number in answered:
        print(f"{number}/tcp answers ({asked[number]})")
    problems = judged(site, answered)
    for line in problems:
        print(line, file=sys.stderr)
    if not problems:
        print(f"{name} ({address}): as declared, of {len(asked)} ports asked")
    return 2 if problems else 0


def _source(address: str) -> str:
    """Our own address on the way there; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((address, 9))
        return str(probe.getsockname()[0])


def main(arguments: Sequence[str]) -> int:
    """The page, or the probe; the exit code."""
    given = parser().parse_args(arguments)
    try:
        site = load_site(given.inventory)
    except SiteError as error:
        tell(error)
        return 2
    if given.probe is None:
        print(page(site))
        return 0
    try:
        return probe(site, given.probe)
    except OSError as error:  # no such name, no route, no raw sockets
        print(f"{given.probe} can't be asked from here (as root?): {error}", file=sys.stderr)
        return 2


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="python -m homelab.router", description=__doc__)
    made.add_argument("inventory", metavar="INVENTORY")
    made.add_argument("--probe", metavar="ADDRESS", help="the router's outer name or address")
    return made


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
