"""Debian packages that a machine needs, by what it does."""

from __future__ import annotations

from homelab import versions
from homelab.site import derived
from homelab.site.model import Machine, Site

EVERYWHERE = (
    "ca-certificates",
    "curl",
    "iproute2",
    "nftables",
    "openssl",
    "procps",
    "python3-minimal",
)
TIME = ("systemd-timesyncd",)
NODE = ("conntrack", "ebtables", "ethtool", "iptables", "kmod", "socat", "util-linux")
CONTROL_PLANE = ("fio",)
BALANCER = ("haproxy", "iputils-ping", "keepalived")


def wanted(site: Site, machine: Machine, container: bool) -> tuple[str, ...]:
    """Names of the packages, sorted. A container has no clock of its own to sync."""
    names = {*EVERYWHERE, *(() if container else TIME)}
    if machine in derived.balancers(site):
        names |= {*BALANCER}
    if machine in derived.nodes(site):
        names |= {*NODE}
        if site.kubernetes.runtime == "containerd":
            series = versions.containerd_series(site.kubernetes.version)
            names |= {"containerd"} if series == "1.6" else set()
    if machine in derived.control_planes(site):
        names |= {*CONTROL_PLANE}
    if site.switch is not None:  # which cable is in which port: homelab/switch/cabling.py
        names |= {"lldpd"}
    return tuple(sorted(names))
