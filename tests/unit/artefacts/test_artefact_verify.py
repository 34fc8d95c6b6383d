"""A bad bundle is refused by the name of the file that is bad."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from homelab.artefacts import bundle, verified
from homelab.artefacts.artefact import Artefact
from homelab.artefacts.verified import Verified
from tests.unit.artefacts.sites import FILES, bundled, make_bundle

LET = "dl.k8s.io/release/v1.20.2/bin/linux/amd64/kubelet"


@pytest.fixture
def wanted(tmp_path: Path) -> tuple[Artefact, ...]:
    return bundle.everything(bundled(make_bundle(tmp_path / "bundle")))


@pytest.fixture
def folder(tmp_path: Path, wanted: tuple[Artefact, ...]) -> Path:
    return tmp_path / "bundle"


@pytest.fixture
def old(monkeypatch: pytest.MonkeyPatch) -> None:
    """No file is too young to be remembered."""
    monkeypatch.setattr(verified, "RACY", -1)


def test_a_sound_bundle_has_no_faults(folder: Path, wanted: tuple[Artefact, ...]) -> None:
    assert len(wanted) == len(FILES)
    assert bundle.verify(folder, wanted) == []


@pytest.mark.parametrize("place", [0, 7, -1])
def test_a_flipped_byte(folder: Path, wanted: tuple[Artefact, ...], place: int) -> None:
    content = bytearray((folder / LET).read_bytes())
    content[place] ^= 0x40
    (folder / LET).write_bytes(content)
    (fault,) = bundle.verify(folder, wanted)
    assert fault.startswith(f"{LET}: its SHA-256 is ")
    assert "collect the bundle again" in fault


def test_a_missing_file(folder: Path, wanted: tuple[Artefact, ...]) -> None:
    (folder / LET).unlink()
    (fault,) = bundle.verify(folder, wanted)
    assert fault.startswith(f"{LET}: missing in {folder}; ")


def test_a_file_that_the_manifest_does_not_know(folder: Path, wanted: tuple[Artefact, ...]) -> None:
    listed = json.loads((folder / "manifest.json").read_text())
    del listed["artefacts"][LET]
    (folder / "manifest.json").write_text(json.dumps(listed))
    (fault,) = bundle.verify(folder, wanted)
    assert fault.startswith("no SHA-256 is known for kubelet 1.20.2")


@pytest.mark.parametrize("size", [0, 1, 5000])
def test_a_truncated_file(folder: Path, wanted: tuple[Artefact, ...], size: int) -> None:
    whole = (folder / LET).stat().st_size
    os.truncate(folder / LET, size)
    (fault,) = bundle.verify(folder, wanted)
    assert fault.startswith(f"{LET}: {size} bytes instead of {whole}; ")


def test_all_faults_at_once(folder: Path, wanted: tuple[Artefact, ...]) -> None:
    for path in FILES:
        (folder / path).unlink()
    assert len(bundle.verify(folder, wanted)) == len(FILES)


@pytest.mark.parametrize("text", [None, "{", '{"artefacts": {"../x": {}}}'])
def test_a_manifest_that_is_missing_or_bad_is_one_fault(
    folder: Path, wanted: tuple[Artefact, ...], text: str | None
) -> None:
    (folder / "manifest.json").unlink()
    if text is not None:
        (folder / "manifest.json").write_text(text)
    (fault,) = bundle.verify(folder, wanted)
    assert "manifest.json" in fault


def test_a_link_out_of_the_bundle(folder: Path, wanted: tuple[Artefact, ...]) -> None:
    outside = folder.parent / "kubelet"
    (folder / LET).rename(outside)
    (folder / LET).symlink_to(outside)
    (fault,) = bundle.verify(folder, wanted)
    assert fault == f"{LET}: leads out of the bundle to {outside}"


def test_a_folder_in_place_of_a_file(folder: Path, wanted: tuple[Artefact, ...]) -> None:
    (folder / LET).unlink()
    (folder / LET).mkdir()
    (fault,) = bundle.verify(folder, wanted)
    assert fault.startswith(f"{LET}: missing")


@pytest.mark.usefixtures("old")
def test_a_second_look_reads_nothing(
    folder: Path, wanted: tuple[Artefact, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    cache = folder.parent / "seen.json"
    assert bundle.verify(folder, wanted, cache=cache) == []
    assert cache.stat().st_mode & 0o777 == 0o600
    read: list[int] = []
    again = Verified(cache)
    for artefact in wanted:
        again.hash(folder / artefact.path, read.append)
    assert read == []
    Verified(cache, full=True).hash(folder / LET, read.append)
    assert sum(read) == (folder / LET).stat().st_size


@pytest.mark.usefixtures("old")
def test_a_changed_file_is_read_again_though_its_time_was_put_back(
    folder: Path, wanted: tuple[Artefact, ...]
) -> None:
    cache = folder.parent / "seen.json"
    assert bundle.verify(folder, wanted, cache=cache) == []
    before = (folder / LET).stat()
    content = bytearray((folder / LET).read_bytes())
    content[99] ^= 1
    (folder / LET).write_bytes(content)
    os.utime(folder / LET, ns=(before.st_atime_ns, before.st_mtime_ns))
    (fault,) = bundle.verify(folder, wanted, cache=cache)
    assert "SHA-256" in fault


def test_a_young_file_is_not_remembered(folder: Path, wanted: tuple[Artefact, ...]) -> None:
    """It could change again within one tick of the file system's clock."""
    cache = folder.parent / "seen.json"
    assert bundle.verify(folder, wanted, cache=cache) == []
    assert not cache.exists()


@pytest.mark.usefixtures("old")
@pytest.mark.parametrize("text", ["{", "[]", '{"/gone\\n1 2 3": "0"}'])
def test_a_broken_cache_is_no_fault(folder: Path, wanted: tuple[Artefact, ...], text: str) -> None:
    cache = folder.parent / "seen.json"
    cache.write_text(text)
    assert bundle.verify(folder, wanted, cache=cache) == []
    assert len(json.loads(cache.read_text())) == len(FILES)


def test_a_cache_that_cannot_be_written_is_no_fault(
    folder: Path, wanted: tuple[Artefact, ...]
) -> None:
    blocked = folder.parent / "file"
    blocked.touch()
    assert bundle.verify(folder, wanted, cache=blocked / "seen.json") == []
