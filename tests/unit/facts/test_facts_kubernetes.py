"""kubelet, and what kubeadm keeps in the cluster."""

from __future__ import annotations

import pytest

from facts import kubeadm, kubelet
from tests.unit.facts.fact_captures import capture


def test_a_kubelet_that_runs() -> None:
    found = kubelet.parse(capture("kubelet-running"))
    assert (found.version, found.healthy, found.health) == ("v1.20.2", True, "ok")
    assert found.unit is not None
    assert found.unit.running
    assert found.config is not None
    assert found.config["cgroupDriver"] == "systemd"
    assert found.flags is not None
    assert "--container-runtime=remote" in found.flags


def test_a_kubelet_that_was_stopped() -> None:
    found = kubelet.parse(capture("kubelet-stopped"))
    assert found.healthy is None
    assert "refused" in found.unread["health"]
    assert found.unit is not None
    assert not found.unit.running
    assert found.config is not None


def test_a_machine_before_kubeadm() -> None:
    found = kubelet.parse(capture("kubelet-absent"))
    assert found.unit is not None
    assert not found.unit.exists
    assert (found.config, found.flags) == (None, None)
    assert set(found.unread) == {"health"}


def test_an_unhealthy_kubelet() -> None:
    lines = capture("kubelet-running")
    at = lines.index("ok")
    head = next(i for i, line in enumerate(lines) if line.startswith("HTTP/1."))
    lines[head], lines[at] = "HTTP/1.0 500 Internal Server Error", "[-]syncloop failed"
    found = kubelet.parse(lines)
    assert (found.healthy, found.health) == (False, "[-]syncloop failed")


def test_what_kubeadm_left_in_the_cluster() -> None:
    found = kubeadm.parse(capture("kubeadm-cluster"))
    assert not found.unread
    assert found.endpoint == "api.lab:8443"
    assert found.cluster_version == found.server_version == found.version == "v1.20.2"
    assert found.api_version == "kubeadm.k8s.io/v1beta2"
    assert found.cluster is not None
    assert found.cluster["networking"]["podSubnet"] == "10.244.0.0/16"
    assert found.status is not None
    assert found.status["apiEndpoints"]["cp1"]["advertiseAddress"] == "10.77.0.11"


def test_a_machine_that_belongs_to_no_cluster() -> None:
    found = kubeadm.parse(capture("kubeadm-no-cluster"))
    assert found.version == "v1.20.2"
    assert found.cluster is None
    assert "admin.conf" in found.unread["config"]


def test_a_cluster_that_kubeadm_did_not_make() -> None:
    lines = capture("kubeadm-cluster")
    start = lines.index("@@ask config")
    end = next(i for i in range(start, len(lines)) if lines[i].startswith("@@answer"))
    found = kubeadm.parse([*lines[: start + 1], *lines[end:]])
    assert found.cluster is None
    assert not found.unread
    assert found.server_version == "v1.20.2"


def test_a_document_of_another_kind_is_refused() -> None:
    lines = [line.replace("kind: ClusterConfiguration", "kind: Else")
             for line in capture("kubeadm-cluster")]  # fmt: skip
    with pytest.raises(ValueError, match="ClusterConfiguration"):
        kubeadm.parse(lines)
