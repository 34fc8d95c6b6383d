"""Which artefacts a machine needs; and that their URLs are those which upstream documents."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homelab import versions
from homelab.artefacts import checksums, table
from homelab.artefacts.artefact import Artefact, safe
from homelab.artefacts.location import url
from homelab.artefacts.manifest import EMPTY
from homelab.site import Api, Kubernetes, Machine
from tests.unit.artefacts.sites import CP, MACHINES, NEWEST, WORKER, bundled, make_bundle, site

Runtime = Literal["containerd", "cri-o"]
GITHUB = "https://github.com"
# Written out in full on purpose: a mistake in the table must not be repeated here by a formula.
URLS = {
    "kubeadm": "https://dl.k8s.io/release/v1.36.4/bin/linux/amd64/kubeadm",
    "kubelet": "https://dl.k8s.io/release/v1.36.4/bin/linux/amd64/kubelet",
    "kubectl": "https://dl.k8s.io/release/v1.36.4/bin/linux/amd64/kubectl",
    "crictl": f"{GITHUB}/kubernetes-sigs/cri-tools/releases/download/v1.36.0/"
    "crictl-v1.36.0-linux-amd64.tar.gz",
    "etcdctl": f"{GITHUB}/etcd-io/etcd/releases/download/v3.6.14/etcd-v3.6.14-linux-amd64.tar.gz",
    "cni-plugins": f"{GITHUB}/containernetworking/plugins/releases/download/v1.9.1/"
    "cni-plugins-linux-amd64-v1.9.1.tgz",
    "containerd": f"{GITHUB}/containerd/containerd/releases/download/v2.3.4/"
    "containerd-2.3.4-linux-amd64.tar.gz",
    "runc": f"{GITHUB}/opencontainers/runc/releases/download/v1.4.3/runc.amd64",
    "cri-o": "https://storage.googleapis.com/cri-o/artifacts/cri-o.amd64.v1.36.3.tar.gz",
    "helm": "https://get.helm.sh/helm-v3.18.4-linux-amd64.tar.gz",
    "cilium": "https://helm.cilium.io/cilium-1.20.1.tgz",
}
IMAGES = [
    "registry.k8s.io/kube-apiserver:v1.36.4",
    "registry.k8s.io/kube-controller-manager:v1.36.4",
    "registry.k8s.io/kube-scheduler:v1.36.4",
    "registry.k8s.io/kube-proxy:v1.36.4",
    "registry.k8s.io/pause:3.10.2",
    "registry.k8s.io/etcd:3.6.8-0",
    "registry.k8s.io/coredns/coredns:v1.14.2",
    "quay.io/cilium/cilium:v1.20.1",
    "quay.io/cilium/operator-generic:v1.20.1",
    "quay.io/cilium/cilium-envoy:v1.37.5-1786810558-766ccfb37260a43e9d228837aa84ce3faf9f64e7",
]
RUNTIMES: tuple[Runtime, ...] = ("containerd", "cri-o")


def names(artefacts: tuple[Artefact, ...]) -> list[str]:
    return [artefact.name for artefact in artefacts]


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_every_url_is_the_documented_one(runtime: Runtime) -> None:
    declared = site(NEWEST.replace(runtime=runtime))
    found = [*table.needed(declared, CP), *table.needed_on_controller(declared)]
    assert {a.name: url(declared, a) for a in found} == {a.name: URLS[a.name] for a in found}
    assert {a.name for a in found} == set(URLS) - (
        {"cri-o"} if runtime == "containerd" else {"containerd", "runc"}
    )


@pytest.mark.parametrize("version", checksums.kubernetes_versions())
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_every_version_that_is_offered_is_pinned_throughout(version: str, runtime: Runtime) -> None:
    declared = site(Kubernetes(version=version, runtime=runtime, hubble=True))
    found = [a for machine in MACHINES for a in table.needed(declared, machine)]
    for artefact in (*found, *table.needed_on_controller(declared)):
        assert artefact.sha256
        assert not artefact.why
        assert not artefact.optional
    for image in table.needed_images(declared):
        assert image.sha256 is None
        assert image.why
        assert image.version != "unknown"
        assert image.name.startswith("registry.k8s.io/") or image.digest


def test_the_pins_are_those_of_the_reference() -> None:
    for known in checksums.SHA256.values():
        assert all(len(pin) == 64 and int(pin, 16) for pin in known.values())
    kubeadm = checksums.SHA256["kubeadm"]["1.36.4"]
    assert kubeadm == "10d054585907f2c8bb823c84f6a66b3bd2a474c3d795475f04e9a44f78650fe6"


def test_newest_compares_numbers_and_not_text() -> None:
    assert checksums.newest("kubeadm", "1.34.") == "1.34.11"
    assert checksums.newest("kubeadm", "1.2.") is None


def test_roles_decide() -> None:
    declared = site(NEWEST)
    assert "etcdctl" in names(table.needed(declared, CP))
    assert "etcdctl" not in names(table.needed(declared, WORKER))
    lonely = Machine(name="lb", address="10.77.0.31", roles=("balancer",))
    apart = declared.replace(
        machines=(*MACHINES, lonely), api=Api(name="a.b", vip="10.77.0.9", balancers="machines")
    )
    assert table.needed(apart, lonely) == ()


def test_images_are_those_that_kubeadm_and_cilium_name() -> None:
    assert [image.reference for image in table.needed_images(site(NEWEST))] == IMAGES


def test_settings_decide_about_images() -> None:
    fewer = site(NEWEST.replace(coredns=False, kube_proxy=False, cni="bridge"))
    assert not any("proxy" in i.name or "dns" in i.name for i in table.needed_images(fewer))
    assert table.needed_on_controller(fewer) == ()
    more = table.needed_images(site(NEWEST.replace(hubble=True)))
    assert sum("hubble" in image.name for image in more) == 3
    own = table.needed_images(site(NEWEST.replace(image_repository="r.lan:5000/k8s")))
    assert "r.lan:5000/k8s/coredns:v1.14.2" in [image.reference for image in own]
    assert own[0].path == "images/r.lan_5000/k8s/kube-apiserver_v1.36.4.tar"


def test_upstream_has_no_files_of_images() -> None:
    declared = site(NEWEST)
    with pytest.raises(ValueError, match="in a registry, not as a file"):
        url(declared, table.needed_images(declared)[0])


def test_a_labs_bundle_brings_its_own_builds_and_no_crictl(tmp_path: Path) -> None:
    declared = bundled(make_bundle(tmp_path))
    found = table.needed(declared, CP)
    assert names(found) == ["kubeadm", "kubelet", "kubectl", "bridge", "host-local", "etcdctl"]
    targets = {a.name: a.install[0].target for a in found}
    assert targets["bridge"] == "/opt/cni/bin/bridge"
    assert targets["etcdctl"] == "/usr/local/bin/etcdctl"
    toolbox = table.needed_images(declared)[-1]
    assert (toolbox.reference, toolbox.path) == (
        "homelab.local/toolbox:1",
        "images/homelab.local/toolbox_1.tar",
    )


def test_of_two_own_builds_the_newer_one_counts(tmp_path: Path) -> None:
    files = tuple(f"lab.homelab/etcdctl/{v}/etcdctl" for v in ("3.4.9", "3.4.23"))
    found = table.needed(bundled(make_bundle(tmp_path, files)), CP)
    assert [a.version for a in found if a.name == "etcdctl"] == ["3.4.23"]


def test_an_optional_artefact_that_the_bundle_has_is_named(tmp_path: Path) -> None:
    path = "github.com/kubernetes-sigs/cri-tools/releases/download/v1.20.0/"
    path += "crictl-v1.20.0-linux-amd64.tar.gz"
    found = table.needed(bundled(make_bundle(tmp_path, (path,))), CP)
    assert path in [artefact.path for artefact in found]


def test_the_etcd_of_the_bundle_decides_its_tag(tmp_path: Path) -> None:
    """kubeadm's tags move with patch releases; the bundle was collected by kubeadm's own list."""
    make_bundle(tmp_path, ("images/registry.k8s.io/etcd_3.6.9-0.tar",))
    references = [i.reference for i in table.needed_images(bundled(tmp_path, NEWEST))]
    assert "registry.k8s.io/etcd:3.6.9-0" in references


VERSIONS = st.builds(
    "1.{}.{}".format, st.sampled_from(versions.SUPPORTED_MINORS), st.integers(0, 99)
)


@given(
    version=VERSIONS,
    runtime=st.sampled_from(RUNTIMES),
    hubble=st.booleans(),
    repository=st.sampled_from([None, "r.lan/k8s", "127.0.0.1:5000/x", "localhost:5000/a/b"]),
)
def test_every_relative_path_is_safe(
    version: str, runtime: Runtime, hubble: bool, repository: str | None
) -> None:
    declared = site(
        Kubernetes(version=version, runtime=runtime, hubble=hubble, image_repository=repository)
    )
    found = [a for machine in MACHINES for a in table.needed(declared, machine, EMPTY)]
    found += [*table.needed_on_controller(declared), *table.needed_images(declared, EMPTY)]
    for artefact in found:
        assert safe(artefact.path)
        assert (Path("/base") / artefact.path).resolve() == Path("/base") / artefact.path
        for place in artefact.install:
            assert ".." not in place.target


@pytest.mark.parametrize(
    "path", ["", "/etc/passwd", "a/../b", "../a", "a//b", "a/", "a b", "a\n", "-a", ".a", "a/%2e"]
)
def test_an_unsafe_path_is_no_artefact(path: str) -> None:
    with pytest.raises(ValueError, match="no safe relative path"):
        Artefact("x", "1", path, "binary")
