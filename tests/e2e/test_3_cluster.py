"""Chapter 3, the cluster as one: nodes, etcd, VIP, pods, Services, secrets, audit."""

from __future__ import annotations

import uuid

import pytest

from homelab.documents.apiserver import AUDIT_LOGS, ENCRYPTION
from homelab.site import derived
from tests.e2e.support import balancers, etcd, workload
from tests.e2e.support.cluster import Cluster
from tests.e2e.support.etcd import ETCDCTL
from tests.e2e.support.rig import Rig

pytestmark = pytest.mark.usefixtures("healthy")

WGET = "timeout 3 wget -q -O -"  # wget's own -T crashes in Debian 12's static busybox
ASKED = 60  # with five endpoints at random, a chance of 1 in 100,000 to miss one


def test_every_machine_is_a_node_as_declared(rig: Rig, cluster: Cluster) -> None:
    nodes = cluster.nodes()
    assert set(nodes) == set(rig.nodes)
    assert not cluster.not_ready()
    for machine in derived.nodes(rig.site):
        node = nodes[machine.name]
        assert node.status.node_info.kubelet_version == f"v{rig.site.kubernetes.version}"
        addresses = {(a.type, a.address) for a in node.status.addresses}
        assert ("InternalIP", machine.address) in addresses
        assert set(machine.labels.items()) <= set(node.metadata.labels.items())


def test_etcd_has_a_voter_on_every_control_plane(rig: Rig) -> None:
    members = etcd.members(rig, rig.control_planes[0])
    assert sorted(member.name for member in members) == sorted(rig.control_planes)
    assert not [member.name for member in members if member.learner]
    assert not etcd.problem(rig)


def test_one_machine_holds_the_vip(rig: Rig) -> None:
    assert len(balancers.holders(rig)) == 1


def test_every_balancer_sees_every_api_server(rig: Rig) -> None:
    for machine in derived.balancers(rig.site):
        states = balancers.backends(rig, machine.name)
        api = {name: state for name, state in states.items() if name.startswith("api/")}
        assert api == {f"api/{name}": "UP" for name in rig.control_planes}


def test_pods_of_every_node_reach_pods_of_every_node(rig: Rig, cluster: Cluster) -> None:
    addresses = {node: workload.pod_of(cluster, node).status.pod_ip for node in rig.nodes}
    for node in rig.nodes:
        asked = " ".join(addresses.values())
        script = f"for a in {asked}; do {WGET} http://$a:{workload.PORT}/; done"
        pod = workload.pod_of(cluster, node).metadata.name
        answered = cluster.run_in(pod, workload.NAMESPACE, "sh", "-c", script).split()
        assert sorted(answered) == sorted(rig.nodes), f"from {node}"


def test_a_service_leads_to_the_pods_of_every_node(rig: Rig, cluster: Cluster) -> None:
    service = workload.service_address(cluster)
    script = f"for n in $(seq {ASKED}); do {WGET} http://{service}/; done"
    pod = workload.pod_of(cluster, rig.nodes[0]).metadata.name
    answered = cluster.run_in(pod, workload.NAMESPACE, "sh", "-c", script).split()
    assert set(answered) == set(rig.nodes)
    assert len(answered) == ASKED


def test_the_world_reaches_the_service_through_the_dmz_host(rig: Rig) -> None:
    assert rig.site.ingress is not None
    url = f"http://{rig.address(rig.site.ingress.dmz)}/"
    answer = rig.root(rig.nodes[-1], f"curl --silent --fail --max-time 5 {url}")
    assert answer.strip() in rig.nodes


def test_secrets_are_encrypted_at_rest(rig: Rig, cluster: Cluster) -> None:
    secret = uuid.uuid4().hex
    name = f"e2e-{secret[:8]}"
    body = {"metadata": {"name": name}, "stringData": {"password": secret}}
    cluster.core.create_namespaced_secret("default", body)
    try:
        for machine in rig.control_planes:
            stored = rig.root(
                machine, f"{ETCDCTL} get /registry/secrets/default/{name} | tr -d '\\0'"
            )
            assert "k8s:enc:" in stored
            assert secret not in stored
        read = cluster.core.read_namespaced_secret(name, "default")
        assert "password" in read.data
    finally:
        cluster.core.delete_namespaced_secret(name, "default")


def test_every_control_plane_encrypts_with_the_same_keys(rig: Rig) -> None:
    sums = {rig.root(machine, f"sha256sum <{ENCRYPTION}") for machine in rig.control_planes}
    assert len(sums) == 1


def test_the_audit_log_tells_who_did_what(rig: Rig, cluster: Cluster) -> None:
    name = f"e2e-{uuid.uuid4().hex[:8]}"
    cluster.core.create_namespaced_config_map("default", {"metadata": {"name": name}})
    cluster.core.delete_namespaced_config_map(name, "default")
    found = [
        rig.root(machine, f"cat {AUDIT_LOGS}/*.log | grep -c {name} || true").strip()
        for machine in rig.control_planes
    ]
    assert any(count not in ("", "0") for count in found), found
