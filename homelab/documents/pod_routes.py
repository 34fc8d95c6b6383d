"""The routes to the other machines' pods, where the CNI makes none (``bridge``)."""

from __future__ import annotations

from homelab.documents.document import Document, Layer
from homelab.documents.text import enabled, unit
from homelab.site import derived
from homelab.site.model import Machine, Site


def pod_routes(site: Site, machine: Machine) -> Layer:
    """A unit that sets the routes to the other machines' pods, at boot too; bridge CNI only.

    A unit and not networkd's [Route]: it serves networks that somebody else manages as well.
    """
    others = [other for other in derived.nodes(site) if other.name != machine.name]
    if site.kubernetes.cni != "bridge" or not others:
        return Layer(name="pod-routes", documents=())
    routes = [(derived.pod_subnet(site, other), other.address) for other in others]
    starts = "\n".join(
        f"ExecStart=/usr/sbin/ip -4 route replace {route}"
        for route in [f"unreachable {CLOUD}", *(f"{subnet} via {via}" for subnet, via in routes)]
    )
    text = ROUTES_UNIT.format(starts=starts)
    path = "/etc/systemd/system/homelab-pod-routes.service"
    live = [
        f"ip -4 route show type unreachable {CLOUD} | grep -q .",
        *(f"ip -4 route show {subnet} | grep -q 'via {via} '" for subnet, via in routes),
    ]
    return Layer(
        name="pod-routes",
        documents=(Document(path, unit(site, "pod_routes", text)),),
        activate=f"set -e\n{enabled('homelab-pod-routes.service')}"
        "systemctl restart homelab-pod-routes.service",
        units=("homelab-pod-routes.service",),
        live=" && ".join(live),
    )


# A cloud's metadata service. There is none here; a kubelet that looks for Amazon's credentials
# (until 1.26, pkg/credentialprovider/aws) waits for its answer for 4 s at every start.
CLOUD = "169.254.169.254"

ROUTES_UNIT = """
[Unit]
Description=Routes to the other machines' pods
Wants=network-online.target
After=network-online.target
Before=kubelet.service
StartLimitIntervalSec=0

[Service]
Type=oneshot
RemainAfterExit=yes
# the address may come later than network-online.target says
Restart=on-failure
RestartSec=2
{starts}

[Install]
WantedBy=multi-user.target
"""
