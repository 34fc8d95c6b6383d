"""Private keys of Kubernetes: who may read them, and whether they belong to what stands beside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from homelab.drift.finding import Finding
from homelab.drift.view import Told, View

if TYPE_CHECKING:
    from facts.keys import KeyFile

FOLDERS = ("/etc/kubernetes/pki/", "/var/lib/kubelet/pki/")
SERVICE_ACCOUNTS = "/etc/kubernetes/pki/sa.key"  # its public half is in no certificate


def findings(view: View, told: Told) -> Iterator[Finding]:
    """``certificate.key-mode`` and ``certificate.key``."""
    files = [
        file
        for file in (told.facts.keys.files or () if told.facts.keys else ())
        if file.path.startswith(FOLDERS)
    ]
    seen: set[str] = set()  # kubelet's current key is a link to a file that is in the list as well
    for file in files:
        if file.inode not in seen and (file.mode & 0o077 or file.owner != "root"):
            actual = f"{file.mode:o} {file.owner}:{file.group}"
            yield Finding("certificate.key-mode", told.name, file.path, "600 root:root", actual)
        seen.add(file.inode)
        yield from _pair(told, file)
        if file.path == SERVICE_ACCOUNTS:
            yield from _service_accounts(view, told, file)


def _pair(told: Told, key: KeyFile) -> Iterator[Finding]:
    """apiserver.key belongs to apiserver.crt; kubelet's .pem holds both."""
    if told.facts.certificates is None or key.public_key_sha256 is None:
        return
    path = f"{key.path.removesuffix('.key')}.crt" if key.path.endswith(".key") else key.path
    certificate = told.facts.certificates.at(path)
    if certificate is not None and certificate.public_key_sha256 != key.public_key_sha256:
        yield _other(told, key, f"the one of {path}, sha256 {certificate.public_key_sha256[:12]}")


def _service_accounts(view: View, told: Told, key: KeyFile) -> Iterator[Finding]:
    """Every API server has to believe tokens that another one's controller manager has signed."""
    facts = (plane.facts.keys for plane in view.planes)
    found = (keys.at(SERVICE_ACCOUNTS) for keys in facts if keys is not None)
    digests = Counter(file.public_key_sha256 for file in found if file and file.public_key_sha256)
    if key.public_key_sha256 is None or not digests:
        return
    ((most, _),) = digests.most_common(1)  # of two the first control plane's
    if key.public_key_sha256 != most:
        yield _other(told, key, f"the same on all control planes, sha256 {most[:12]}")


def _other(told: Told, key: KeyFile, expected: str) -> Finding:
    actual = f"another key, sha256 {(key.public_key_sha256 or '')[:12]}"
    return Finding("certificate.key", told.name, key.path, expected, actual)
