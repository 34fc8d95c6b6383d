"""etcd, nodes, balancers, rights and Secrets: each fault found as what it is, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from facts import etcd as etcd_facts
from facts import haproxy as haproxy_facts
from facts.etcd import EtcdState, Health, Member, Status
from facts.kubeadm import KubeadmState
from facts.nodes import Node, NodeList, Taint
from facts.rbac import Binding, Rbac
from facts.stored import StoredSecrets
from facts.vrrp import VrrpState
from homelab.drift.areas import balancer, cluster, etcd, nodes, rbac, secrets
from homelab.drift.finding import Finding
from homelab.drift.view import View
from homelab.site.model import Kubernetes
from tests.unit.documents.document_sites import lab
from tests.unit.drift.drift_views import member, view
from tests.unit.facts.fact_captures import capture

IDS = {"cp1": "a1", "cp2": "a2", "cp3": "a3"}
STRAY = "https://10.0.0.9:2380"
URLS = {name: f"https://192.168.0.1{name[-1]}:2380" for name in IDS}


def ids(found: Iterator[Finding]) -> list[tuple[str, str]]:
    return sorted((finding.rule, finding.machine) for finding in found)


def members(**changes: Member | None) -> tuple[Member, ...]:
    whole = {n: Member(IDS[n], n, (URLS[n],), (), False) for n in IDS} | changes
    return tuple(item for item in whole.values() if item is not None)


def status(name: str, **changes: Any) -> Status:
    whole = Status(
        etcd_facts.LOCAL, IDS[name], "a1", "3.4.23", 10 << 20, 9 << 20, 9, 2, 9, False, ()
    )
    return replace(whole, **changes)


def etcds(listed: tuple[Member, ...] | None = None, **statuses: Status) -> View:
    state = {
        name: EtcdState(
            members=listed or members(),
            statuses=(statuses.get(name, status(name)),),
            healths=(Health(etcd_facts.LOCAL, True, "1ms", ""),),
            alarms=(),
        )
        for name in IDS
    }
    return view({name: {"etcd": state[name]} for name in IDS})


ETCD: list[tuple[str, Callable[[], View], list[tuple[str, str]]]] = [
    ("whole", etcds, []),
    ("gone", lambda: etcds(members(cp2=None)), [("etcd.member-missing", "cp2")]),
    ("stranger", lambda: etcds(members(x=Member("ff", "x", ("https://10.0.0.9:2380",), (), False))),
     [("etcd.member-undeclared", "cluster")]),
    ("learner", lambda: etcds(members(cp3=Member("a3", "cp3", (URLS["cp3"],), (), True))),
     [("etcd.learner", "cp3")]),
    ("moved", lambda: etcds(members(cp3=Member("a3", "cp3", (STRAY,), (), False))),
     [("etcd.peer-url", "cp3")]),
    ("old", lambda: etcds(cp1=status("cp1", version="3.4.9")), [("etcd.version", "cp1")]),
    ("split", lambda: etcds(cp1=status("cp1", leader="a9")), [("etcd.two-leaders", "cluster")]),
    ("leaderless", lambda: etcds(cp1=status("cp1", leader="0")), [("etcd.no-leader", "cp1")]),
    ("large", lambda: etcds(cp1=status("cp1", db_size=1900 << 20, db_size_in_use=1800 << 20)),
     [("etcd.size", "cp1")]),
    ("empty pages", lambda: etcds(cp1=status("cp1", db_size=300 << 20, db_size_in_use=9 << 20)),
     [("etcd.fragmented", "cp1")]),
]  # fmt: skip


@pytest.mark.parametrize(("make", "expected"), [c[1:] for c in ETCD], ids=[c[0] for c in ETCD])
def test_etcd(make: Callable[[], View], expected: list[tuple[str, str]]) -> None:
    assert ids(etcd.cluster_findings(make())) == expected


def test_alarms_are_told_by_their_member() -> None:
    seen = etcds()
    first = seen.told[0]
    state = replace(first.facts.etcd, alarms=(etcd_facts.Alarm("a2", "NOSPACE"),))  # type: ignore[type-var]
    told = (replace(first, facts=replace(first.facts, etcd=state)), *seen.told[1:])
    assert ids(etcd.cluster_findings(replace(seen, told=told))) == [("etcd.alarm", "cp2")]


def node(name: str, **changes: Any) -> Node:
    plane = name.startswith("cp")
    whole = Node(
        name=name, ready=True, ready_reason="", roles=(),
        labels={"node-role.kubernetes.io/control-plane": ""} if plane else {},
        taints=(Taint("node-role.kubernetes.io/master", "", "NoSchedule"),) if plane else (),
        addresses={"InternalIP": (f"192.168.0.1{name[-1]}" if plane else "192.168.0.21",)},
        unschedulable=False, pod_cidr=None, kubelet_version="v1.20.2", runtime_version="",
        kernel_version="", os_image="", boot_id="",
    )  # fmt: skip
    return replace(whole, **changes)


def listed(*changed: Node, without: str = "") -> View:
    by_name = {name: node(name) for name in ("cp1", "cp2", "cp3", "w1")}
    by_name |= {item.name: item for item in changed}
    by_name.pop(without, None)
    return view({"cp1": {"nodes": NodeList(nodes=tuple(by_name.values()))}})


NODES: list[tuple[str, View, list[tuple[str, str]]]] = [
    ("whole", listed(), []),
    ("missing", listed(without="w1"), [("node.missing", "w1")]),
    ("stranger", listed(node("cp9")), [("node.undeclared", "cp9")]),
    ("not ready", listed(node("w1", ready=False)), [("node.not-ready", "w1")]),
    ("silent", listed(node("w1", ready=None)), [("node.not-ready", "w1")]),
    ("cordoned", listed(node("w1", unschedulable=True, taints=(
        Taint("node.kubernetes.io/unschedulable", "", "NoSchedule"),))), [("node.cordoned", "w1")]),
    ("taint gone", listed(node("cp1", taints=())), [("node.taint", "cp1")]),
    ("taint more", listed(node("w1", taints=(Taint("a", "b", "NoExecute"),))),
     [("node.taint-undeclared", "w1")]),
    ("old", listed(node("w1", kubelet_version="v1.19.1")), [("version.skew", "w1")]),
    ("elsewhere", listed(node("w1", addresses={})), [("node.address", "w1")]),
    ("no role", listed(node("cp1", labels={})), [("node.label", "cp1")]),
]  # fmt: skip


@pytest.mark.parametrize(("seen", "expected"), [c[1:] for c in NODES], ids=[c[0] for c in NODES])
def test_nodes(seen: View, expected: list[tuple[str, str]]) -> None:
    assert ids(nodes.cluster_findings(seen)) == expected


def rights(*bindings: Binding, wild: tuple[str, ...] = (), tokens: Any = None) -> View:
    own = Binding("", "cluster-admin", "ClusterRole/cluster-admin", ("Group:system:masters",))
    public = Binding("", "system:public-info-viewer", "ClusterRole/system:public-info-viewer",
                     ("Group:system:authenticated", "Group:system:unauthenticated"))  # fmt: skip
    state = Rbac((own, public, *bindings), ("cluster-admin", *wild), tokens or {})
    return view({"cp1": {"rbac": state}})


ADMIN = "ClusterRole/cluster-admin"
RIGHTS: list[tuple[str, View, list[str]]] = [
    ("kubernetes' own", rights(), []),
    ("one more admin", rights(Binding("", "me", ADMIN, ("User:eve",))), ["rbac.cluster-admin"]),
    ("another subject", rights(Binding("", "cluster-admin", ADMIN, ("User:eve",))),
     ["rbac.cluster-admin"]),
    ("in kube-system", rights(Binding("kube-system", "me", ADMIN, ("User:eve",))),
     ["rbac.cluster-admin"]),
    ("in one's own namespace", rights(Binding("mine", "me", ADMIN, ("User:eve",))), []),
    ("by another name", rights(Binding("", "me", "ClusterRole/all", ("User:eve",)), wild=("all",)),
     ["rbac.cluster-admin", "rbac.wildcard"]),
    ("nameless", rights(Binding("", "open", "ClusterRole/view", ("User:system:anonymous",))),
     ["rbac.anonymous"]),
    ("a token", rights(tokens={"bootstrap-token-abcdef": ""}), ["access.bootstrap-token"]),
    ("a token that is over", rights(tokens={"bootstrap-token-abcdef": "2026-11-26T11:59:00Z"}), []),
]  # fmt: skip


@pytest.mark.parametrize(("seen", "expected"), [c[1:] for c in RIGHTS], ids=[c[0] for c in RIGHTS])
def test_rights(seen: View, expected: list[str]) -> None:
    assert [rule for rule, _ in ids(rbac.cluster_findings(seen))] == expected


def test_secrets_that_lie_readable_and_another_key() -> None:
    stored = StoredSecrets({"default/a": "secretbox:key1", "default/b": "plain"})
    site = lab()
    facts: dict[str, dict[str, Any]] = {
        name: {"survey": member(site, encrypts="k2" if name == "cp2" else "k1")} for name in IDS
    }
    facts["cp1"]["stored"] = stored
    assert ids(secrets.cluster_findings(view(facts))) == [
        ("encryption.key", "cp2"),
        ("encryption.off", "cluster"),
    ]


def test_a_site_that_does_not_encrypt_is_not_told_so() -> None:
    site = lab(kubernetes=Kubernetes(version="1.20.2", cni="bridge", encrypt_secrets=False))
    seen = view({"cp1": {"stored": StoredSecrets({"a/b": "plain"})}}, site)
    assert ids(secrets.cluster_findings(seen)) == []


def vips(*holding: str, unread: tuple[str, ...] = (), anywhere: str = "") -> View:
    facts: dict[str, dict[str, Any]] = {
        name: {"vrrp": VrrpState(vip="192.168.0.100", holds=name in holding)}
        for name in IDS
        if name not in unread
    }
    if anywhere:
        facts[anywhere] = {"survey": member(lab(), addresses={"192.168.0.100": "eth0"})}
    return view(facts)


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (vips("cp1"), []),
        (vips("cp1", "cp3"), [("vip.two", "cluster")]),
        (vips(), [("vip.none", "cluster")]),
        (vips(unread=("cp2",)), []),
        (vips("cp1", anywhere="w1"), [("vip.two", "cluster")]),
        (vips(anywhere="w1"), [("vip.elsewhere", "w1")]),
        (vips(unread=("cp2",), anywhere="cp2"), []),
    ],
)
def test_who_holds_the_vip(seen: View, expected: list[tuple[str, str]]) -> None:
    assert ids(balancer.cluster_findings(seen)) == expected


@pytest.mark.parametrize(
    ("state", "rule"),
    [("MAINT", "balancer.disabled"), ("DRAIN", "balancer.disabled"), ("DOWN", "balancer.backend")],
)
def test_a_server_that_a_hand_took_out_is_not_one_that_is_down(state: str, rule: str) -> None:
    read = haproxy_facts.parse(capture("haproxy-one-up-one-down"))
    up = read.backend("api")[0]
    planes = lab().machines[:3]
    servers = tuple(
        replace(
            up, name=m.name, address=f"{m.address}:6443", status="UP" if m.name != "cp2" else state
        )
        for m in planes
    )
    seen = view({"cp1": {"haproxy": replace(read, servers=servers)}})
    (found,) = balancer.findings(seen, seen.of("cp1"))
    assert (found.rule, found.subject) == (rule, "cp2")
    strange = (replace(servers[0], address="10.0.0.9:6443"), *servers[1:])
    seen = view({"cp1": {"haproxy": replace(read, servers=strange)}})
    assert {f.rule for f in balancer.findings(seen, seen.of("cp1"))} == {
        "balancer.undeclared",
        rule,
    }


def test_kubeadms_own_record() -> None:
    config = {"kubernetesVersion": "v1.20.2", "controlPlaneEndpoint": "api.lab.internal:8443",
              "networking": {"podSubnet": lab().network.pod_cidr, "dnsDomain": "cluster.local",
                             "serviceSubnet": lab().network.service_cidr}}  # fmt: skip
    whole = KubeadmState(cluster=config, version="v1.20.2", server_version="v1.20.2")
    assert ids(cluster.cluster_findings(view({"cp1": {"kubeadm": whole}}))) == []
    other = replace(
        whole, cluster=config | {"kubernetesVersion": "v1.21.0"}, server_version="v1.21.0"
    )
    assert ids(cluster.cluster_findings(view({"cp1": {"kubeadm": other}}))) == [
        ("kubeadm.config-map", "cluster"),
        ("version.skew", "cp1"),
    ]
