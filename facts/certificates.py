"""Every certificate that Kubernetes keeps on a machine, read at once, parsed on the controller."""

from __future__ import annotations

import base64
import hashlib
import re
import warnings
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.utils import CryptographyDeprecationWarning
from pyinfra.api.facts import FactBase

from facts.record import Reading, Record, parsed, unknown

# Files of kubeadm, and of kubelet: its client certificate is a .pem behind a symbolic link.
PATHS = (
    "/etc/kubernetes/pki/*.crt",
    "/etc/kubernetes/pki/etcd/*.crt",
    "/etc/kubernetes/*.conf",
    "/var/lib/kubelet/pki/*.crt",
    "/var/lib/kubelet/pki/kubelet-client-current.pem",
    "/var/lib/kubelet/pki/kubelet-server-current.pem",
)
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
_KINDS = {"DNSName": "DNS", "IPAddress": "IP", "UniformResourceIdentifier": "URI"}


@dataclass(frozen=True)
class Certificate(Record):
    """One X.509 certificate; ``part`` tells those of one kubeconfig apart ("ca", "user:NAME")."""

    path: str
    part: str
    mode: int
    owner: str
    group: str
    subject: str  # RFC 4514: "CN=kubernetes-admin,O=system:masters"
    issuer: str
    sans: tuple[str, ...]  # "DNS:api.lan", "IP:192.168.0.10"
    not_before: datetime  # aware, UTC
    not_after: datetime
    serial: str  # hexadecimal
    key_type: str  # "RSA-2048", "EC-secp256r1", "Ed25519"
    is_ca: bool
    public_key_sha256: str  # of the SubjectPublicKeyInfo: what --discovery-token-ca-cert-hash takes


@dataclass(frozen=True)
class CertificateList(Reading):
    """``unread`` maps files that are there but hold no readable certificate to the reason."""

    certificates: tuple[Certificate, ...] | None = None

    def at(self, path: str, part: str = "") -> Certificate | None:
        """The first certificate in ``path`` (leaf before its chain); None: absent or unread."""
        found = (c for c in self.certificates or () if c.path == path and part in ("", c.part))
        return next(found, None)


@dataclass(frozen=True)
class _File:
    path: str
    mode: int
    owner: str
    group: str
    text: str


def parse(output: list[str]) -> CertificateList:
    """Output of :class:`Certificates`' command; ValueError on lines it does not know."""
    if not any(line.strip() for line in output):
        return Certificates.default()
    if output[-1] != "@@end":
        raise ValueError("the list of files breaks off")
    certificates: list[Certificate] = []
    unread: dict[str, str] = {}
    for line in output[:-1]:
        tag, mode, owner, group, size, content, path = line.split(" ", 6)
        if tag != "@@file":
            raise ValueError(f"expected a file, met {line[:60]!r}")
        try:
            data = base64.b64decode(content, validate=True)
            if not data and int(size):
                raise ValueError("could not be read")
            file = _File(path, int(mode, 8), owner, group, data.decode())
            certificates += _certificates(file)
        except (ValueError, yaml.YAMLError, AttributeError, TypeError, LookupError) as error:
            unread[path] = " ".join(str(error).split()) or type(error).__name__
    return CertificateList(certificates=tuple(certificates), unread=unread)


def _certificates(file: _File) -> list[Certificate]:
    if file.path.endswith(".conf"):
        parts = _embedded(yaml.safe_load(file.text))
    else:
        parts = [("", file.text)]
    found = [_certificate(file, part, pem) for part, text in parts for pem in _PEM.findall(text)]
    if not found and not file.path.endswith(".conf"):
        raise ValueError("holds no certificate" if file.text else "is empty")
    return found


def _embedded(kubeconfig: Any) -> list[tuple[str, str]]:
    """(part, PEM) of what a kubeconfig embeds; those that it only names have files of their own."""
    found = []
    for cluster in kubeconfig.get("clusters") or ():
        if data := cluster["cluster"].get("certificate-authority-data"):
            found.append(("ca", base64.b64decode(data, validate=True).decode()))
    for user in kubeconfig.get("users") or ():
        if data := user["user"].get("client-certificate-data"):
            found.append((f"user:{user['name']}", base64.b64decode(data, validate=True).decode()))
    return found


def _certificate(file: _File, part: str, pem: str) -> Certificate:
    cert, number = _load(pem)
    key = cert.public_key()
    info = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return Certificate(
        path=file.path,
        part=part,
        mode=file.mode,
        owner=file.owner,
        group=file.group,
        subject=cert.subject.rfc4514_string(),
        issuer=cert.issuer.rfc4514_string(),
        sans=_sans(cert),
        not_before=cert.not_valid_before_utc,
        not_after=cert.not_valid_after_utc,
        serial=f"{number:x}",
        key_type=_key_type(key),
        is_ca=_is_ca(cert),
        public_key_sha256=hashlib.sha256(info).hexdigest(),
    )


def _load(pem: str) -> tuple[x509.Certificate, int]:
    """A certificate and its serial number, which is 0 in every CA that kubeadm makes.

    RFC 5280 wants it positive, and cryptography warns that it will insist one day.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        certificate = x509.load_pem_x509_certificate(pem.encode())
        return certificate, certificate.serial_number


def _sans(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(f"{_KINDS.get(type(name).__name__, 'other')}:{name.value}" for name in names)


def _is_ca(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _key_type(key: object) -> str:
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA-{key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"EC-{key.curve.name}"
    if isinstance(key, ed25519.Ed25519PublicKey):
        return "Ed25519"
    return f"DSA-{key.key_size}" if isinstance(key, dsa.DSAPublicKey) else type(key).__name__


class Certificates(FactBase[CertificateList]):
    """All certificates of kubeadm, kubelet and the kubeconfigs, in one round trip.

    Private keys never leave the machine: of each file only the certificates are sent, and of a
    kubeconfig only the lines with names and certificates.

    .. code:: python

        host.get_fact(Certificates).at("/etc/kubernetes/pki/apiserver.crt").not_after
    """

    def command(self) -> str:
        # base64 keeps one file on one line, whatever is in it. A folder that root alone may enter
        # must not look empty: whoever is not root gives no answer (and so the default).
        return (
            '[ "$(id -u)" = 0 ] || exit 0\n'
            f"for f in {' '.join(PATHS)}; do\n"
            '  [ -f "$f" ] || continue\n'
            "  printf '@@file %s %s %s\\n' \"$(stat -Lc '%a %U %G %s' \"$f\")\" "
            "\"$(sed -e '/PRIVATE KEY/,/PRIVATE KEY/d' "
            '-e \'/client-key-data:\\|token:\\|password:/d\' "$f" | base64 -w0)" "$f"\n'
            "done; echo @@end"
        )

    @staticmethod
    def default() -> CertificateList:
        return CertificateList(unread=unknown("certificates"))

    def process(self, output: list[str]) -> CertificateList:
        return parsed("certificates", parse, output)
