"""Keys of certificates: their modes, their other half, and the one key that all planes share."""

from __future__ import annotations

from dataclasses import replace

from facts import certificates, keys
from facts.certificates import CertificateList
from facts.keys import KeyFiles
from homelab.drift.areas.keys import SERVICE_ACCOUNTS, findings
from homelab.drift.finding import Finding
from tests.unit.drift.drift_views import view
from tests.unit.facts.fact_captures import capture

PKI = "/etc/kubernetes/pki"
CURRENT = "/var/lib/kubelet/pki/kubelet-client-current.pem"
KEYS = keys.parse(capture("keys-control-plane"))


def pairs() -> CertificateList:
    """Certificates as another control plane has them, for these keys."""
    read = certificates.parse(capture("certificates-control-plane"))
    digests = {}
    for file in KEYS.files or ():
        digests[file.path.replace(".key", ".crt")] = file.public_key_sha256 or ""
    found = tuple(
        replace(c, public_key_sha256=digests.get(c.path, "")) for c in read.certificates or ()
    )
    return replace(read, certificates=found)


def found(read: KeyFiles, beside: CertificateList | None = None) -> list[Finding]:
    seen = view({"cp1": {"keys": read, "certificates": beside or pairs()}})
    return list(findings(seen, seen.of("cp1")))


def changed(path: str, digest: str) -> KeyFiles:
    files = tuple(
        replace(file, public_key_sha256=digest) if file.path == path else file
        for file in KEYS.files or ()
    )
    return replace(KEYS, files=files)


def test_pairs_with_the_modes_of_kubeadm_are_clean() -> None:
    assert {c.path for c in pairs().certificates or ()} >= {f"{PKI}/apiserver.crt", CURRENT}
    assert found(KEYS) == []


def test_what_was_not_read_is_not_judged() -> None:
    seen = view({"cp1": {"keys": KeyFiles()}})
    assert list(findings(seen, seen.of("cp1"))) == []
    seen = view({"cp1": {"keys": KEYS}})
    assert list(findings(seen, seen.of("cp1"))) == []
    assert list(findings(seen, seen.of("w1"))) == []


def test_modes_and_owners_of_a_bad_day() -> None:
    day = found(keys.parse(capture("keys-bad-day")))
    assert {(f.rule, f.subject, f.actual) for f in day} == {
        ("certificate.key-mode", f"{PKI}/ca.key", "640 root:root"),
        ("certificate.key-mode", f"{PKI}/etcd/peer.key", "600 vagrant:root"),
        # the link to it has the same mode, and is no second finding
        ("certificate.key-mode", "/var/lib/kubelet/pki/kubelet-client-2026-11-26-19-00-00.pem",
         "644 root:root"),
        ("certificate.key", f"{PKI}/apiserver.key",
         next(f.actual for f in day if f.rule == "certificate.key")),
    }  # fmt: skip


def test_a_key_of_another_certificate() -> None:
    (finding,) = found(changed(f"{PKI}/etcd/server.key", "ab" * 32))
    assert (finding.id, finding.kind) == (
        "certificate.key/cp1/etc-kubernetes-pki-etcd-server.key", "drift",
    )  # fmt: skip
    assert f"{PKI}/etcd/server.crt" in finding.expected
    assert finding.actual == "another key, sha256 abababababab"


def test_kubelets_two_halves_are_in_one_file() -> None:
    (finding,) = found(changed(CURRENT, "ab" * 32))
    assert (finding.rule, finding.subject) == ("certificate.key", CURRENT)


def test_one_key_signs_all_service_accounts_tokens() -> None:
    other = changed(SERVICE_ACCOUNTS, "cd" * 32)
    seen = view({"cp1": {"keys": other}, "cp2": {"keys": KEYS}, "cp3": {"keys": KEYS}})
    (finding,) = findings(seen, seen.of("cp1"))
    assert (finding.rule, finding.subject) == ("certificate.key", SERVICE_ACCOUNTS)
    assert list(findings(seen, seen.of("cp2"))) == []


def test_of_two_the_first_control_planes_key_counts() -> None:
    other = changed(SERVICE_ACCOUNTS, "cd" * 32)
    seen = view({"cp1": {"keys": KEYS}, "cp3": {"keys": other}})
    assert list(findings(seen, seen.of("cp1"))) == []
    assert len(list(findings(seen, seen.of("cp3")))) == 1
