"""Settings of the single components, as kubeadm's documents hand them on."""

from __future__ import annotations

from typing import Any

from homelab import versions
from homelab.documents.host import SHUTDOWN_CRITICAL_S, SHUTDOWN_GRACE_S
from homelab.documents.traits import Traits
from homelab.site import derived
from homelab.site.model import Site, Timings

DNS_NUMBER = 10  # kubeadm gives DNS the tenth address of the service CIDR


def etcd(site: Site) -> dict[str, str]:
    """etcd.io/docs, tuning: election about ten heartbeats, heartbeat about the round trip."""
    return {
        "heartbeat-interval": str(site.timings.etcd_heartbeat_ms),
        "election-timeout": str(site.timings.etcd_election_ms),
        # Off by default before 3.5: a member that was cut off or frozen then comes back with a
        # higher term, and deposes a healthy leader (Ongaro, Consensus, 9.6).
        "pre-vote": "true",
    }


def leader_election(site: Site) -> dict[str, str]:
    """Only what differs from Kubernetes' own defaults (which are ours)."""
    names = {
        "leader-elect-lease-duration": "lease_s",
        "leader-elect-renew-deadline": "lease_renew_s",
        "leader-elect-retry-period": "lease_retry_s",
    }
    return {
        flag: f"{getattr(site.timings, name)}s"
        for flag, name in names.items()
        if getattr(site.timings, name) != getattr(Timings(), name)
    }


def controller_manager(site: Site) -> dict[str, str]:
    """Flags of kube-controller-manager beside kubeadm's own."""
    flags = leader_election(site)
    flags["node-monitor-grace-period"] = f"{site.timings.node_grace_s}s"
    flags["profiling"] = "false"
    if site.kubernetes.cni == "bridge":
        # A machine's pod subnet follows from its address (derived.pod_subnet), so that it stays
        # the same whatever joins or leaves; two who hand out subnets would disagree.
        flags["allocate-node-cidrs"] = "false"
        flags["cluster-cidr"] = site.network.pod_cidr
    return flags


def kubelet(site: Site, traits: Traits) -> dict[str, Any]:
    """KubeletConfiguration of all nodes, k8s.io/kubelet/config/v1beta1/types.go."""
    document: dict[str, Any] = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "cgroupDriver": "systemd",
        "clusterDNS": [derived.service_address(site, DNS_NUMBER)],
        "clusterDomain": site.kubernetes.dns_domain,
        "resolvConf": "/etc/resolv.conf",
        "rotateCertificates": True,
        # The cluster signs its serving certificate (homelab/documents/serving.py approves it).
        "serverTLSBootstrap": True,
        "nodeStatusUpdateFrequency": f"{site.timings.node_status_s}s",
        "failSwapOn": not traits.swap_on,
        "protectKernelDefaults": False,
        "containerLogMaxSize": "10Mi",
        "containerLogMaxFiles": 5,
    }
    if versions.graceful_shutdown(site.kubernetes.version) and not traits.container:
        document["shutdownGracePeriod"] = f"{SHUTDOWN_GRACE_S}s"
        document["shutdownGracePeriodCriticalPods"] = f"{SHUTDOWN_CRITICAL_S}s"
    return document


def kube_proxy(site: Site, traits: Traits) -> dict[str, Any]:
    """KubeProxyConfiguration, k8s.io/kube-proxy/config/v1alpha1/types.go."""
    document: dict[str, Any] = {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "clusterCIDR": site.network.pod_cidr,
    }
    if traits.container:  # these three sysctls are the host's: 0 leaves them as they are
        document["conntrack"] = {
            "maxPerCore": 0,
            "tcpEstablishedTimeout": "0s",
            "tcpCloseWaitTimeout": "0s",
        }
    return document
