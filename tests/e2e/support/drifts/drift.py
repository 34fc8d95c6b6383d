"""Drifts as a person or an accident makes them: what is done, what must be found, how it ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

KUBECTL = "kubectl --kubeconfig /etc/kubernetes/admin.conf"
PKI = "/etc/kubernetes/pki"
ETCDCTL = (
    f"ETCDCTL_API=3 etcdctl --endpoints=https://127.0.0.1:2379 --cacert={PKI}/etcd/ca.crt "
    f"--cert={PKI}/etcd/server.crt --key={PKI}/etcd/server.key"
)
MANIFESTS = "/etc/kubernetes/manifests"


@dataclass(frozen=True)
class Drift:
    """``inject`` and ``heal`` are shell, as root on ``machine``; ``finding`` is "rule/machine/…" as
    far as it is known beforehand. ``beside`` are rules of what must follow from it; ``core`` ones
    run in CI; ``patience`` is how many seconds the machines may take to show it, or to be well."""

    name: str
    machine: str
    inject: str
    heal: str
    finding: str
    beside: frozenset[str] = field(default_factory=frozenset)
    core: bool = False
    patience: float = 0.0
    kind: str = "drift"


def made(
    name: str, machine: str, inject: str, heal: str, finding: str, *,
    beside: Sequence[str] = (), core: bool = False, patience: float = 0.0, kind: str = "drift",
) -> Drift:  # fmt: skip
    return Drift(name, machine, inject, heal, finding, frozenset(beside), core, patience, kind)


def edited(path: str, line: str, restart: str = "") -> tuple[str, str]:
    """A line more at the end of a file, and the file back as it was, times and all."""
    keep = f"/root/drift-kept{path}"
    inject = f"mkdir -p $(dirname {keep}); cp -p {path} {keep}; printf '%s\\n' '{line}' >> {path}"
    heal = f"cat {keep} > {path}; touch -r {keep} {path}; rm {keep}"
    return inject + restart, heal + restart


def gone(path: str) -> tuple[str, str]:
    keep = f"/root/drift-kept{path}"
    return f"mkdir -p $(dirname {keep}); mv {path} {keep}", f"mv {keep} {path}"


def mode(path: str, wrong: str, right: str) -> tuple[str, str]:
    return f"chmod {wrong} {path}", f"chmod {right} {path}"


def replaced(path: str, old: str, new: str) -> tuple[str, str]:
    """One word for another, in place; the folder of manifests must never hold a copy."""
    keep = f"/root/drift-kept{path}"
    inject = (
        f"mkdir -p $(dirname {keep}); cp -p {path} {keep}; "
        f"sed 's#{old}#{new}#' {keep} > {keep}.new; ! cmp -s {keep} {keep}.new; "
        f"cat {keep}.new > {path}; rm {keep}.new"
    )
    return inject, f"cat {keep} > {path}; touch -r {keep} {path}; rm {keep}"


def fake_package(name: str, broken: bool = False) -> tuple[str, str]:
    """A package of that name that holds nothing; ``broken``: its installation breaks off."""
    root = f"/root/drift-{name}"
    control = f"Package: {name}\\nVersion: 0.1\\nArchitecture: all\\nMaintainer: x <x@x>\\nDescription: x\\n"
    script = f"printf '#!/bin/sh\\nexit 1\\n' > {root}/DEBIAN/postinst; chmod 755 {root}/DEBIAN/postinst; "
    inject = (
        f"mkdir -p {root}/DEBIAN; printf '{control}' > {root}/DEBIAN/control; "
        f"{script if broken else ''}dpkg-deb -b {root} {root}.deb >/dev/null; "
        f"dpkg -i {root}.deb >/dev/null 2>&1 || {str(broken).lower()}"
    )
    return inject, f"dpkg --purge --force-all {name} >/dev/null 2>&1; rm -rf {root} {root}.deb"


def signed(path: str, days: str, ca: str) -> tuple[str, str]:
    """The certificate at ``path`` anew, with the same key and subject, by ``ca``, for those days.

    ``openssl ca`` alone can sign for days that are over. The folder's files are put back after.
    """
    stem, work = path.removesuffix(".crt"), "/root/drift-ca"
    config = (
        "[ca]\\ndefault_ca=d\\n[d]\\ndatabase=index\\nserial=serial\\nnew_certs_dir=.\\n"
        "default_md=sha256\\npolicy=p\\nunique_subject=no\\ncopy_extensions=copy\\n[p]\\n"
        "commonName=supplied\\norganizationName=optional\\n"
    )
    inject = (
        f"mkdir -p {work}; cd {work}; cp -p {path} kept.crt; printf '{config}' > c; : > index; "
        f"echo 77 > serial; openssl x509 -x509toreq -in {path} -signkey {stem}.key -out r 2>/dev/null; "
        f"openssl ca -batch -config c -in r -out new -cert {ca}.crt -keyfile {ca}.key {days} "
        f"-notext 2>/dev/null; cat new > {path}"
    )
    return inject, f"cat {work}/kept.crt > {path}; touch -r {work}/kept.crt {path}; rm -rf {work}"


def days(first: str, last: str) -> str:
    """Dates as GNU date takes them."""
    return " ".join(
        f"-{name} $(date -u -d '{when}' +%y%m%d%H%M%SZ)"
        for name, when in (("startdate", first), ("enddate", last))
    )
