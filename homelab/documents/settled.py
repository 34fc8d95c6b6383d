"""What a cluster keeps for its life: noted beside kubeadm's configuration, read again by preflight.

Addresses of pods and Services stand in certificates, routes and objects, every kubelet knows the
endpoint, and a pod network or proxy that is exchanged leaves the old one's rules behind.
"""

from __future__ import annotations

from homelab.site import derived
from homelab.site.model import Site


def settled(site: Site) -> dict[str, str]:
    """Values by name: kubeadm's own field where it has one, else that of the site."""
    return {
        "kubernetesVersion": f"v{site.kubernetes.version}",
        "controlPlaneEndpoint": derived.endpoint(site),  # api.name, and the port of api.balancers
        "podSubnet": site.network.pod_cidr,
        "serviceSubnet": site.network.service_cidr,
        "dnsDomain": site.kubernetes.dns_domain,
        **_ours(site),
    }


def note(site: Site) -> str:
    """Comments for kubeadm's configuration: what none of its fields tells, in any version."""
    return "".join(f"# {name}: {value}\n" for name, value in _ours(site).items())


def _ours(site: Site) -> dict[str, str]:
    kubernetes = site.kubernetes
    return {
        "api.vip": site.api.vip,
        "kubernetes.cni": kubernetes.cni,
        "kubernetes.kube_proxy": str(kubernetes.kube_proxy),
        "kubernetes.coredns": str(kubernetes.coredns),
    }
