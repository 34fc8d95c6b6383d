"""The tars of the images: the same bytes whenever they are made, and what `ctr` expects."""

import hashlib
import io
import json
import os
import tarfile
from pathlib import Path

import pytest

from homelab.lab.recipes import archive


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A small root: a program, a link, a folder."""
    root = tmp_path / "root"
    (root / "usr/bin").mkdir(parents=True)
    (root / "usr/bin/tool").write_bytes(b"program")
    (root / "usr/bin/tool").chmod(0o755)
    (root / "usr/bin/alias").symlink_to("tool")
    return root


def test_same_content_same_bytes_whatever_the_times(root: Path, tmp_path: Path) -> None:
    archive.image(root, tmp_path / "a.tar", "lab/a:1", "amd64", {"Cmd": ["/bin/sh"]})
    for path in root.rglob("*"):
        os.utime(path, (1, 1), follow_symlinks=False)
    archive.image(root, tmp_path / "b.tar", "lab/a:1", "amd64", {"Cmd": ["/bin/sh"]})
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()


def test_no_trace_of_the_builder_and_paths_in_order(root: Path, tmp_path: Path) -> None:
    archive.pack(root, tmp_path / "layer.tar")
    with tarfile.open(tmp_path / "layer.tar") as tar:
        members = tar.getmembers()
    assert [m.name for m in members] == ["usr", "usr/bin", "usr/bin/alias", "usr/bin/tool"]
    assert {(m.mtime, m.uid, m.gid, m.uname, m.gname) for m in members} == {(0, 0, 0, "", "")}
    assert members[-1].mode == 0o755
    assert members[2].issym()


def test_image_is_what_docker_save_writes(root: Path, tmp_path: Path) -> None:
    archive.image(root, tmp_path / "a.tar", "k8s.gcr.io/pause:3.2", "arm64", {"User": "65535"})
    with tarfile.open(tmp_path / "a.tar") as tar:
        content = {m.name: read(tar, m) for m in tar.getmembers()}
    (entry,) = json.loads(content["manifest.json"])
    assert entry["RepoTags"] == ["k8s.gcr.io/pause:3.2"]
    about = content[entry["Config"]]
    assert entry["Config"] == f"{hashlib.sha256(about).hexdigest()}.json"
    (layer,) = entry["Layers"]
    config = json.loads(about)
    assert config["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(content[layer]).hexdigest()}"]
    assert (config["architecture"], config["config"]) == ("arm64", {"User": "65535"})
    with tarfile.open(fileobj=io.BytesIO(content[layer])) as tar:
        assert tar.getnames()[-1] == "usr/bin/tool"


def test_no_layer_file_is_left(root: Path, tmp_path: Path) -> None:
    archive.image(root, tmp_path / "a.tar", "a:1", "amd64", {})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tar", "root"]


def read(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    """The bytes of one member."""
    file = tar.extractfile(member)
    assert file is not None
    return file.read()
