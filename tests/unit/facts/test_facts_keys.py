"""Private keys: their modes, and their public halves alone."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from facts import certificates
from facts.keys import KeyFiles, PrivateKeys, parse
from tests.unit.facts.fact_captures import capture

PKI = "/etc/kubernetes/pki"
KUBELET = "/var/lib/kubelet/pki"
needs_root = pytest.mark.skipif(os.getuid() != 0, reason="the fact answers root only")


def test_every_key_of_a_control_plane() -> None:
    found = parse(capture("keys-control-plane"))
    assert not found.unread
    files = {file.path: file for file in found.files or ()}
    assert {path for path, file in files.items() if file.public_key_sha256} == {
        *(f"{PKI}/{name}.key" for name in (
            "apiserver", "apiserver-etcd-client", "apiserver-kubelet-client", "ca",
            "front-proxy-ca", "front-proxy-client", "sa",
            "etcd/ca", "etcd/healthcheck-client", "etcd/peer", "etcd/server",
        )),
        f"{KUBELET}/kubelet.key", f"{KUBELET}/kubelet-client-current.pem",
    }  # fmt: skip
    assert {path for path, file in files.items() if not file.public_key_sha256} == {
        *(f"/etc/kubernetes/{n}.conf" for n in ("admin", "controller-manager", "kubelet")),
        "/etc/kubernetes/scheduler.conf", "/etc/kubernetes/encryption/config.yaml",
        "/etc/ssh/ssh_host_ecdsa_key", "/etc/ssh/ssh_host_ed25519_key",
        f"{KUBELET}/kubelet-client-2026-11-26-19-00-00.pem",
    }  # fmt: skip
    assert {(file.mode, file.owner, file.group) for file in files.values()} == {
        (0o600, "root", "root")
    }  # fmt: skip


def test_modes_and_owners_of_a_bad_day() -> None:
    found = parse(capture("keys-bad-day"))
    states = {path: found.at(path) for path in (f"{PKI}/ca.key", f"{PKI}/etcd/peer.key")}
    assert [(f.mode, f.owner) for f in states.values() if f] == [(0o640, "root"),
                                                                 (0o600, "vagrant")]  # fmt: skip


def test_a_key_that_openssl_cannot_read_is_told() -> None:
    found = parse(capture("keys-bad-day"))
    assert set(found.unread) == {f"{PKI}/front-proxy-client.key", f"{PKI}/sa.key"}
    sa = found.at(f"{PKI}/sa.key")
    assert sa is not None  # has a password: its mode is known all the same
    assert sa.public_key_sha256 is None


@pytest.mark.parametrize("name", ["control-plane", "bad-day"])
def test_no_private_key_has_left_the_machine(name: str) -> None:
    assert not [line for line in capture(f"keys-{name}") if "PRIVATE" in line]


def test_a_key_of_no_file_is_refused() -> None:
    lines = [line for line in capture("keys-control-plane") if not line.endswith(" " + PKI)]
    with pytest.raises(ValueError, match="but its key"):
        parse([line for line in lines if not line.startswith("file ")])


def run(folder: Path, fact: PrivateKeys | certificates.Certificates) -> list[str]:
    command = fact.command()
    for place in ("/etc/kubernetes", "/var/lib/kubelet", "/etc/ssh"):
        command = command.replace(place, f"{folder}{place}")
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


@needs_root
def test_a_machine_without_keys_has_none(tmp_path: Path) -> None:
    assert parse(run(tmp_path, PrivateKeys())) == KeyFiles(files=())


@needs_root
@pytest.mark.parametrize("kind", ["ec:P-256", "rsa:2048"])
def test_a_pair_has_one_digest(tmp_path: Path, kind: str) -> None:
    pki = tmp_path / "var/lib/kubelet/pki"
    pki.mkdir(parents=True)
    new = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"] if kind.startswith("ec") else [kind]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", *new, "-nodes", "-days", "2", "-subj", "/CN=w9",
         "-keyout", pki / "kubelet.key", "-out", pki / "kubelet.crt"],
        check=True, capture_output=True,
    )  # fmt: skip
    both = (pki / "kubelet.crt").read_text() + (pki / "kubelet.key").read_text()
    (pki / "kubelet-client-2026.pem").write_text(both)
    (pki / "kubelet-client-current.pem").symlink_to(pki / "kubelet-client-2026.pem")
    found = parse(run(tmp_path, PrivateKeys()))
    public = certificates.parse(run(tmp_path, certificates.Certificates())).at(f"{pki}/kubelet.crt")
    assert public is not None
    digests = {file.public_key_sha256 for file in found.files or ()}
    assert digests == {public.public_key_sha256, None}
    inodes = [file.inode for file in found.files or () if file.path.endswith(".pem")]
    assert len(inodes) == 2
    assert len(set(inodes)) == 1
