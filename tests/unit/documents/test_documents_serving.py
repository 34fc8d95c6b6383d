"""Serving certificates: real requests, made with openssl as a kubelet or a thief would."""

from __future__ import annotations

import base64
import importlib.util
import json
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from homelab.documents import approve_serving_csrs
from homelab.documents.serving import SCRIPT, TABLE, serving
from tests.unit.documents.document_sites import document, lab, shell, tool

SITE = lab()
LAYER = serving(SITE, SITE.machines[0])
NAMES = json.loads(document(LAYER, TABLE).text)


@pytest.fixture(scope="module")
def approver(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """The script as it lies on a machine, imported as a file."""
    tool("openssl")
    path = tmp_path_factory.mktemp("script") / "approve.py"
    path.write_text(document(LAYER, SCRIPT).text)
    spec = importlib.util.spec_from_file_location("approve", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pem(
    subject: str = "/O=system:nodes/CN=system:node:cp1", names: str = "DNS:cp1,IP:192.168.0.11"
) -> bytes:
    command = ["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-keyout", "/dev/null", "-subj", subject]
    if names:
        command += ["-addext", f"subjectAltName={names}"]
    return subprocess.run(command, check=True, capture_output=True).stdout


def csr(made: bytes | None = None, **changes: Any) -> dict[str, Any]:
    """A CertificateSigningRequest as ``kubectl get csr -o json`` shows it."""
    spec = {
        "signerName": "kubernetes.io/kubelet-serving",
        "username": "system:node:cp1",
        "groups": ["system:nodes", "system:authenticated"],
        "usages": ["digital signature", "key encipherment", "server auth"],
        "request": base64.b64encode(pem() if made is None else made).decode(),
    }
    return {"metadata": {"name": "csr-1"}, "spec": spec | changes, "status": {}}


def test_a_node_gets_its_own_names(approver: ModuleType) -> None:
    assert approver.refusal(csr(), NAMES) is None
    assert approver.refusal(csr(pem(names="IP:192.168.0.11")), NAMES) is None
    assert approver.refusal(csr(usages=["digital signature", "server auth"]), NAMES) is None


@pytest.mark.parametrize(
    ("request_", "changes", "reason"),
    [
        (pem, {"names": "DNS:cp1,IP:192.168.0.12"}, "IP Address:192.168.0.12: not cp1's own"),
        (pem, {"names": "DNS:cp1,DNS:api.lab.internal"}, "DNS:api.lab.internal: not cp1's own"),
        (pem, {"names": "DNS:*.lab.internal"}, "not cp1's own"),
        (pem, {"names": "email:root@lab.internal"}, "email:root@lab.internal: not cp1's own"),
        (pem, {"names": "URI:spiffe://lab/cp1"}, "not cp1's own"),
        (pem, {"names": ""}, "no names or addresses"),
        (pem, {"subject": "/O=system:nodes/CN=system:node:cp2"}, "is not system:node:cp1's own"),
        (pem, {"subject": "/O=system:masters/CN=system:node:cp1"}, "is not"),
        (pem, {"subject": "/O=system:nodes/O=system:masters/CN=system:node:cp1"}, "is not"),
        (pem, {"subject": "/O=system:nodes/CN=system:node:cp1/CN=admin"}, "is not"),
        (pem, {"subject": "/CN=system:node:cp1"}, "is not"),
    ],
)
def test_a_request_for_more_is_left_alone(
    approver: ModuleType, request_: Any, changes: dict[str, str], reason: str
) -> None:
    assert reason in approver.refusal(csr(request_(**changes)), NAMES)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"username": "system:node:stranger"}, "no node of this site"),
        ({"username": "system:admin"}, "no node of this site"),
        ({"username": "cp1"}, "no node of this site"),
        ({"groups": ["system:authenticated"]}, "not in the group system:nodes"),
        ({"usages": ["digital signature", "client auth"]}, "usages"),
        ({"usages": ["digital signature", "server auth", "client auth"]}, "usages"),
        ({"usages": ["digital signature", "key encipherment"]}, "usages"),
        ({"request": base64.b64encode(b"garbage").decode()}, "unreadable request"),
        ({"request": "%%%"}, "unreadable request"),
    ],
)
def test_a_request_by_another_or_for_another_use(
    approver: ModuleType, changes: dict[str, Any], reason: str
) -> None:
    assert reason in approver.refusal(csr(**changes), NAMES)


def test_a_request_that_another_key_signed_is_unreadable(approver: ModuleType) -> None:
    body = pem().decode().splitlines()
    raw = bytearray(base64.b64decode("".join(body[1:-1])))
    raw[-1] ^= 1  # the last byte of the signature
    text = base64.encodebytes(bytes(raw)).decode()
    broken = f"{body[0]}\n{text}{body[-1]}\n".encode()
    assert "unreadable request" in approver.refusal(csr(broken), NAMES)


def test_only_pending_requests_of_this_signer_are_looked_at(approver: ModuleType) -> None:
    assert approver.pending(csr())
    assert not approver.pending(csr(signerName="kubernetes.io/kube-apiserver-client-kubelet"))
    for kind in ("Approved", "Denied", "Failed"):
        assert not approver.pending(csr() | {"status": {"conditions": [{"type": kind}]}})


def test_the_table_has_every_node_and_nothing_else() -> None:
    assert NAMES["w1"] == {"dns": ["w1"], "ip": ["192.168.0.21"]}
    assert set(NAMES) == {"cp1", "cp2", "cp3", "w1"}
    assert not any(SITE.api.vip in names["ip"] for names in NAMES.values())


def run_whole(folder: Path, requests: list[dict[str, Any]]) -> tuple[str, list[str]]:
    """The whole script against a kubectl that answers from a file and notes what it is told."""
    (folder / "csrs").write_text(json.dumps({"items": requests}))
    (folder / "table").write_text(json.dumps(NAMES))
    kubectl = folder / "kubectl"
    kubectl.write_text(
        f'#!/bin/sh\ncase "$*" in\n*"get csr"*) cat {folder}/csrs ;;\n'
        f'*) echo "$*" >> {folder}/told ;;\nesac\n'
    )
    kubectl.chmod(0o755)
    script = folder / "script"
    text = document(LAYER, SCRIPT).text.replace(TABLE, f"{folder}/table")
    script.write_text(text.replace("/usr/local/bin/kubectl", str(kubectl)))
    script.chmod(0o755)
    said = shell(str(script))
    told = folder / "told"
    return said, told.read_text().splitlines() if told.exists() else []


def test_the_script_approves_the_one_and_leaves_the_other(tmp_path: Path) -> None:
    thief = csr(pem(names="DNS:api.lab.internal")) | {"metadata": {"name": "csr-2"}}
    said, told = run_whole(tmp_path, [csr(), thief])
    assert [line.split()[-3:] for line in told] == [["certificate", "approve", "csr-1"]]
    assert "csr-1: approved for system:node:cp1" in said
    assert "csr-2: left alone: DNS:api.lab.internal: not cp1's own" in said


def test_the_script_is_the_module_that_was_reviewed() -> None:
    source = Path(approve_serving_csrs.__file__).read_text()
    assert document(LAYER, SCRIPT).text.splitlines()[2:] == source.splitlines()[1:]
