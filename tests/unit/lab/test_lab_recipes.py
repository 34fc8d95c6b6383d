"""The recipes' pure halves: versions, names, manifest, lay-out, package sources."""

import hashlib
import json
from pathlib import Path

import pytest

from homelab.lab import debian, image
from homelab.lab.recipes import bundle, images, kubernetes


@pytest.mark.parametrize(
    ("debian_version", "wanted"),
    [
        ("1.20.5+really1.20.2-1.1+deb12u1", "1.20.2"),
        ("1.32.3+ds-2", "1.32.3"),
    ],
)
def test_kubernetes_version_out_of_debians(debian_version: str, wanted: str) -> None:
    assert kubernetes.upstream(debian_version) == wanted


def test_no_version_is_an_error() -> None:
    with pytest.raises(ValueError, match="no version"):
        kubernetes.upstream("unstable")
    with pytest.raises(ValueError, match="no version"):
        bundle.plain("unstable")


@pytest.mark.parametrize(
    ("debian_version", "wanted"),
    [("1.1.1+ds1-3+b5", "1.1.1"), ("3.4.23-4+b4", "3.4.23"), ("1:1.35.0-4+deb12u1+b1", "1.35.0")],
)
def test_plain_version(debian_version: str, wanted: str) -> None:
    assert bundle.plain(debian_version) == wanted


def test_place_of_an_image_in_the_bundle() -> None:
    made = images.Image("k8s.gcr.io/kube-apiserver:v1.20.2", lambda root: None)
    assert made.file == "images/k8s.gcr.io/kube-apiserver_v1.20.2.tar"


def test_manifest_lists_every_file_but_itself(tmp_path: Path) -> None:
    (tmp_path / "dl.k8s.io/release").mkdir(parents=True)
    (tmp_path / "dl.k8s.io/release/kubeadm").write_bytes(b"kubeadm")
    (tmp_path / bundle.MANIFEST).write_text("an old one")
    assert json.loads(bundle.manifest(tmp_path)) == {
        "artefacts": {
            "dl.k8s.io/release/kubeadm": {
                "sha256": hashlib.sha256(b"kubeadm").hexdigest(),
                "size": 7,
            }
        }
    }


def test_opened_bundle_and_its_place_on_a_node(tmp_path: Path) -> None:
    files = (
        *("dl.k8s.io/release/v1.20.2/bin/linux/amd64/kubelet", "images/k8s.gcr.io/pause_3.2.tar"),
        *("lab.homelab/etcdctl/3.4.23/etcdctl", "lab.homelab/cni-plugins/1.1.1/bridge"),
    )
    for file in files:
        (tmp_path / "bundle" / file).parent.mkdir(parents=True)
        (tmp_path / "bundle" / file).write_bytes(file.encode())
    root = tmp_path / "root"
    image.place(bundle.opened(tmp_path / "bundle"), root)
    placed = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    assert placed == {
        *("usr/local/bin/kubelet", "usr/local/bin/etcdctl", "opt/cni/bin/bridge"),
    }
    assert all((root / path).stat().st_mode & 0o777 == 0o755 for path in placed)


POLICY = """\
etcd-server:
  Installed: (none)
  Candidate: 3.4.23-4+b4
  Version table:
     3.4.23-4+b4 500
        500 http://deb.debian.org/debian bookworm/main amd64 Packages
crictl:
  Installed: (none)
  Candidate: (none)
  Version table:
libc6:
  Installed: 2.36-9+deb12u10
  Candidate: 2.36-9+deb12u13
  Version table:
"""


def test_candidates_out_of_apt_cache_policy() -> None:
    assert debian.parse_policy(POLICY) == {"etcd-server": "3.4.23-4+b4", "libc6": "2.36-9+deb12u13"}
    assert debian.parse_policy("") == {}
    assert debian.parse_policy("N: Unable to locate package x\n\0") == {}


def test_sources_follow_the_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOMELAB_DEBIAN_MIRROR", "http://mirror.lan/debian/")
    lines = debian.sources()
    assert all(" http://mirror.lan/debian" in line and "//debian" not in line for line in lines)
    assert [line.split()[0] for line in lines] == ["deb", "deb", "deb", "deb-src"]
    assert any(" http://mirror.lan/debian-security bookworm-security " in line for line in lines)


@pytest.mark.parametrize("before", [None, b"#!/bin/sh\nexit 104\n", debian.FORBID])
def test_services_are_kept_still_and_the_machines_own_policy_is_put_back(
    before: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = tmp_path / "policy-rc.d"
    monkeypatch.setattr(debian, "POLICY", policy)
    if before is not None:
        policy.write_bytes(before)
        policy.chmod(0o700)
    with debian.services_kept_still():
        assert policy.read_bytes() == debian.FORBID
        assert policy.stat().st_mode & 0o111
    if before in (None, debian.FORBID):
        assert not policy.exists()
    else:
        assert policy.read_bytes() == before
        assert policy.stat().st_mode & 0o777 == 0o700


def test_the_build_never_sees_where_it_really_is() -> None:
    folder = Path("/cache/.kubernetes-x.part")
    argv = kubernetes.at_fixed_place(folder, folder / "work/source", "1.20.2", "17")
    assert argv[:2] == ["unshare", "--mount"]
    assert argv[-4:] == ["/mnt/work/source", "/mnt", "1.20.2", "17"]
    assert [word for word in argv if str(folder) in word] == [str(folder)]
