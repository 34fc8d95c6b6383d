"""Cilium: the values that its chart is installed with.

**Never run by us.** Cilium's chart and images can't be had where this was written. Every key and
type is checked against the chart's own values.yaml of the 1.20 series
(tests/unit/documents/cilium_values.txt), helm parses the text, and what follows is read from
Cilium's source and its users' reports, not seen. On the first real cluster look at
``cilium-dbg status --verbose`` ("NodePort", "Devices", "Masquerading") and scan the node ports
from outside.

**Node ports.** In place of kube-proxy Cilium translates node ports in tc, before nftables sees the
packet: ``firewall.py`` can't close them, and a DMZ host would show every one to the world. Cilium's
host firewall is no answer, since its policies are enforced after that translation (cilium #12781
is open since 2020, #44959 was closed, deckhouse #19816 measured it on 1.17). What does decide is
on which of a machine's addresses a node port exists at all, ``nodePort.addresses``:

- We choose 127.0.0.0/8, so none: Cilium never takes a loopback address for a node's
  (pkg/datapath/tables/node_address.go, ``IsLoopback``). A packet from the wire to a node port finds
  no Service in tc, goes on to nftables, and is dropped there unless it comes from a node.
- Processes and pods of nodes still reach a node port of any node: Cilium keeps an entry for address
  0 that only its socket hooks ask for (pkg/loadbalancer/reconciler/bpf_reconciler.go, "surrogate";
  bpf/bpf_sock.c, ``sock4_wildcard_lookup``). So HAProxy on the DMZ host, a node, hands the world's
  traffic on, and what it connects to is a pod, without another hop. hostPorts follow the same rule.
- If the DMZ host is no node (balancers on machines of their own), HAProxy needs node ports on the
  wire: then they exist on the nodes' addresses in the node subnet, for the whole subnet. The world
  reaches none of these machines. ``homelab.site.ports.node_ports_on_wire`` says which it is, and
  the port table is made from it.

Not closed by this: a Service's own ``externalIPs`` and load balancer addresses (somebody asked for
them), and a host of the node subnet that routes to a pod's address itself: Cilium delivers that in
tc as well. A NetworkPolicy closes both.
"""

from __future__ import annotations

from typing import Any

from homelab.documents import ports
from homelab.documents.runtime import CNI_BIN, CNI_CONF
from homelab.documents.text import dump_yaml, header
from homelab.documents.traits import Traits
from homelab.site import derived
from homelab.site.model import Site
from homelab.site.ports import node_ports_on_wire

RELEASE = "cilium"
NAMESPACE = "kube-system"
VXLAN_PORT = 8472  # as in the port table
NOWHERE = "127.0.0.0/8"
CERTIFICATE_DAYS = 3650
# Hubble's relay and window tolerate no taint by default: they would wait for ever where all nodes
# are control planes. The operator has these two anyway.
CONTROL_PLANES = [
    {"key": f"node-role.kubernetes.io/{role}", "operator": "Exists"}
    for role in ("control-plane", "master")
]
Values = dict[str, Any]


def values(site: Site) -> str:
    """values.yaml for the chart, from the site alone: the same for every machine.

    https://docs.cilium.io/en/stable/helm-reference/
    """
    tree = _api(site) | _datapath(site) | _services(site) | _parts(site) | _hubble(site)
    if site.artefacts.source != "upstream":
        _without_digests(tree)
    return header(site, "cilium") + dump_yaml(tree)


def _api(site: Site) -> Values:
    """The VIP, and no Service: in place of kube-proxy Cilium itself makes Services work."""
    return {"k8sServiceHost": site.api.vip, "k8sServicePort": derived.balanced_port(site)}


def _datapath(site: Site) -> Values:
    tree: Values = {
        # The controller manager hands a /24 to each node (kubeadm's podSubnet): one who decides,
        # and kubectl shows it. It can't be changed in a running cluster.
        "ipam": {"mode": "kubernetes"},
        "k8s": {"requireIPv4PodCIDR": True},
        "routingMode": "tunnel",  # the same on a switch, a router or a hypervisor in between
        "tunnelProtocol": "vxlan",
        "tunnelPort": VXLAN_PORT,
        "MTU": site.network.mtu,  # of the network below; Cilium takes its own headers off
        "ipv4": {"enabled": True},
        "ipv6": {"enabled": False},
        "cni": {"binPath": CNI_BIN, "confPath": CNI_CONF, "exclusive": True},
        # BPF masquerading needs Cilium's own node ports (kube-proxy: cilium #12699)
        "bpf": {"masquerade": not site.kubernetes.kube_proxy},
    }
    devices = _devices(site)
    return tree | ({"devices": devices} if devices else {})


def _devices(site: Site) -> list[str]:
    """The bonds (or their VLANs) of all nodes; none if one's name isn't ours to know.

    Without the list Cilium takes what carries a default route or the node's address, and no leg of
    a bond. With it, a second network of a machine stays out of Cilium's hands.
    """
    unknown = Traits(interface="")
    names = {
        "" if node.network == "foreign" else ports.interface(site, node, unknown)
        for node in derived.nodes(site)
    }
    return [] if "" in names else sorted(names)


def _services(site: Site) -> Values:
    """kube-proxy's work, or not. The first part of the module's docstring is about this."""
    if site.kubernetes.kube_proxy:
        return {"kubeProxyReplacement": False}
    where = site.network.subnet if node_ports_on_wire(site) else NOWHERE
    return {
        "kubeProxyReplacement": True,
        "kubeProxyReplacementHealthzBindAddr": "0.0.0.0:10256",  # where kube-proxy has it
        "socketLB": {"enabled": True, "hostNamespaceOnly": False},
        "nodePort": {"addresses": [where]},
    }


def _parts(site: Site) -> Values:
    """A changed setting restarts what it concerns, one machine at a time (the chart: two).

    Metrics are for nobody yet: their ports (9963, 9964) would listen on every address.
    """
    one_by_one = {"rollingUpdate": {"maxUnavailable": 1}}
    return {
        "rollOutCiliumPods": True,
        "updateStrategy": one_by_one,
        "operator": {
            "replicas": min(2, len(derived.nodes(site))),  # one on each of two nodes
            "rollOutPods": True,
            "prometheus": {"enabled": False},
        },
        "envoy": {
            "enabled": True,
            "rollOutPods": True,
            "updateStrategy": one_by_one,
            "prometheus": {"enabled": False},
        },
    }


def _hubble(site: Site) -> Values:
    """Relay and window besides; they find each other by DNS."""
    if not site.kubernetes.hubble:
        return {"hubble": {"enabled": False}}
    shown: Values = {
        "enabled": site.kubernetes.coredns,
        "rollOutPods": True,
        "tolerations": CONTROL_PLANES,
    }
    return {
        "hubble": {
            "enabled": True,
            "peerService": {"clusterDomain": site.kubernetes.dns_domain},
            # helm makes the certificates anew at each upgrade and never else: with the chart's own
            # 365 days Hubble would stop working after a quiet year.
            "tls": {"auto": {"method": "helm", "certValidityDuration": CERTIFICATE_DAYS}},
            "relay": shown,
            "ui": shown,
        },
        "tls": {"ca": {"certValidityDuration": CERTIFICATE_DAYS}},
    }


def _without_digests(tree: Values) -> None:
    """Images by tag. The chart's digests are of multi-platform indexes; a bundle's tar holds the
    amd64 manifest alone (homelab/artefacts/oci.py), so the index is found nowhere offline."""
    hubble = tree["hubble"]
    owners = [tree, tree["operator"], tree["envoy"]]
    if hubble["enabled"]:
        hubble["relay"] = dict(hubble["relay"])
        hubble["ui"] = dict(hubble["ui"]) | {"backend": {}, "frontend": {}}
        owners += [hubble["relay"], hubble["ui"]["backend"], hubble["ui"]["frontend"]]
    for owner in owners:
        owner["image"] = {"useDigest": False, "pullPolicy": "IfNotPresent"}
