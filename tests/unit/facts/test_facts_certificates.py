"""Certificates: kubeadm's own, and the command run for real on folders made here."""

from __future__ import annotations

import base64
import os
import subprocess
from datetime import UTC, timedelta
from pathlib import Path

import pytest

from facts.certificates import CertificateList, Certificates, parse
from tests.unit.facts.fact_captures import capture

PKI = "/etc/kubernetes/pki"
needs_root = pytest.mark.skipif(os.getuid() != 0, reason="the fact answers root only")


def certificates(name: str) -> CertificateList:
    return parse(capture(f"certificates-{name}"))


def test_the_api_servers_certificate() -> None:
    found = certificates("control-plane").at(f"{PKI}/apiserver.crt")
    assert found is not None
    assert found.subject == "CN=kube-apiserver"
    assert found.issuer == "CN=kubernetes"
    assert {"DNS:api.lab", "DNS:kubernetes.default.svc.cluster.local"} <= set(found.sans)
    assert {"IP:10.77.0.11", "IP:10.96.0.1"} <= set(found.sans)
    assert found.not_before.tzinfo is UTC
    assert timedelta(364) < found.not_after - found.not_before <= timedelta(366)
    assert found.key_type == "RSA-2048"
    assert (found.mode, found.owner, found.group) == (0o644, "root", "root")
    assert not found.is_ca


def test_every_certificate_of_a_control_plane_is_there() -> None:
    found = certificates("control-plane")
    assert not found.unread
    files = {c.path.removeprefix("/etc/kubernetes/") for c in found.certificates or ()}
    assert files >= {
        "pki/ca.crt", "pki/apiserver.crt", "pki/apiserver-kubelet-client.crt",
        "pki/apiserver-etcd-client.crt", "pki/front-proxy-ca.crt", "pki/front-proxy-client.crt",
        "pki/etcd/ca.crt", "pki/etcd/server.crt", "pki/etcd/peer.crt",
        "pki/etcd/healthcheck-client.crt", "admin.conf", "controller-manager.conf",
        "scheduler.conf", "kubelet.conf",
    }  # fmt: skip


def test_a_kubeconfig_has_a_ca_and_a_user() -> None:
    found = certificates("control-plane")
    admin = found.at("/etc/kubernetes/admin.conf", "user:kubernetes-admin")
    ca = found.at("/etc/kubernetes/admin.conf", "ca")
    on_disk = found.at(f"{PKI}/ca.crt")
    assert admin is not None
    assert admin.subject == "CN=kubernetes-admin,O=system:masters"
    assert admin.mode == 0o600
    assert ca is not None
    assert on_disk is not None
    assert ca.is_ca
    assert ca.public_key_sha256 == on_disk.public_key_sha256


def test_a_kubelets_client_certificate_is_a_pem_behind_a_link() -> None:
    found = certificates("worker").at("/var/lib/kubelet/pki/kubelet-client-current.pem")
    assert found is not None
    assert found.subject == "CN=system:node:w1,O=system:nodes"


@pytest.mark.parametrize("name", ["control-plane", "worker"])
def test_no_private_key_and_no_token_has_left_the_machine(name: str) -> None:
    for line in capture(f"certificates-{name}")[:-1]:
        text = base64.b64decode(line.split(" ")[5]).decode()
        assert "PRIVATE KEY" not in text
        assert "client-key-data" not in text
        assert "token" not in text


def test_a_file_that_is_no_certificate_is_unread_and_the_others_are_read() -> None:
    lines = capture("certificates-control-plane")
    nonsense = base64.b64encode(b"what is this").decode()
    broken = f"@@file 644 root root 12 {nonsense} {PKI}/odd name.crt"
    empty = f"@@file 644 root root 0  {PKI}/empty.crt"
    found = parse([broken, empty, *lines])
    assert found.unread == {
        f"{PKI}/odd name.crt": "holds no certificate",
        f"{PKI}/empty.crt": "is empty",
    }
    assert len(found.certificates or ()) == len(certificates("control-plane").certificates or ())


def test_a_list_that_breaks_off_is_refused() -> None:
    with pytest.raises(ValueError, match="breaks off"):
        parse(capture("certificates-control-plane")[:-1])


def run(folder: Path) -> CertificateList:
    """The fact's own command, on ``folder`` in place of the root."""
    command = Certificates().command()
    for place in ("/etc/kubernetes", "/var/lib/kubelet"):
        command = command.replace(place, f"{folder}{place}")
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    return parse(done.stdout.splitlines())


@needs_root
def test_a_machine_without_kubernetes_has_none(tmp_path: Path) -> None:
    found = run(tmp_path)
    assert found.certificates == ()
    assert not found.unread


@needs_root
def test_keys_are_cut_out_on_the_machine(tmp_path: Path) -> None:
    pki = tmp_path / "var/lib/kubelet/pki"
    pki.mkdir(parents=True)
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "2", "-subj", "/O=system:nodes/CN=system:node:w9",
         "-keyout", "key", "-out", "crt"],
        cwd=tmp_path, check=True, capture_output=True,
    )  # fmt: skip
    both = (tmp_path / "crt").read_text() + (tmp_path / "key").read_text()
    real = pki / "kubelet-client-2026.pem"
    real.write_text(both)
    real.chmod(0o600)
    link = pki / "kubelet-client-current.pem"
    link.symlink_to(real.name)
    found = run(tmp_path).at(str(link))
    assert found is not None
    assert (found.mode, found.key_type) == (0o600, "EC-secp256r1")
    assert found.subject == "CN=system:node:w9,O=system:nodes"
