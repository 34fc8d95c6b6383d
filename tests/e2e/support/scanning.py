"""All ports of the machines, as seen from three places, against the port table."""

from __future__ import annotations

import ipaddress
import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from homelab.probe.running import command
from homelab.site import derived
from homelab.site.model import Machine, Site
from homelab.site.ports import Port, addresses, ports
from tests.e2e.support.rig import Rig

OUTSIDE = "192.0.2.2"  # TEST-NET-1 (RFC 5737): nobody's, and not the node subnet's
BETWEEN = "192.0.2.1"
SCAN_S = 120.0


@dataclass(frozen=True)
class Difference:
    """What a scan found beyond the table, and what the table promises and the scan missed."""

    unexpected: tuple[int, ...]
    missing: tuple[int, ...]

    def __bool__(self) -> bool:
        return bool(self.unexpected or self.missing)


def scan(argv: list[str]) -> dict[str, list[int]]:
    """Open ports by address; ``argv`` is the scan's command line, wrapped to its place."""
    done = subprocess.run(argv, capture_output=True, text=True, timeout=SCAN_S, check=True)
    found: dict[str, list[int]] = json.loads(done.stdout)
    return found


def scan_command(targets: Sequence[str]) -> list[str]:
    """The command line of a scan."""
    return command("scan", *targets)


def compare(
    site: Site, machine: Machine, source: str, found: Sequence[int], without: Sequence[str] = ()
) -> Difference:
    """Hold the open ports of a machine against what ``source``, an address, may reach.

    ``without``: services that do not listen at the address that was scanned.
    """
    table = [p for p in ports(site, machine) if p.protocol == "tcp" and p.service not in without]
    allowed = [port for port in table if may(site, port, source)]
    unexpected = [number for number in found if not any(number in numbers(p) for p in allowed)]
    # Ranges hold what users make; single ports are services that always run.
    promised = [port.number for port in allowed if isinstance(port.number, int)]
    return Difference(tuple(unexpected), tuple(n for n in promised if n not in found))


def may(site: Site, port: Port, source: str) -> bool:
    """Does the table let ``source`` in?"""
    who = ipaddress.ip_address(source)
    networks = [network for name in port.sources for network in addresses(site, name)]
    return any(who in ipaddress.ip_network(network) for network in networks)


def numbers(port: Port) -> range:
    """A port or a range of them, as a range."""
    first, _, last = str(port.number).partition("-")
    return range(int(first), int(last or first) + 1)


def one_of_each(site: Site, but: str) -> list[Machine]:
    """A control plane and a worker other than ``but``; more would fill its conntrack table."""
    planes = [m for m in derived.control_planes(site) if m.name != but]
    workers = [m for m in derived.workers(site) if m.name != but]
    return planes[:1] + workers[:1]


@contextmanager
def outside(rig: Rig) -> Iterator[list[str]]:
    """A host out in the world, with a route to the machines by way of the lab's gateway.

    Yields the words that run a command there.
    """
    world = f"{rig.lab.paths.netns}-world"
    _ip("netns", "add", world)
    try:
        _ip("link", "add", "world0", "type", "veth", "peer", "name", "eth0", "netns", world)
        _ip("address", "add", f"{BETWEEN}/30", "dev", "world0")
        _ip("link", "set", "world0", "up")
        _ip("-n", world, "address", "add", f"{OUTSIDE}/30", "dev", "eth0")
        _ip("-n", world, "link", "set", "eth0", "up")
        _ip("-n", world, "route", "add", "default", "via", BETWEEN)
        Path("/proc/sys/net/ipv4/ip_forward").write_text("1")  # this namespace's own
        yield ["nsenter", f"--net=/run/netns/{world}", "--"]
    finally:
        _ip("link", "delete", "world0")
        _ip("netns", "delete", world)


def in_pod(rig: Rig, node: str, process: str) -> list[str]:
    """The words that run a command on the network of a pod on ``node`` that runs ``process``.

    The pod's processes are the lab's host's as well, so its namespace can be entered from here.
    """
    script = f"for p in $(pgrep -x {process}); do readlink /proc/$p/ns/net; done | sort -u"
    wanted = rig.root(node, script).split()[0]
    for entry in Path("/proc").glob("[0-9]*/ns/net"):
        try:
            if str(entry.readlink()) == wanted:
                return ["nsenter", f"--net={entry}", "--"]
        except OSError:  # gone meanwhile
            continue
    raise LookupError(f"no process on {node} runs {process} in a pod")


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)
