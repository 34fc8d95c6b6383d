"""The port table: what listens on each machine, and who may reach it.

The firewall is made from it, the scans check it, the docs print it; nobody writes a port twice.
Kubernetes' own: https://kubernetes.io/docs/reference/networking/ports-and-protocols/
Cilium's: https://docs.cilium.io/en/stable/operations/system_requirements/#firewall-rules
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from homelab.site import derived
from homelab.site.model import Machine, Site

Protocol = Literal["tcp", "udp", "icmp", "vrrp", "any"]

# world: any address; subnet: any on the node subnet; nodes: all machines of the site, balancers
# among them; pods: the pod CIDR; admin: network.admin_cidrs; local: the machine itself.
Source = Literal[
    "world", "subnet", "admin", "nodes", "control_planes", "balancers", "pods", "local"
]

NODE_PORTS = "30000-32767"  # kube-apiserver --service-node-port-range, its default


@dataclass(frozen=True)
class Port:
    """One service of one machine. ``number`` is a port, ``"30000-32767"``, or None (no ports)."""

    protocol: Protocol
    number: int | str | None
    sources: frozenset[Source]
    service: str
    why: str

    @property
    def span(self) -> tuple[int, int]:
        """First and last port number; (0, 0) without ports."""
        if isinstance(self.number, str):
            first, _, last = self.number.partition("-")
            return int(first), int(last)
        return self.number or 0, self.number or 0

    def __str__(self) -> str:
        return self.protocol if self.number is None else f"{self.number}/{self.protocol}"


def addresses(site: Site, source: Source) -> tuple[str, ...]:
    """The source as IPv4 networks, for a firewall's sets."""
    machines = {
        "nodes": site.machines,
        "control_planes": derived.control_planes(site),
        "balancers": derived.balancers(site),
    }
    if source in machines:
        return tuple(f"{machine.address}/32" for machine in machines[source])
    return {
        "world": ("0.0.0.0/0",),
        "subnet": (site.network.subnet,),
        "admin": site.network.admin_cidrs,
        "pods": (site.network.pod_cidr,),
        "local": ("127.0.0.0/8",),
    }[source]


def ports(site: Site, machine: Machine) -> tuple[Port, ...]:
    """All that listens on the machine, the local ones too, by protocol and number."""
    found = [*_every(machine), *_balancer(site, machine)]
    if machine in derived.nodes(site):
        found += [*_node(site), *_pod_network(site)]
    if machine in derived.control_planes(site):
        found += _control_plane()
    order = ("tcp", "udp", "icmp", "vrrp", "any")
    return tuple(sorted(found, key=lambda p: (order.index(p.protocol), p.span)))


def forwarded(site: Site, machine: Machine) -> tuple[Port, ...]:
    """What the machine passes on to its pods; nothing, if it runs none."""
    if machine not in derived.nodes(site):
        return ()
    why = "pods of other machines, and node ports after their translation"
    return (_port("any", None, "nodes pods", "pod network", why),)


def node_ports_on_wire(site: Site) -> bool:
    """Must Cilium's node ports exist on the nodes' own addresses, where no firewall sees them?

    Only for a DMZ host that is no node: processes of a node reach them without the wire
    (homelab/documents/cilium.py). kube-proxy's pass the firewall, wherever they exist.
    """
    if site.kubernetes.kube_proxy or site.ingress is None:
        return False
    return site.ingress.dmz not in {machine.name for machine in derived.nodes(site)}


def _every(machine: Machine) -> Iterator[Port]:
    ssh = machine.ssh_port
    yield _port("tcp", ssh, "subnet admin nodes", "sshd", "the way in for people and pyinfra")
    yield _port("icmp", None, "world", "kernel", "path MTU discovery fails without it")


def _balancer(site: Site, machine: Machine) -> Iterator[Port]:
    if machine in derived.balancers(site):
        # The router forwards one port to the API: the VIP's. It keeps the client's address.
        world = " world" if site.ingress else ""
        number, who = derived.balanced_port(site), f"subnet admin nodes pods{world}"
        yield _port("tcp", number, who, "haproxy", "the API on the VIP, for everyone with a key")
        yield _port("tcp", derived.ALIVE_PORT, "local", "haproxy", "health, for keepalived")
        if len(derived.balancers(site)) > 1:
            yield _port("vrrp", None, "balancers", "keepalived", "who holds the VIP (RFC 5798)")
    if site.ingress and site.ingress.dmz == machine.name:
        yield _port("tcp", 80, "world", "haproxy", "the world's HTTP, on to the ingress")
        yield _port("tcp", 443, "world", "haproxy", "the world's HTTPS, on to the ingress")


def _node(site: Site) -> Iterator[Port]:
    yield _port("tcp", 10250, "nodes pods", "kubelet", "logs, exec, metrics")
    yield _port("tcp", 10248, "local", "kubelet", "health")
    # Translated before a filter on input sees it: a firewall closes these in prerouting.
    who = "nodes" if site.kubernetes.kube_proxy else "nodes pods"
    who += " subnet" if node_ports_on_wire(site) else ""
    yield _port("tcp", NODE_PORTS, who, "node ports", "balancers hand the world's traffic on")
    yield _port("udp", NODE_PORTS, who, "node ports", "the same for UDP")


def _control_plane() -> Iterator[Port]:
    yield _port("tcp", 6443, "nodes pods", "kube-apiserver", "balancers, and Service kubernetes")
    yield _port("tcp", 2379, "control_planes", "etcd", "API servers, and etcdctl at joins")
    yield _port("tcp", 2380, "control_planes", "etcd", "members among themselves")
    yield _port("tcp", 2381, "local", "etcd", "health")
    yield _port("tcp", 10257, "local", "kube-controller-manager", "health")
    yield _port("tcp", 10259, "local", "kube-scheduler", "health")


def _pod_network(site: Site) -> Iterator[Port]:
    yield _port("tcp", 10256, "nodes", "kube-proxy", "health, of its replacement too")
    if site.kubernetes.kube_proxy:
        yield _port("tcp", 10249, "local", "kube-proxy", "metrics")
    if site.kubernetes.cni == "cilium":
        yield _port("tcp", 4240, "nodes", "cilium", "health between nodes")
        yield _port("udp", 8472, "nodes", "cilium", "VXLAN: pods to pods of other machines")
        yield _port("tcp", 9878, "local", "cilium-envoy", "health")
        yield _port("tcp", 9879, "local", "cilium", "health")
        yield _port("tcp", 9890, "local", "cilium", "gops, for its developers")
        yield _port("tcp", 9234, "local", "cilium-operator", "health, on two of the nodes")
        yield _port("tcp", 9891, "local", "cilium-operator", "gops, on two of the nodes")
    if site.kubernetes.hubble:
        yield _port("tcp", 4244, "nodes pods", "cilium", "Hubble, asked by its relay")


def _port(protocol: Protocol, number: int | str | None, who: str, service: str, why: str) -> Port:
    sources: frozenset[Source] = frozenset(who.split())  # type: ignore[arg-type]
    return Port(protocol, number, sources, service, why)
