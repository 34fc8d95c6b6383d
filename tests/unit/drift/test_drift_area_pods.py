"""Static pods, kubelet and certificates: what a hand did to what kubeadm made."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from facts import certificates as certificate_facts
from facts import kubelet as kubelet_facts
from facts import static_pods as facts
from facts.certificates import CertificateList
from facts.configz import Configz
from homelab.drift.areas import certificates, kubelet, static_pods
from homelab.drift.finding import Finding
from homelab.drift.view import View
from tests.unit.drift.drift_views import NOW, view
from tests.unit.facts.fact_captures import capture

PODS = facts.parse(capture("static-pods-control-plane"))
SCHEDULER = "/etc/kubernetes/manifests/kube-scheduler.yaml"


def pods(**changes: Any) -> View:
    return view({"cp1": {"static_pods": replace(PODS, **changes)}})


def rules(seen: View, name: str = "cp1") -> list[tuple[str, str]]:
    return [(f.rule, f.subject) for f in static_pods.findings(seen, seen.of(name))]


def test_as_kubeadm_wrote_them() -> None:
    assert rules(pods()) == []


def test_a_manifest_that_was_edited_has_a_diff() -> None:
    changed = tuple(
        replace(m, text=m.text + "# mine\n") if m.path == SCHEDULER else m
        for m in PODS.manifests or ()
    )
    seen = pods(manifests=changed)
    (found,) = static_pods.findings(seen, seen.of("cp1"))
    assert (found.rule, found.subject) == ("static-pod.manifest", SCHEDULER)
    assert "+# mine" in found.diff


def test_a_manifest_that_is_gone_is_not_told_twice() -> None:
    left = tuple(m for m in PODS.manifests or () if m.path != SCHEDULER)
    running = tuple(p for p in PODS.processes or () if p.name != "kube-scheduler")
    assert rules(pods(manifests=left, processes=running)) == [
        ("static-pod.missing-manifest", SCHEDULER)
    ]


def test_a_pod_that_nobody_declared_on_a_worker() -> None:
    stray = replace((PODS.manifests or ())[0], path="/etc/kubernetes/manifests/miner.yaml")
    hidden = replace(stray, path="/etc/kubernetes/manifests/.keep")
    seen = view({"w1": {"static_pods": replace(PODS, manifests=(stray, hidden), kept={})}})
    assert rules(seen, "w1") == [("access.pod-manifest", stray.path)]


def test_a_process_without_its_flags_frozen_or_gone() -> None:
    others = tuple(p for p in PODS.processes or () if p.name != "etcd")
    (etcd,) = [p for p in PODS.processes or () if p.name == "etcd"]
    assert rules(pods(processes=others)) == [("static-pod.missing", "etcd")]
    other = replace(etcd, command=(*etcd.command, "--unsafe-no-fsync"))
    assert rules(pods(processes=(*others, other))) == [("static-pod.flags", "etcd")]
    frozen = replace(etcd, state="T")
    assert rules(pods(processes=(*others, frozen))) == [("static-pod.frozen", "etcd")]


def test_nothing_was_kept() -> None:
    assert rules(pods(kept={}, has_kept=False)) == [("static-pod.not-kept", "kubeadm")]


@pytest.mark.parametrize("changes", [{"mode": 0o666}, {"owner": "games"}])
def test_a_manifest_that_others_may_change(changes: dict[str, Any]) -> None:
    changed = tuple(
        replace(m, **changes) if m.path == SCHEDULER else m for m in PODS.manifests or ()
    )
    assert rules(pods(manifests=changed)) == [("access.mode", SCHEDULER)]


KUBELET = kubelet_facts.parse(capture("kubelet-running"))


def test_what_the_running_kubelet_says_against_what_kubeadm_wrote() -> None:
    written = "kind: KubeletConfiguration\nmaxPods: 99\nsyncFrequency: 60s\nx: 0s\n"
    kept = {"/var/lib/kubelet/config.yaml": written}
    running = {"maxPods": 110, "syncFrequency": "1m0s", "x": "5m0s"}
    seen = view({"cp1": {"static_pods": replace(PODS, kept=kept),
                         "configz": Configz(kubelets={"cp1": running})}})  # fmt: skip
    found = list(kubelet.cluster_findings(seen))
    assert [(f.rule, f.machine, f.subject, f.expected, f.actual) for f in found] == [
        ("kubelet.running", "cp1", "maxPods", "99", "110")
    ]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"healthy": False, "health": "deaf"}, [("kubelet.health", "deaf")]),
        ({"healthy": None}, []),  # unread: told as that
        ({"version": "v1.19.0"}, [("version.skew", "v1.19.0")]),
        ({"unit": "stopped"}, [("kubelet.health", "inactive (dead)")]),
    ],
)
def test_how_kubelet_is(changes: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    whole = replace(KUBELET, version="v1.20.2", healthy=True)
    assert whole.unit is not None
    if changes.get("unit"):
        stopped = replace(whole.unit, active_state="inactive", sub_state="dead")
        changes = {"unit": stopped, "healthy": None}
    seen = view({"cp1": {"kubelet": replace(whole, **changes)}})
    assert [(f.rule, f.actual) for f in kubelet.findings(seen, seen.of("cp1"))] == expected


READ = certificate_facts.parse(capture("certificates-control-plane"))
LEAF = "/etc/kubernetes/pki/front-proxy-client.crt"


def leaf(**changes: Any) -> list[Finding]:
    """Findings of cp1, where one certificate is another; those of names are another test's."""
    own = tuple(
        replace(c, **changes) if c.path == LEAF and changes else c for c in READ.certificates or ()
    )
    seen = view({"cp1": {"certificates": CertificateList(certificates=own)}})
    now = max(c.not_before for c in READ.certificates or ()) + timedelta(days=1)
    seen = replace(seen, now=now)
    found = certificates.findings(seen, seen.of("cp1"))
    return [f for f in found if not f.rule.startswith("certificate.sans")]


def test_certificates_as_kubeadm_makes_them() -> None:
    assert leaf() == []


@pytest.mark.parametrize(
    ("days", "rule"),
    [(-1, "expired"), (0, "expired"), (6, "expires-7"), (10, "expires-14"), (29, "expires-30")],
)
def test_days_that_are_left(days: int, rule: str) -> None:
    now = max(c.not_before for c in READ.certificates or ()) + timedelta(days=1)
    (found,) = leaf(not_after=now + timedelta(days=days))
    assert (found.rule, found.subject) == (f"certificate.{rule}", LEAF)


def test_not_valid_yet() -> None:
    assert [f.rule for f in leaf(not_before=NOW + timedelta(days=9999))] == ["certificate.expired"]


def test_signed_by_another() -> None:
    assert [f.rule for f in leaf(issuer="CN=etcd-ca")] == ["certificate.issuer"]


def test_one_that_is_missing() -> None:
    assert [(f.rule, f.subject) for f in leaf(path="/elsewhere.crt")] == [
        ("certificate.missing", LEAF)
    ]


def test_two_authorities() -> None:
    """The odd one of three; of two nobody knows which."""
    ca = "/etc/kubernetes/pki/ca.crt"
    odd = tuple(
        replace(c, public_key_sha256="0" * 64) if c.path == ca else c
        for c in READ.certificates or ()
    )
    same = {"certificates": READ}
    other = {"certificates": CertificateList(certificates=odd)}
    three = view({"cp1": same, "cp2": other, "cp3": same})
    two = view({"cp1": same, "cp2": other})

    def told(seen: View) -> list[str]:
        found = [f for t in seen.planes for f in certificates.findings(seen, t)]
        return [f.machine for f in found if f.rule == "certificate.ca"]

    assert told(three) == ["cp2"]
    assert told(two) == ["cp1", "cp2"]
