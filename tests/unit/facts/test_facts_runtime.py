"""containerd, CRI-O, and what they keep for Kubernetes."""

from __future__ import annotations

import pytest

from facts import containerd, crictl, crio
from tests.unit.facts.fact_captures import capture


def test_a_containerd_that_runs() -> None:
    found = containerd.parse(capture("containerd-running"))
    assert found.unit is not None
    assert found.unit.running
    assert found.unit.enabled
    assert found.unit.active_since is not None
    assert found.version == found.server_version == "1.6.20"
    assert found.config is not None
    assert found.config.cri
    assert found.config.systemd_cgroup is True
    assert found.config.restrict_oom_score_adj is True
    assert found.config.sandbox_image == "k8s.gcr.io/pause:3.2"
    assert found.config.cni_bin_dir == "/usr/lib/cni"


def test_a_containerd_that_does_not_run_still_shows_what_it_would_start_with() -> None:
    found = containerd.parse(capture("containerd-stopped"))
    assert found.unit is not None
    assert (found.unit.active_state, found.unit.enabled) == ("inactive", False)
    assert found.server_version is None
    assert "containerd.sock" in found.unread["server"]
    assert found.config is not None
    assert found.config.systemd_cgroup is False


def test_the_third_version_of_containerds_file() -> None:
    found = containerd.config("""
version = 3
root = "/var/lib/containerd"
disabled_plugins = []
[plugins."io.containerd.cri.v1.images"]
snapshotter = "overlayfs"
[plugins."io.containerd.cri.v1.images".pinned_images]
sandbox = "registry.k8s.io/pause:3.10.1"
[plugins."io.containerd.cri.v1.images".registry]
config_path = "/etc/containerd/certs.d"
[plugins."io.containerd.cri.v1.runtime".containerd]
default_runtime_name = "runc"
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
SystemdCgroup = true
[plugins."io.containerd.cri.v1.runtime".cni]
bin_dirs = ["/opt/cni/bin"]
""")
    assert (found.version, found.cri, found.systemd_cgroup) == (3, True, True)
    assert found.sandbox_image == "registry.k8s.io/pause:3.10.1"
    assert found.registry_config_path == "/etc/containerd/certs.d"
    assert found.cni_bin_dir == "/opt/cni/bin"


def test_dockers_containerd_has_no_cri() -> None:
    assert not containerd.config('disabled_plugins = ["cri"]').cri


def test_a_crio_that_runs() -> None:
    found = crio.parse(capture("crio-running"))
    assert found.unit is not None
    assert found.unit.running
    assert found.version == "1.34.1"
    assert found.config is not None
    assert found.config.cgroup_manager == "systemd"
    assert found.config.pause_image == "registry.k8s.io/pause:3.10.1"
    assert found.config.plugin_dirs == ("/opt/cni/bin/", "/usr/lib/cni")
    assert found.config.default_runtime is None  # commented out: only the default


def test_a_machine_without_crio() -> None:
    found = crio.parse(capture("crio-absent"))
    assert found.unit is not None
    assert not found.unit.exists
    assert "crio: not found" in found.unread["version"]


def test_a_control_plane_through_ctr() -> None:
    found = crictl.parse(capture("ctr-control-plane"))
    assert (found.source, dict(found.unread)) == ("ctr", {})
    assert {pod.name for pod in found.pods or () if pod.ready} >= {
        "etcd-cp1", "kube-apiserver-cp1", "kube-scheduler-cp1", "kube-controller-manager-cp1",
    }  # fmt: skip
    (etcd,) = found.running("etcd")
    assert (etcd.pod, etcd.namespace, etcd.attempt) == ("etcd-cp1", "kube-system", 0)
    assert etcd.sandbox in {pod.id for pod in found.pods or ()}
    pause = found.image("k8s.gcr.io/pause:3.2")
    assert pause is not None
    assert pause.id.startswith("sha256:")
    assert pause.size == round(680.8 * 1024)


def test_a_container_that_was_killed_and_made_anew() -> None:
    found = crictl.parse(capture("ctr-restarted-scheduler"))
    schedulers = [c for c in found.containers or () if c.name == "kube-scheduler"]
    assert sorted((c.attempt, c.state) for c in schedulers) == [(0, "exited"), (1, "running")]


def test_a_runtime_that_does_not_answer_is_not_an_empty_one() -> None:
    found = crictl.parse(capture("ctr-no-containerd"))
    assert (found.pods, found.containers, found.images) == (None, None, None)
    assert set(found.unread) == {"pods", "containers", "images"}


def test_the_same_through_crictl() -> None:
    found = crictl.parse(capture("crictl-bad-day"))
    assert found.source == "crictl"
    assert [(pod.name, pod.ready) for pod in found.pods or ()] == [
        ("kube-apiserver-cp1", True),
        ("etcd-cp1", False),
    ]
    (api,) = found.running("kube-apiserver")
    assert (api.attempt, api.image) == (2, "registry.k8s.io/kube-apiserver:v1.34.1")
    assert found.running("etcd") == ()
    image = found.image("registry.k8s.io/kube-apiserver:v1.34.1")
    assert image is not None
    assert image.size == 27061991


def test_a_table_with_another_head_is_refused() -> None:
    lines = [line.replace("REF ", "NAME ") for line in capture("ctr-control-plane")]
    with pytest.raises(ValueError, match="begins with REF"):
        crictl.parse(lines)
