"""What follows from a site: roles, endpoints, ports, addresses inside the cluster."""

from __future__ import annotations

import ipaddress
from pathlib import Path

from homelab.site.model import Machine, Role, Site

API_PORT = 6443  # kubeadm's bindPort
BALANCED_PORT = 8443  # HAProxy's, where it shares a machine with an API server
# Loopback only: HAProxy says 200 while its event loop turns (homelab/documents/vip.py asks it).
ALIVE_PORT = 8404


def with_role(site: Site, role: Role) -> tuple[Machine, ...]:
    """The machines that have ``role``, in the order of declaration."""
    return tuple(machine for machine in site.machines if role in machine.roles)


def control_planes(site: Site) -> tuple[Machine, ...]:
    return with_role(site, "control_plane")


def workers(site: Site) -> tuple[Machine, ...]:
    """Machines that run a kubelet and no control plane."""
    return tuple(m for m in with_role(site, "worker") if "control_plane" not in m.roles)


def nodes(site: Site) -> tuple[Machine, ...]:
    """Machines that run a kubelet."""
    return control_planes(site) + workers(site)


def balancers(site: Site) -> tuple[Machine, ...]:
    """The machines that run HAProxy and keepalived."""
    if site.api.balancers == "control_planes":
        return control_planes(site)
    return with_role(site, "balancer")


def machine(site: Site, name: str) -> Machine:
    """The machine called ``name``; KeyError if there is none."""
    for candidate in site.machines:
        if candidate.name == name:
            return candidate
    raise KeyError(f"no machine {name!r} in site {site.name!r}")


def balanced_port(site: Site) -> int:
    """The API's port on the VIP."""
    return BALANCED_PORT if site.api.balancers == "control_planes" else API_PORT


def endpoint(site: Site) -> str:
    """kubeadm's controlPlaneEndpoint, ``name:port``."""
    return f"{site.api.name}:{balanced_port(site)}"


def version(site: Site) -> tuple[int, int, int]:
    """The Kubernetes version as numbers."""
    major, minor, patch = (int(part) for part in site.kubernetes.version.split("."))
    return major, minor, patch


def host_part(site: Site, item: Machine) -> int:
    """The machine's number on the node subnet: 11 for 192.168.0.11 in 192.168.0.0/24."""
    subnet = ipaddress.ip_network(site.network.subnet)
    return int(ipaddress.ip_address(item.address)) - int(subnet.network_address)


def pod_subnet(site: Site, item: Machine) -> str:
    """The /24 of the machine's pods under the ``bridge`` CNI.

    Numbered by the machine's address, not by its place in the list: removing a machine must not
    renumber the others.
    """
    pods = ipaddress.ip_network(site.network.pod_cidr)
    start = int(pods.network_address) + host_part(site, item) * 256
    return f"{ipaddress.ip_address(start)}/24"


def service_address(site: Site, number: int) -> str:
    """The nth address of the service CIDR: 1 is the API's, 10 is DNS's (kubeadm's rule)."""
    return str(ipaddress.ip_network(site.network.service_cidr)[number])


def prefix_length(site: Site) -> int:
    return ipaddress.ip_network(site.network.subnet).prefixlen


def mac(text: str) -> str:
    """Any usual spelling (VRP: 0200-0000-000a) as the kernel writes it: ``02:00:00:00:00:0a``."""
    digits = "".join(character for character in text.lower() if character in "0123456789abcdef")
    return ":".join(digits[at : at + 2] for at in range(0, 12, 2))


def out_folder(site: Site) -> Path:
    """Where the controller keeps what a deploy hands to a person (admin kubeconfig, 0600)."""
    return Path(".homelab") / site.name
