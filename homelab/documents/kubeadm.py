"""kubeadm's configuration, in the API version that the cluster's Kubernetes wants.

Field names: kubernetes/cmd/kubeadm/app/apis/kubeadm/<version>/types.go. What differs between the
versions is kept in the few functions at the end; the rest is the same for all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from homelab import versions
from homelab.documents import apiserver, components, patches, runtime, settled
from homelab.documents.text import dump_yaml, header
from homelab.documents.traits import Traits
from homelab.site import derived
from homelab.site.model import NOTHING, Machine, Site

Yaml = dict[str, Any]


@dataclass(frozen=True)
class RunSecrets:
    """What lives for one run only; hidden from every repr, so from logs as well."""

    token: str = field(repr=False)  # "abcdef.0123456789abcdef"
    ca_hashes: tuple[str, ...] = ()  # "sha256:<hex of the CA's public key>"; public


def cluster_documents(
    site: Site,
    machine: Machine,
    run: RunSecrets,
    joining: bool,
    traits: Traits,
    etcd_args: Mapping[str, str] = NOTHING,
) -> str:
    """The YAML for ``--config``; it holds the token: a secret file for this run.

    ``joining``: a JoinConfiguration alone; kubeadm reads the rest from the cluster. Else all
    others, for ``kubeadm init`` and its phases on any control plane. ``etcd_args`` are added to
    etcd's, e.g. ``initial-cluster`` and ``initial-cluster-state`` of a learner that joins.
    """
    if joining:
        return header(site, "kubeadm") + dump_yaml(_join(site, machine, run, traits))
    documents = [
        _init(site, machine, run, traits),
        _cluster(site, etcd_args),
        components.kubelet(site, traits),
        components.kube_proxy(site, traits),
    ]
    return header(site, "kubeadm") + settled.note(site) + dump_yaml(*documents)


def skip_phases(site: Site) -> tuple[str, ...]:
    """The addons that this site does without, for ``kubeadm init --skip-phases``."""
    skipped = []
    if not site.kubernetes.kube_proxy:
        skipped.append("addon/kube-proxy")
    if not site.kubernetes.coredns:
        skipped.append("addon/coredns")
    return tuple(skipped)


def cert_sans(site: Site) -> list[str]:
    """Every name and address by which a client may reach an API server, whichever it is.

    kubeadm adds the machine's own. Not the other machines': one more would change them all.
    """
    names = ["localhost", "127.0.0.1", site.api.name, site.api.vip]
    if site.ingress and site.ingress.router:  # it forwards one port to the endpoint
        names.append(site.ingress.router)
    return list(dict.fromkeys(names))


def _init(site: Site, machine: Machine, run: RunSecrets, traits: Traits) -> Yaml:
    document = _typed(site, "InitConfiguration")
    document["bootstrapTokens"] = [
        {
            "token": run.token,
            "description": "deploys/cluster.py, one run",
            "ttl": "1h0m0s",
            "usages": ["signing", "authentication"],
            "groups": ["system:bootstrappers:kubeadm:default-node-token"],
        }
    ]
    document["nodeRegistration"] = _registration(site, machine)
    document["localAPIEndpoint"] = _endpoint(machine)
    if _api(site) == "v1beta3" and skip_phases(site):
        document["skipPhases"] = list(skip_phases(site))
    return document | _since_v1beta3(site, machine)


def _join(site: Site, machine: Machine, run: RunSecrets, traits: Traits) -> Yaml:
    document = _typed(site, "JoinConfiguration")
    document["nodeRegistration"] = _registration(site, machine)
    document["discovery"] = {
        "bootstrapToken": {
            "token": run.token,
            "apiServerEndpoint": derived.endpoint(site),
            "caCertHashes": list(run.ca_hashes),
        },
        "tlsBootstrapToken": run.token,
    }
    if _api(site) != "v1beta4":
        document["discovery"]["timeout"] = _seconds(site.timings.gate_s)
    if "control_plane" in machine.roles:
        document["controlPlane"] = {"localAPIEndpoint": _endpoint(machine)}
    return document | _since_v1beta3(site, machine)


def _cluster(site: Site, etcd_args: Mapping[str, str]) -> Yaml:
    document = _typed(site, "ClusterConfiguration")
    document |= {
        "clusterName": site.name,
        "kubernetesVersion": f"v{site.kubernetes.version}",
        "controlPlaneEndpoint": derived.endpoint(site),
        "networking": {
            "podSubnet": site.network.pod_cidr,
            "serviceSubnet": site.network.service_cidr,
            "dnsDomain": site.kubernetes.dns_domain,
        },
        "apiServer": {
            "certSANs": cert_sans(site),
            "extraArgs": _args(site, apiserver.flags(site)),
            "extraVolumes": apiserver.volumes(site),
        },
        "controllerManager": {"extraArgs": _args(site, components.controller_manager(site))},
        "etcd": {
            "local": {
                "dataDir": "/var/lib/etcd",
                "extraArgs": _args(site, components.etcd(site) | dict(etcd_args)),
            }
        },
    }
    scheduler = components.leader_election(site)
    if scheduler:
        document["scheduler"] = {"extraArgs": _args(site, scheduler)}
    if site.kubernetes.image_repository:
        document["imageRepository"] = site.kubernetes.image_repository
    if _api(site) == "v1beta4":  # kept in the cluster, so that an upgrade leaves them out too
        if not site.kubernetes.kube_proxy:
            document["proxy"] = {"disabled": True}
        if not site.kubernetes.coredns:
            document["dns"] = {"disabled": True}
    else:
        document["apiServer"]["timeoutForControlPlane"] = _seconds(site.timings.gate_s)
    return document


def _registration(site: Site, machine: Machine) -> Yaml:
    # Labels come later, by the API (operations/nodes.py): a flag would restart kubelet for each.
    arguments = {"node-ip": machine.address}
    number = versions.minor(site.kubernetes.version)
    socket = runtime.socket(site)
    document: Yaml = {
        "name": machine.name,
        # kubeadm 1.20's own default has no scheme; from 1.24 one without is deprecated
        "criSocket": socket if number < 24 else f"unix://{socket}",
        "kubeletExtraArgs": _args(site, arguments),
    }
    taints = _taints(site, machine)
    if taints is not None:
        document["taints"] = taints
    return document


def _taints(site: Site, machine: Machine) -> list[Yaml] | None:
    """None: kubeadm's default. A control plane that is a worker too gets none of kubeadm's own."""
    own = [_taint(text) for text in machine.taints]
    if "control_plane" not in machine.roles:
        return own or None
    if "worker" in machine.roles:
        return own
    return [_taint(f"{key}:NoSchedule") for key in control_plane_keys(site)] + own if own else None


def control_plane_keys(site: Site) -> tuple[str, ...]:
    """Keys of kubeadm's own taints.

    KEP-2067: "master" until 1.23, both in 1.24, "control-plane" from 1.25.
    """
    old, new = "node-role.kubernetes.io/master", "node-role.kubernetes.io/control-plane"
    number = versions.minor(site.kubernetes.version)
    return (old,) if number <= 23 else (old, new) if number == 24 else (new,)


def _taint(text: str) -> Yaml:
    """``key=value:Effect`` or ``key:Effect``."""
    name, _, effect = text.rpartition(":")
    key, _, value = name.partition("=")
    return (
        {"key": key, "value": value, "effect": effect} if value else {"key": key, "effect": effect}
    )


def _endpoint(machine: Machine) -> Yaml:
    return {"advertiseAddress": machine.address, "bindPort": derived.API_PORT}


def _seconds(number: int) -> str:
    return f"{number}s"


def _api(site: Site) -> str:
    return versions.kubeadm_api(site.kubernetes.version).rpartition("/")[2]


def _typed(site: Site, kind: str) -> Yaml:
    return {"apiVersion": versions.kubeadm_api(site.kubernetes.version), "kind": kind}


def _args(site: Site, arguments: Mapping[str, str]) -> Any:
    """A map up to v1beta3, a list of name and value from v1beta4."""
    if _api(site) == "v1beta4":
        return [{"name": name, "value": value} for name, value in arguments.items()]
    return dict(arguments)


def _since_v1beta3(site: Site, machine: Machine) -> Yaml:
    """Patches in the document from v1beta3 (before: a flag), time-outs from v1beta4."""
    document: Yaml = {}
    if _api(site) != "v1beta2" and "control_plane" in machine.roles:
        document["patches"] = {"directory": patches.FOLDER}
    if _api(site) == "v1beta4":
        document["timeouts"] = {
            "controlPlaneComponentHealthCheck": _seconds(site.timings.gate_s),
            "kubeletHealthCheck": _seconds(site.timings.gate_s),
            "tlsBootstrap": _seconds(site.timings.gate_s),
            "discovery": _seconds(site.timings.gate_s),
        }
    return document
