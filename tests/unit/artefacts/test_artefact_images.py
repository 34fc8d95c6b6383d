"""Images out of a real registry's protocol, on loopback."""

from __future__ import annotations

import hashlib
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from homelab.artefacts import bundle, checksums, oci
from homelab.artefacts import manifest as manifests
from homelab.artefacts.errors import ArtefactError
from homelab.artefacts.registry import Repository
from tests.unit.artefacts.registry import OCI, TOKEN, Registry, digest, registry
from tests.unit.artefacts.sites import LAB, bundled, make_bundle, site

ALL = ["linux/arm64", "linux/amd64", "windows/amd64"]
NO_PAUSES = (0.0, 0.0)


@pytest.fixture
def server() -> Iterator[Registry]:
    with registry() as running:
        yield running


def pull(server: Registry, dest: Path, tag: str = "v1", wanted: str | None = None) -> str:
    return oci.pull(f"{server.host}/k8s/pause", tag, wanted, dest, pauses=NO_PAUSES).index


def members(tar: Path) -> dict[str, bytes]:
    with tarfile.open(tar) as opened:
        files = {info.name: opened.extractfile(info) for info in opened}
        return {name: file.read() for name, file in files.items() if file}


def test_the_tar_is_an_oci_layout_and_dockers(server: Registry, tmp_path: Path) -> None:
    server.put_index("k8s/pause", "v1", ALL)
    pull(server, tmp_path / "a.tar")
    found = members(tmp_path / "a.tar")
    assert json.loads(found["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
    (described,) = json.loads(found["index.json"])["manifests"]
    name = f"{server.host}/k8s/pause:v1"
    assert described["annotations"]["io.containerd.image.name"] == name
    for path, body in found.items():  # every blob is what its name says
        if path.startswith("blobs/"):
            assert path == f"blobs/sha256/{hashlib.sha256(body).hexdigest()}"
    manifest = json.loads(found[f"blobs/{described['digest'].replace(':', '/')}"])
    config = json.loads(found[f"blobs/{manifest['config']['digest'].replace(':', '/')}"])
    assert (config["os"], config["architecture"]) == ("linux", "amd64")
    (docker,) = json.loads(found["manifest.json"])
    assert docker["RepoTags"] == [name]
    assert all(path in found for path in (docker["Config"], *docker["Layers"]))
    assert len(docker["Layers"]) == 2


def test_the_same_image_makes_the_same_tar(server: Registry, tmp_path: Path) -> None:
    server.put_image("k8s/pause", "v1")
    for name in ("a.tar", "b.tar"):
        pull(server, tmp_path / name)
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()


def test_a_token_is_fetched_and_stays_with_the_registry(server: Registry, tmp_path: Path) -> None:
    """Blobs lie on somebody else's server, which must not see the token."""
    server.token = True
    server.put_index("k8s/pause", "v1", ALL)
    with registry() as store:
        store.blobs, server.store = server.blobs, store
        pull(server, tmp_path / "a.tar")
        assert len(store.asked) == 3
        assert {said for _, said in store.asked} == {None}
    tokens = [path for path, _ in server.asked if path.startswith("/token")]
    assert len(tokens) == 1
    assert f"Bearer {TOKEN}" in {said for _, said in server.asked}


def test_a_digest_pins_the_image(server: Registry, tmp_path: Path) -> None:
    pinned = server.put_index("k8s/pause", "v1", ALL)
    server.put_image("k8s/pause", "v1")  # the tag moved on
    assert pull(server, tmp_path / "a.tar", "v1", pinned) == pinned


def test_a_manifest_that_is_not_its_digest_is_refused(server: Registry, tmp_path: Path) -> None:
    pinned = server.put_index("k8s/pause", "v1", ALL)
    kind, body = server.manifests["k8s/pause", pinned]
    server.manifests["k8s/pause", pinned] = (kind, body + b" ")
    with pytest.raises(ArtefactError, match=r"its digest is sha256:.* instead of"):
        pull(server, tmp_path / "a.tar", "v1", pinned)


def test_a_layer_that_is_not_its_digest_is_refused(server: Registry, tmp_path: Path) -> None:
    server.put_image("k8s/pause", "v1")
    for name, body in server.blobs.items():
        server.blobs[name] = bytes([body[0] ^ 1]) + body[1:]
    with pytest.raises(ArtefactError, match="were promised"):
        pull(server, tmp_path / "a.tar")
    assert list(tmp_path.glob("*.tar")) + list(tmp_path.glob(".*.part")) == []


def test_a_layer_that_came_halfway_is_fetched_again(server: Registry, tmp_path: Path) -> None:
    server.put_image("k8s/pause", "v1")
    pull(server, tmp_path / "a.tar")
    server.bad = [*server.blobs, *server.blobs]
    pull(server, tmp_path / "b.tar")
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()


def test_no_image_for_our_machines(server: Registry, tmp_path: Path) -> None:
    server.put_index("k8s/pause", "v1", ["linux/arm64"])
    with pytest.raises(ArtefactError, match="has no image for linux/amd64"):
        pull(server, tmp_path / "a.tar")


def test_no_such_tag(server: Registry, tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match=r"k8s/pause/manifests/v1: HTTP 404"):
        pull(server, tmp_path / "a.tar")


def test_a_registry_that_wants_a_password(server: Registry, tmp_path: Path) -> None:
    server.token, server.challenge = True, 'Basic realm="x"'
    with pytest.raises(ArtefactError, match="wants a login"):
        pull(server, tmp_path / "a.tar")


@pytest.mark.parametrize(
    "manifest",
    [
        [],
        {"mediaType": f"{OCI}.manifest.v1+json"},
        {"config": {"digest": "sha256:../../x", "size": 1}, "layers": []},
        {"config": 1, "layers": 1},
        {"mediaType": "application/vnd.docker.distribution.manifest.v1+json"},
    ],
)
def test_a_malformed_manifest(server: Registry, tmp_path: Path, manifest: object) -> None:
    server.put_manifest("k8s/pause", "v1", f"{OCI}.manifest.v1+json", manifest)
    with pytest.raises(ArtefactError, match=r"is malformed|is refused|is no image"):
        pull(server, tmp_path / "a.tar")


@pytest.mark.parametrize(
    ("name", "root"),
    [
        ("registry.k8s.io/coredns/coredns", "https://registry.k8s.io/v2/coredns/coredns"),
        ("quay.io/cilium/cilium", "https://quay.io/v2/cilium/cilium"),
        ("docker.io/library/haproxy", "https://registry-1.docker.io/v2/library/haproxy"),
        ("haproxy", "https://registry-1.docker.io/v2/library/haproxy"),
        ("localhost:5000/a", "http://localhost:5000/v2/a"),
        ("127.0.0.1.example.org/a", "https://127.0.0.1.example.org/v2/a"),
    ],
)
def test_where_a_registry_answers(name: str, root: str) -> None:
    assert Repository(name).root == root


def test_collecting_follows_kubeadms_own_list(
    server: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """kubeadm asks for an etcd that the table does not know; the files are there already."""
    where = f"{server.host}/k8s"
    tags = {"kube-apiserver": "v1.20.2", "etcd": "3.4.99-0", "pause": "3.2"}
    for name, tag in tags.items():
        server.put_index(f"k8s/{name}", tag, ALL)
    kubernetes = LAB.replace(image_repository=where, kube_proxy=False)
    declared, folder = site(kubernetes), tmp_path / "bundle"
    files = [a for a in bundle.everything(declared) if a.kind != "image" and not a.optional]
    make_bundle(folder, tuple(artefact.path for artefact in files))
    script = "#!/bin/sh\n" + "".join(f"echo {where}/{n}:{t}\n" for n, t in tags.items())
    (folder / files[0].path).write_text(script)
    for artefact in files:
        held = (folder / artefact.path).read_bytes()
        name = "etcd" if artefact.name == "etcdctl" else artefact.name
        monkeypatch.setitem(checksums.SHA256[name], artefact.version, digest(held)[7:])
    listed = manifests.read(folder)
    entry = manifests.Entry(digest(script.encode())[7:], len(script))
    manifests.write(folder, manifests.Manifest({**listed.entries, files[0].path: entry}))

    with pytest.raises(bundle.Incomplete) as caught:  # two that kubeadm's list here left out
        bundle.collect(declared, folder, quiet=True, pauses=NO_PAUSES)
    assert all("controller-manager" in f or "scheduler" in f for f in caught.value.failures)
    found = manifests.read(folder)
    image = found.get(f"images/{where.replace(':', '_')}/etcd_3.4.99-0.tar")
    assert image
    assert image.more["image"] == f"{where}/etcd:3.4.99-0"
    assert image.more["digest"].startswith("sha256:")
    after = bundled(folder, kubernetes)
    wanted = [a for a in bundle.everything(after) if found.get(a.path)]
    assert f"{where}/etcd:3.4.99-0" in [a.reference for a in wanted]
    assert bundle.verify(folder, wanted) == []
    server.asked.clear()
    with pytest.raises(bundle.Incomplete):
        bundle.collect(declared, folder, quiet=True, pauses=NO_PAUSES)
    assert not any("etcd" in path or "apiserver" in path for path, _ in server.asked)
