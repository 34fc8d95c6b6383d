"""The ``bridge`` pod network: standard CNI plugins, a /24 per machine, a NAT table of our own."""

from __future__ import annotations

import json

from homelab.documents.document import Document, Layer
from homelab.documents.runtime import CNI_CONF
from homelab.documents.text import enabled, header, unit
from homelab.site import derived
from homelab.site.model import Machine, Site

CONFLIST = f"{CNI_CONF}/10-homelab.conflist"
NAT = "/etc/nftables.d/homelab-nat.nft"
BRIDGE = "cni0"


def cni_bridge(site: Site, machine: Machine) -> Layer:
    """CNI configuration and masquerading on one machine; routes: ``network.pod_routes``."""
    return Layer(
        name="cni-bridge",
        documents=(
            Document(CONFLIST, conflist(site, machine)),
            Document(NAT, nat(site)),
            Document("/etc/systemd/system/homelab-nat.service", unit(site, "cni_bridge", NAT_UNIT)),
        ),
        check=f"nft -c -f $STAGE{NAT}",
        activate=f"set -e\n{enabled('homelab-nat.service')}systemctl restart homelab-nat.service",
        units=("homelab-nat.service",),
        live="nft list table ip homelab-nat >/dev/null 2>&1",
    )


def conflist(site: Site, machine: Machine) -> str:
    """JSON has no comments, so this document has no header; cni.dev/plugins/current/main/bridge."""
    bridge = {
        "type": "bridge",
        "bridge": BRIDGE,
        "isGateway": True,
        "isDefaultGateway": True,
        "ipMasq": False,  # the plugin would hide pods from each other's machines; see nat()
        "hairpinMode": True,  # a pod may reach itself by its Service
        "mtu": site.network.mtu,
        "ipam": {
            "type": "host-local",
            "ranges": [[{"subnet": derived.pod_subnet(site, machine)}]],
        },
    }
    ports = {"type": "portmap", "capabilities": {"portMappings": True}}
    document = {"cniVersion": "0.4.0", "name": "homelab", "plugins": [bridge, ports]}
    return json.dumps(document, indent=2) + "\n"


def nat(site: Site) -> str:
    """Pods keep their address towards nodes, pods and Services, and borrow the machine's beyond."""
    net = site.network
    inside = ", ".join((net.pod_cidr, net.service_cidr, net.subnet))
    return (
        header(site, "cni_bridge")
        + f"""
table ip homelab-nat
delete table ip homelab-nat
table ip homelab-nat {{
	set inside {{
		type ipv4_addr
		flags interval
		elements = {{ {inside} }}
	}}
	chain postrouting {{
		type nat hook postrouting priority srcnat; policy accept;
		ip saddr {net.pod_cidr} ip daddr != @inside masquerade
	}}
}}
"""
    )


NAT_UNIT = f"""
[Unit]
Description=Masquerading for pods (site homelab)
After=nftables.service
Before=kubelet.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/nft -f {NAT}
ExecReload=/usr/sbin/nft -f {NAT}

[Install]
WantedBy=multi-user.target
"""
