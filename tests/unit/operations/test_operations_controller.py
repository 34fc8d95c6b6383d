"""Pinned files on the controller: real archives, and nothing unverified put in place."""

from __future__ import annotations

import hashlib
import subprocess
import tarfile
from pathlib import Path

import pytest

from homelab.artefacts.artefact import Artefact, Install
from homelab.artefacts.errors import ArtefactError
from operations import controller
from operations.artefacts import Pinned


@pytest.fixture
def archive(tmp_path: Path) -> Pinned:
    """A release archive as helm's: one program in a folder."""
    top = tmp_path / "upstream/linux-amd64"
    top.mkdir(parents=True)
    (top / "helm").write_text("#!/bin/sh\necho program\n")
    file = tmp_path / "upstream/helm.tar.gz"
    with tarfile.open(file, "w:gz") as out:
        out.add(top, "linux-amd64")
    place = Install("linux-amd64/helm", "bin/helm")
    artefact = Artefact("helm", "3.18.4", "helm.tar.gz", "archive", None, None, (place,))
    return Pinned(artefact, hashlib.sha256(file.read_bytes()).hexdigest(), str(file))


def test_a_program_is_taken_out_of_its_archive(archive: Pinned, tmp_path: Path) -> None:
    home_folder = tmp_path / "home"
    assert not controller.in_place(archive, home_folder)
    controller.place(archive, home_folder)
    assert controller.in_place(archive, home_folder)
    assert subprocess.check_output([home_folder / "bin/helm"]) == b"program\n"
    assert sorted(path.name for path in home_folder.rglob("*")) == ["bin", "helm", "helm.sha256"]


def test_a_changed_program_is_fetched_again(archive: Pinned, tmp_path: Path) -> None:
    controller.place(archive, tmp_path)
    with (tmp_path / "bin/helm").open("a") as file:
        file.write("# one byte more")
    assert not controller.in_place(archive, tmp_path)
    controller.place(archive, tmp_path)
    (tmp_path / "bin/helm").chmod(0o644)
    assert not controller.in_place(archive, tmp_path)


def test_another_version_is_not_in_place(archive: Pinned, tmp_path: Path) -> None:
    controller.place(archive, tmp_path)
    assert not controller.in_place(Pinned(archive.artefact, "0" * 64, archive.source), tmp_path)


def test_a_flipped_byte_never_gets_there(archive: Pinned, tmp_path: Path) -> None:
    file = Path(archive.source)
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises(ArtefactError, match="SHA-256"):
        controller.place(archive, tmp_path / "home")
    assert list((tmp_path / "home").rglob("*")) == []


def test_a_chart_is_placed_as_it_is(tmp_path: Path) -> None:
    source = tmp_path / "cilium.tgz"
    source.write_bytes(b"chart")
    place = Install("", "charts/cilium.tgz", 0o644)
    artefact = Artefact("cilium", "1.20.1", "cilium.tgz", "chart", None, None, (place,))
    item = Pinned(artefact, hashlib.sha256(b"chart").hexdigest(), str(source))
    controller.place(item, tmp_path / "home")
    assert (tmp_path / "home/charts/cilium.tgz").read_bytes() == b"chart"
    assert controller.in_place(item, tmp_path / "home")
