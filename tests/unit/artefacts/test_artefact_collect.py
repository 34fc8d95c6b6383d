"""Collecting: whole or not at all, and going on where it was."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from homelab.artefacts import bundle, fetch, kubeadm
from homelab.artefacts import manifest as manifests
from homelab.artefacts.__main__ import main
from homelab.artefacts.bundle import Incomplete
from homelab.artefacts.errors import ArtefactError
from tests.unit.artefacts.mirror import serving
from tests.unit.artefacts.sites import FILES, LAB, entry, make_bundle, site, write_inventory

REPO = Path(__file__).parents[3]
LET = "dl.k8s.io/release/v1.20.2/bin/linux/amd64/kubelet"
ETCD = "images/k8s.gcr.io/etcd_3.4.13-0.tar"
NO_PAUSES = (0.0, 0.0, 0.0)


def contents(folder: Path) -> dict[str, bytes]:
    found = {str(p.relative_to(folder)): p for p in folder.rglob("*") if p.is_file()}
    return {name: path.read_bytes() for name, path in found.items() if name != ".lock"}


def test_from_a_mirror_comes_the_very_same_bundle(tmp_path: Path) -> None:
    source = make_bundle(tmp_path / "source")
    with serving(source) as server:
        bundle.collect(site(), tmp_path / "copy", server.base, quiet=True)
    assert contents(tmp_path / "copy") == contents(source)


def test_from_a_folder_comes_the_very_same_bundle(tmp_path: Path) -> None:
    source = make_bundle(tmp_path / "source")
    bundle.collect(site(), tmp_path / "copy", f"{source.as_uri()}/", quiet=True)
    assert contents(tmp_path / "copy") == contents(source)


def test_what_is_there_is_not_fetched_again(tmp_path: Path) -> None:
    with serving(make_bundle(tmp_path / "source")) as server:
        bundle.collect(site(), tmp_path / "copy", server.base, quiet=True)
        (tmp_path / "copy" / LET).write_bytes(b"flipped")
        (tmp_path / "copy" / ETCD).unlink()
        server.asked.clear()
        bundle.collect(site(), tmp_path / "copy", server.base, quiet=True)
    assert sorted(server.asked) == sorted(["manifest.json", LET, ETCD])


def test_passing_faults_are_waited_out(tmp_path: Path) -> None:
    with serving(make_bundle(tmp_path / "source")) as server:
        server.trouble = {LET: ["503", "cut", "flip"], ETCD: ["cut", "503"]}
        bundle.collect(site(), tmp_path / "copy", server.base, quiet=True, pauses=NO_PAUSES)
    assert contents(tmp_path / "copy") == contents(tmp_path / "source")
    assert server.asked.count(LET) == 4


def test_lasting_faults_are_named_and_the_rest_is_there(tmp_path: Path) -> None:
    source = make_bundle(tmp_path / "source")
    (source / ETCD).unlink()
    with serving(source) as server:
        server.trouble = {LET: ["flip"] * 9}
        with pytest.raises(Incomplete, match="2 artefacts are missing") as caught:
            bundle.collect(site(), tmp_path / "copy", server.base, quiet=True, pauses=NO_PAUSES)
    assert server.asked.count(ETCD) == 1  # a 404 does not pass
    flipped, gone = sorted(caught.value.failures, key=lambda line: ETCD in line)
    assert "its SHA-256 is" in flipped
    assert "HTTP 404" in gone
    held = contents(tmp_path / "copy")
    assert set(FILES) - set(held) == {LET, ETCD}  # bad bytes never get the file's name
    assert set(manifests.read(tmp_path / "copy").entries) == set(FILES) - {LET, ETCD}


def test_a_base_that_is_gone_is_one_line(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        base = server.base
    with pytest.raises(ArtefactError, match=r"can't be read: .*refused"):
        bundle.collect(site(), tmp_path / "copy", base, quiet=True)


def test_two_at_once_do_not_meet(tmp_path: Path) -> None:
    source = f"{make_bundle(tmp_path / 'source').as_uri()}/"
    bundle.collect(site(), tmp_path / "copy", source, quiet=True)
    with (
        bundle._alone(tmp_path / "copy"),
        pytest.raises(ArtefactError, match="is being collected by another run"),
    ):
        bundle.collect(site(), tmp_path / "copy", source, quiet=True)


def test_a_full_disk_is_not_waited_for() -> None:
    tries = []

    def attempt() -> None:
        tries.append(1)
        raise OSError(28, "No space left on device")

    with pytest.raises(ArtefactError, match=r"can't fetch it: .*No space left on device"):
        fetch.tried("it", attempt, (60.0,))
    assert len(tries) == 1


def test_killed_in_the_middle_it_goes_on(tmp_path: Path) -> None:
    """SIGKILL while a file is on its way; the next run fetches only what is missing."""
    source = make_bundle(tmp_path / "source")
    target = tmp_path / "copy"
    inventory = write_inventory(tmp_path / "site.py", target)
    with serving(source) as server:
        server.trouble = {LET: ["hang"]}
        argv = [sys.executable, "-m", "homelab.artefacts", str(inventory), "--from", server.base]
        child = subprocess.Popen(argv, cwd=REPO, stderr=subprocess.DEVNULL)
        assert server.hanging.wait(30)
        child.send_signal(signal.SIGKILL)
        child.wait()
        assert not (target / LET).exists()
        fetched = set(server.asked) - {LET, "manifest.json"}
        (target / ".left-over.part").touch()
        held = set(manifests.read(target).entries) if (target / manifests.NAME).exists() else set()
        server.asked.clear()
        assert main([str(inventory), "--from", server.base]) == 0
        assert not held & set(server.asked)
    assert fetched
    assert contents(target) == contents(source)


def test_the_command_tells_a_bad_bundle(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = make_bundle(tmp_path / "bundle")
    inventory = str(write_inventory(tmp_path / "site.py", folder))
    assert main([inventory, "--verify"]) == 0
    assert capsys.readouterr().out == f"{folder}\n"
    (folder / LET).write_bytes(b"x" * (folder / LET).stat().st_size)
    assert main([inventory, "--verify"]) == 2
    assert f"✗ {LET}: its SHA-256" in capsys.readouterr().err
    (folder / manifests.NAME).unlink()
    assert main([inventory, "--verify"]) == 2
    assert f"no bundle in {folder}" in capsys.readouterr().err


def test_the_command_tells_a_failed_download(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = make_bundle(tmp_path / "source")
    (source / LET).unlink()
    inventory = str(write_inventory(tmp_path / "site.py", tmp_path / "bundle"))
    assert main([inventory, "--from", str(source)]) == 1
    assert LET in capsys.readouterr().err
    assert main([inventory, "--from", str(tmp_path / "nowhere")]) == 1


def test_the_command_tells_a_bad_site(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / "site.py"
    broken.write_text("_site = Sight()\n")
    assert main([str(broken)]) == 2
    assert "NameError" in capsys.readouterr().err


def test_kubeadm_itself_is_asked_for_its_images(tmp_path: Path) -> None:
    """A program that answers as kubeadm does; it needs no executable bit in the bundle."""
    program = tmp_path / "kubeadm"
    images = ("kube-proxy:v1.20.2", "etcd:9", "coredns:1.7.0")
    lines = [f'echo "${{5#--image-repository=}}/{image}"' for image in images]
    program.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    assert kubeadm.listed(program, site()) == ("k8s.gcr.io/kube-proxy:v1.20.2", "k8s.gcr.io/etcd:9")
    without = site(LAB.replace(kube_proxy=False, coredns=True))
    assert kubeadm.listed(program, without) == ("k8s.gcr.io/etcd:9", "k8s.gcr.io/coredns:1.7.0")


@pytest.mark.parametrize("content", [b"\x7fELF of another machine", b"#!/bin/sh\nexit 3\n"])
def test_a_kubeadm_that_cannot_run_is_no_fault(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "kubeadm").write_bytes(content)
    assert entry(content).size == len(content)
    assert kubeadm.listed(tmp_path / "kubeadm", site()) is None
