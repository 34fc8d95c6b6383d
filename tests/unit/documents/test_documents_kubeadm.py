"""kubeadm's documents against the field names of each API version."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from homelab import versions
from homelab.documents.kubeadm import cert_sans, cluster_documents, skip_phases
from homelab.site.model import Machine, Site
from tests.unit.documents.document_sites import BARE, CONTAINER, RUN, at, lab, rack

FIELDS = json.loads((Path(__file__).parent / "kubeadm-api.json").read_text())
EDGES = ("1.20.2", "1.21.14", "1.22.0", "1.30.9", "1.31.0", "1.36.4")

# The kind of each field that is an object, or a list of objects.
KINDS = {
    "bootstrapTokens": "BootstrapToken",
    "nodeRegistration": "NodeRegistrationOptions",
    "localAPIEndpoint": "APIEndpoint",
    "networking": "Networking",
    "etcd": "Etcd",
    "local": "LocalEtcd",
    "apiServer": "APIServer",
    "controllerManager": "ControlPlaneComponent",
    "scheduler": "ControlPlaneComponent",
    "extraVolumes": "HostPathMount",
    "dns": "DNS",
    "proxy": "Proxy",
    "discovery": "Discovery",  # a duration among the time-outs of v1beta4
    "bootstrapToken": "BootstrapTokenDiscovery",
    "controlPlane": "JoinControlPlane",
    "patches": "Patches",
    "timeouts": "Timeouts",
}


def known(api: str, kind: str) -> set[str]:
    """Field names of ``kind``; v1beta3 and inlined types as kubeadm-api.json says in words."""
    if api == "v1beta3":
        fields = set(FIELDS["v1beta2"].get(kind) or FIELDS["v1beta4"][kind])
        fields -= {"useHyperKubeImage"} | ({"type"} if kind == "DNS" else set())
        if kind in ("InitConfiguration", "JoinConfiguration"):
            fields |= {"skipPhases", "patches"}
        if kind == "NodeRegistrationOptions":
            fields |= {"imagePullPolicy"}
    elif kind == "BootstrapToken":  # v1beta4 takes it from bootstraptoken/v1, unchanged
        fields = set(FIELDS["v1beta2"][kind])
    else:
        fields = set(FIELDS[api][kind])
    for inlined in [f for f in fields if f.startswith("<inline ")]:
        name = inlined.removeprefix("<inline ").removesuffix(">")
        fields |= {"apiVersion", "kind"} if "TypeMeta" in name else known(api, name)
    return fields


def refuse_unknown(api: str, kind: str, value: dict[str, Any]) -> None:
    assert set(value) <= known(api, kind), f"{set(value) - known(api, kind)} in {kind} {api}"
    for name, inner in value.items():
        if name in ("extraArgs", "kubeletExtraArgs"):
            assert isinstance(inner, list) == (api == "v1beta4")
            values = [p["value"] for p in inner] if api == "v1beta4" else inner.values()
            assert all(isinstance(value, str) for value in values)
        elif name in KINDS and not isinstance(inner, str):
            for item in inner if isinstance(inner, list) else [inner]:
                refuse_unknown(api, KINDS[name], item)


def documents(site: Site, machine: Machine, joining: bool) -> dict[str, Any]:
    text = cluster_documents(site, machine, RUN, joining, CONTAINER)
    return {d["kind"]: d for d in yaml.safe_load_all(text)}


@pytest.mark.parametrize("version", EDGES)
@pytest.mark.parametrize("make", [lab, rack])
def test_no_field_is_unknown(version: str, make: Any) -> None:
    site = at(make(), version)
    api = versions.kubeadm_api(version).rpartition("/")[2]
    for machine in site.machines[:4]:
        for joining in (False, True):
            for kind, document in documents(site, machine, joining).items():
                if "kubeadm" in document["apiVersion"]:
                    assert document["apiVersion"].endswith(api)
                    refuse_unknown(api, kind, document)


def test_init_has_all_kinds_and_a_join_only_its_own() -> None:
    site = lab()
    assert list(documents(site, site.machines[0], False)) == [
        "InitConfiguration",
        "ClusterConfiguration",
        "KubeletConfiguration",
        "KubeProxyConfiguration",
    ]
    assert list(documents(site, site.machines[1], True)) == ["JoinConfiguration"]


@pytest.mark.parametrize("version", EDGES)
def test_timeouts_stand_where_the_version_reads_them(version: str) -> None:
    site = at(lab(), version)
    init = documents(site, site.machines[0], False)
    join = documents(site, site.machines[1], True)["JoinConfiguration"]
    if version >= "1.31":
        assert init["InitConfiguration"]["timeouts"]["controlPlaneComponentHealthCheck"] == "300s"
        assert join["timeouts"]["discovery"] == "300s"
        assert "timeoutForControlPlane" not in init["ClusterConfiguration"]["apiServer"]
    else:
        assert init["ClusterConfiguration"]["apiServer"]["timeoutForControlPlane"] == "300s"
        assert join["discovery"]["timeout"] == "300s"
    assert ("patches" in join) == (version >= "1.22")


def test_the_endpoint_is_the_apis_name_on_the_balanced_port() -> None:
    site, other = lab(), rack()
    cluster = documents(site, site.machines[0], False)["ClusterConfiguration"]
    assert cluster["controlPlaneEndpoint"] == "api.lab.internal:8443"
    cluster = documents(other, other.machines[0], False)["ClusterConfiguration"]
    assert cluster["controlPlaneEndpoint"] == "api.home:6443"
    join = documents(site, site.machines[1], True)["JoinConfiguration"]
    assert join["discovery"]["bootstrapToken"]["caCertHashes"] == list(RUN.ca_hashes)
    assert "unsafeSkipCAVerification" not in str(join)


def test_every_way_to_an_api_server_is_in_its_certificate() -> None:
    site = rack()
    names = set(cert_sans(site))
    assert {"api.home", "192.168.0.100", "home.example.org", "localhost"} <= names
    # kubeadm adds each machine's own; another machine's would change all certificates
    assert not {m.name for m in site.machines} & names


@pytest.mark.parametrize(
    ("version", "keys"),
    [
        ("1.23.17", ["master"]),
        ("1.24.17", ["master", "control-plane"]),
        ("1.25.0", ["control-plane"]),
    ],
)
def test_taints(version: str, keys: list[str]) -> None:
    site = at(lab(), version)
    plain, worker = site.machines[0], site.machines[3]
    init = documents(site, plain, False)["InitConfiguration"]
    assert "taints" not in init["nodeRegistration"]  # kubeadm's own default
    tainted = plain.replace(taints=("disk=slow:NoExecute", "gpu:NoSchedule"))
    found = documents(site, tainted, False)["InitConfiguration"]["nodeRegistration"]["taints"]
    assert [t["key"] for t in found] == [
        *(f"node-role.kubernetes.io/{key}" for key in keys),
        "disk",
        "gpu",
    ]
    assert {"key": "disk", "value": "slow", "effect": "NoExecute"} in found
    both = plain.replace(roles=("control_plane", "worker"))
    assert documents(site, both, False)["InitConfiguration"]["nodeRegistration"]["taints"] == []
    join = documents(site, worker, True)["JoinConfiguration"]
    assert "taints" not in join["nodeRegistration"]
    assert "controlPlane" not in join


def test_the_address_reaches_kubelet_and_labels_do_not() -> None:
    """A label is set by the API: as a flag it would restart the kubelet."""
    site = rack()
    join = documents(site, site.machines[0], True)["JoinConfiguration"]
    arguments = {a["name"]: a["value"] for a in join["nodeRegistration"]["kubeletExtraArgs"]}
    assert site.machines[0].labels
    assert arguments == {"node-ip": "192.168.0.11"}


def test_the_socket_has_a_scheme_where_kubeadm_wants_one() -> None:
    for version, expected in (
        ("1.20.2", "/run/containerd/containerd.sock"),
        ("1.24.0", "unix:///run/containerd/containerd.sock"),
    ):
        site = at(lab(), version)
        join = documents(site, site.machines[1], True)["JoinConfiguration"]
        assert join["nodeRegistration"]["criSocket"] == expected
    other = rack(kubernetes=rack().kubernetes.replace(runtime="cri-o"))
    join = documents(other, other.machines[0], True)["JoinConfiguration"]
    assert join["nodeRegistration"]["criSocket"] == "unix:///run/crio/crio.sock"


def test_addons_that_a_site_does_without() -> None:
    assert skip_phases(rack()) == ("addon/kube-proxy",)
    site = at(rack(), "1.30.0")
    init = documents(site, site.machines[0], False)
    assert init["InitConfiguration"]["skipPhases"] == ["addon/kube-proxy"]
    init = documents(rack(), rack().machines[0], False)
    assert init["ClusterConfiguration"]["proxy"] == {"disabled": True}
    assert "skipPhases" not in init["InitConfiguration"]


def test_only_timings_that_differ_are_flags_of_leader_election() -> None:
    site = lab()
    cluster = documents(site, site.machines[0], False)["ClusterConfiguration"]
    assert "scheduler" not in cluster
    slow = lab(timings=site.timings.replace(lease_s=60, lease_renew_s=40, etcd_election_ms=5000))
    cluster = documents(slow, slow.machines[0], False)["ClusterConfiguration"]
    assert cluster["scheduler"]["extraArgs"] == {
        "leader-elect-lease-duration": "60s",
        "leader-elect-renew-deadline": "40s",
    }
    assert cluster["etcd"]["local"]["extraArgs"] == {
        "heartbeat-interval": "100",
        "election-timeout": "5000",
        "pre-vote": "true",
    }


def test_a_learners_arguments_reach_etcd() -> None:
    site = lab()
    arguments = {"initial-cluster": "cp1=https://192.168.0.11:2380"}
    text = cluster_documents(site, site.machines[1], RUN, False, CONTAINER, arguments)
    cluster = list(yaml.safe_load_all(text))[1]
    assert cluster["etcd"]["local"]["extraArgs"].items() >= arguments.items()


def test_kubelet_shuts_down_gracefully_where_it_can() -> None:
    for version, traits, expected in (
        ("1.20.2", BARE, None),
        ("1.21.0", BARE, "60s"),
        ("1.21.0", CONTAINER, None),
    ):
        site = at(lab(), version)
        text = cluster_documents(site, site.machines[0], RUN, False, traits)
        kubelet = list(yaml.safe_load_all(text))[2]
        assert kubelet.get("shutdownGracePeriod") == expected
        assert kubelet["failSwapOn"] is not traits.swap_on
        assert kubelet["serverTLSBootstrap"] is True
