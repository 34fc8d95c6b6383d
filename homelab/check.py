"""``python -m homelab.check INVENTORY…``: the validated site as tables, or all its faults.

Exit code 0: valid; 2: faults, which are on stderr, one a line.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.table import Table

from homelab.site import Machine, Site, SiteError, derived, load_site
from homelab.site.early import tell
from homelab.site.ports import Port, ports

USAGE = "usage: python -m homelab.check INVENTORY…, e.g. inventories/homelab.py"


def main(arguments: Sequence[str]) -> int:
    """Check each inventory; the exit code."""
    if not arguments or arguments[0].startswith("-"):
        print(USAGE, file=sys.stderr)
        return 2
    code = 0
    for file in arguments:
        try:
            Console().print(shown(load_site(file)))
        except SiteError as error:
            tell(error)
            code = 2
    return code


def shown(site: Site) -> RenderableType:
    """The site for a person: machines, bonds, ports, and who forwards to whom."""
    parts = [_summary(site), _machines(site)]
    if any(machine.nics for machine in site.machines):
        parts.append(_bonds(site))
    return Group(*parts, _ports(site), _ways(site))


def _summary(site: Site) -> RenderableType:
    kubernetes, network = site.kubernetes, site.network
    proxy = "kube-proxy" if kubernetes.kube_proxy else "no kube-proxy"
    hubble = ", Hubble" if kubernetes.hubble else ""
    base = f", {site.artefacts.base}" if site.artefacts.base else ""
    vlan = f", VLAN {network.vlan}" if network.vlan is not None else ""
    table = Table.grid(padding=(0, 2))
    for name, value in (
        ("site", f"{site.name}: valid"),
        ("Kubernetes", f"{kubernetes.version}, {kubernetes.runtime}"),
        ("pod network", f"{kubernetes.cni}, {proxy}{hubble}"),
        ("node subnet", f"{network.subnet}{vlan}, MTU {network.mtu}, gateway {network.gateway}"),
        ("pods, services", f"{network.pod_cidr}, {network.service_cidr}"),
        ("artefacts", f"{site.artefacts.source}{base}"),
    ):
        table.add_row(name, escape(value))
    return table


def _machines(site: Site) -> RenderableType:
    table = _table("machines", "name", "address", "roles", "ssh", "network")
    for machine in site.machines:
        roles = [*machine.roles, *_implied(site, machine)]
        ssh = f"{machine.ssh_user}@:{machine.ssh_port}"
        table.add_row(machine.name, machine.address, "\n".join(roles), ssh, _network(machine))
    return table


def _implied(site: Site, machine: Machine) -> Iterator[str]:
    if machine in derived.balancers(site) and "balancer" not in machine.roles:
        yield "balancer"
    if site.ingress and site.ingress.dmz == machine.name:
        yield "dmz"


def _network(machine: Machine) -> str:
    bonds = sorted({nic.bond for nic in machine.nics if nic.bond})
    return " ".join([machine.network, *bonds])


def _bonds(site: Site) -> RenderableType:
    table = _table("bonds and ports", "machine", "bond", "mode", "legs")
    modes = {bond.name: f"{bond.mode}, {bond.xmit_hash_policy}" for bond in site.network.bonds}
    for machine in site.machines:
        for bond in sorted({nic.bond or "" for nic in machine.nics}):
            mine = [nic for nic in machine.nics if (nic.bond or "") == bond]
            legs = "\n".join(f"{nic.mac} {nic.port or ''}".strip() for nic in mine)
            table.add_row(machine.name, bond or "none", modes.get(bond, ""), legs)
    return table


def _ports(site: Site) -> RenderableType:
    table = _table("ports that listen, and who may reach them", "port", "service", "from", "on")
    on: dict[Port, list[str]] = {}
    for machine in site.machines:
        for port in ports(site, machine):
            on.setdefault(port, []).append(machine.name)
    for port, names in on.items():
        where = "all" if len(names) == len(site.machines) else " ".join(names)
        table.add_row(str(port), port.service, " ".join(sorted(port.sources)), where)
    return table


def _ways(site: Site) -> RenderableType:
    table = _table("who forwards to whom", "from", "by", "to")
    balancers = " ".join(machine.name for machine in derived.balancers(site))
    servers = "\n".join(f"{m.address}:{derived.API_PORT}" for m in derived.control_planes(site))
    vip = f"{site.api.vip}:{derived.balanced_port(site)}"
    table.add_row("clients, nodes", f"{site.api.name} is the VIP {site.api.vip}", vip)
    table.add_row(f"VIP {vip}", f"HAProxy on {balancers}", servers)
    if site.ingress:
        dmz = derived.machine(site, site.ingress.dmz)
        router = f"router {site.ingress.router or ''}".strip()
        table.add_row("world, all ports", f"{router}, its DMZ host", f"{dmz.name} {dmz.address}")
        table.add_row("world, one port", f"{router}, forwarded", f"VIP {vip}")
        for number, inner in (
            (80, site.ingress.http_node_port),
            (443, site.ingress.https_node_port),
        ):
            nodes = "\n".join(f"{m.address}:{inner}" for m in derived.nodes(site))
            table.add_row(f"{dmz.address}:{number}", f"HAProxy on {dmz.name}", nodes)
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", highlight=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
