"""Certificates of kubeadm and kubelet: their days, their names, who signed them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from homelab.documents.kubeadm import cert_sans
from homelab.drift.finding import Finding
from homelab.drift.view import Told, View
from homelab.site import derived

if TYPE_CHECKING:
    from facts.certificates import Certificate

PKI = "/etc/kubernetes/pki"
AUTHORITIES = (f"{PKI}/ca.crt", f"{PKI}/front-proxy-ca.crt", f"{PKI}/etcd/ca.crt")
# kubeadm's leaves and the authority of each (kubernetes.io/docs/setup/best-practices/certificates)
LEAVES = {
    f"{PKI}/apiserver.crt": AUTHORITIES[0],
    f"{PKI}/apiserver-kubelet-client.crt": AUTHORITIES[0],
    f"{PKI}/front-proxy-client.crt": AUTHORITIES[1],
    f"{PKI}/apiserver-etcd-client.crt": AUTHORITIES[2],
    f"{PKI}/etcd/server.crt": AUTHORITIES[2],
    f"{PKI}/etcd/peer.crt": AUTHORITIES[2],
    f"{PKI}/etcd/healthcheck-client.crt": AUTHORITIES[2],
}
DAYS = (7, 14, 30)
# kubelet and the API server turn these over by themselves, at 70 to 90 % of their life.
ROTATED = "/var/lib/kubelet/pki/"


def findings(view: View, told: Told) -> Iterator[Finding]:
    """Of one machine; authorities are compared with those of all other control planes."""
    read = told.facts.certificates
    if read is None or read.certificates is None:
        return
    for certificate in read.certificates:
        yield from _days(view, told, certificate)
    if told not in view.planes:
        return
    yield from _missing(told, {c.path for c in read.certificates} | set(read.unread))
    for certificate in read.certificates:
        yield from _authority(view, told, certificate)
        yield from _issuer(told, certificate)
        if certificate.path == f"{PKI}/apiserver.crt":
            yield from _names(view, told, certificate)


def _subject(certificate: Certificate) -> str:
    return f"{certificate.path} {certificate.part}".strip()


def _days(view: View, told: Told, certificate: Certificate) -> Iterator[Finding]:
    if certificate.part == "ca":
        return  # a copy of the authority, whose own file is told
    left = (certificate.not_after - view.now).total_seconds() / 86400
    subject, end = _subject(certificate), f"ends on {certificate.not_after:%Y-%m-%d}"
    if left <= 0:
        yield Finding("certificate.expired", told.name, subject, "valid", end,
                      since=certificate.not_after)  # fmt: skip
    elif certificate.not_before > view.now:
        begin = f"begins on {certificate.not_before:%Y-%m-%d %H:%M} UTC"
        yield Finding("certificate.expired", told.name, subject, "valid", begin)
    else:
        near = next((days for days in DAYS if left <= days), None)
        # kubelet's own certificate of a year is renewed weeks before; a short one is young anyway
        if near and not certificate.path.startswith(ROTATED):
            rule = f"certificate.expires-{near}"
            yield Finding(rule, told.name, subject, f"more than {near} days", end)


def _missing(told: Told, there: set[str]) -> Iterator[Finding]:
    for path in (*AUTHORITIES, *LEAVES):
        if path not in there:
            yield Finding("certificate.missing", told.name, path, "there", "missing")


def _authority(view: View, told: Told, certificate: Certificate) -> Iterator[Finding]:
    """The odd one out; of two that differ, both are told."""
    if certificate.path not in AUTHORITIES:
        return
    keys = {
        plane.name: found.public_key_sha256
        for plane in view.planes
        if plane.facts.certificates is not None
        and (found := plane.facts.certificates.at(certificate.path)) is not None
    }
    counts = Counter(keys.values()).most_common()
    most, number = counts[0]
    tied = len(counts) > 1 and counts[1][1] == number
    if len(counts) > 1 and (tied or certificate.public_key_sha256 != most):
        yield Finding(
            "certificate.ca", told.name, certificate.path,
            "two authorities" if tied else f"key {most[:12]}, as on the others",
            f"key {certificate.public_key_sha256[:12]}",
            since=certificate.not_before,
        )  # fmt: skip


def _issuer(told: Told, certificate: Certificate) -> Iterator[Finding]:
    """By name; whether the signature is right, TLS asks whoever connects."""
    read = told.facts.certificates
    assert read is not None
    authority = read.at(LEAVES.get(certificate.path, ""))
    if authority is not None and certificate.issuer != authority.subject:
        names = authority.subject, certificate.issuer
        yield Finding("certificate.issuer", told.name, certificate.path, *names,
                      since=certificate.not_before)  # fmt: skip


def _names(view: View, told: Told, certificate: Certificate) -> Iterator[Finding]:
    wanted = [*cert_sans(view.site), told.name, told.machine.address]
    wanted += ["kubernetes", "kubernetes.default", "kubernetes.default.svc",
               f"kubernetes.default.svc.{view.site.kubernetes.dns_domain}",
               derived.service_address(view.site, 1)]  # fmt: skip
    have = {name.partition(":")[2] for name in certificate.sans}
    missing = sorted(set(wanted) - have)
    if missing:
        yield Finding("certificate.sans", told.name, certificate.path,
                      "all names of the API", f"without {', '.join(missing)}")  # fmt: skip
    extra = sorted(have - set(wanted))
    if extra:
        yield Finding("certificate.sans-undeclared", told.name, certificate.path,
                      "no other names", f"also {', '.join(extra)}", "undeclared")  # fmt: skip
