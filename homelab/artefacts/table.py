"""The table: which artefacts a machine of a site needs, where they are and where they go.

Relative paths are upstream's own URLs without ``https://``; where each is documented:

=============  ====================================================================================
kubeadm, …     https://kubernetes.io/releases/download/#binaries
crictl         https://github.com/kubernetes-sigs/cri-tools/blob/master/docs/crictl.md
etcdctl        https://github.com/etcd-io/etcd/releases
cni-plugins    https://github.com/containernetworking/plugins/releases
containerd     https://github.com/containerd/containerd/blob/main/docs/getting-started.md
runc           https://github.com/opencontainers/runc/releases
cri-o          https://github.com/cri-o/packaging#using-the-static-binary-bundles-directly
helm           https://helm.sh/docs/intro/install/#from-the-binary-releases
cilium         https://docs.cilium.io/en/stable/installation/k8s-install-helm/
=============  ====================================================================================

**crictl can be missing.** No pinned crictl speaks to Kubernetes before 1.34, and the lab's
1.20 bundle has none (Debian packages none). It is ``optional`` there and left out of what
:func:`needed` returns unless the manifest lists it: a deploy must not count on it. So with
optional=True stands for "use it where it is", never for "skip its checksum".

**A bundle's own builds.** Where upstream has an archive, a bundle may hold the single files that it
built itself under ``lab.homelab/<artefact>/<version>/<file>``; :func:`needed` then names these.
"""

from __future__ import annotations

import re

from homelab import versions
from homelab.artefacts import checksums, location
from homelab.artefacts.artefact import Artefact, Install, Kind
from homelab.artefacts.images import needed_images
from homelab.artefacts.manifest import Manifest
from homelab.site.derived import nodes
from homelab.site.model import Machine, Site

__all__ = ["Artefact", "Install", "needed", "needed_images", "needed_on_controller"]

BIN = "/usr/local/bin"
CNI_BIN = "/opt/cni/bin"
CRIO_LIBEXEC = "/usr/local/libexec/crio"
OWN = "lab.homelab"
UNPINNED = "this version is not in our table; a bundle must bring it and record its SHA-256"


def needed(site: Site, machine: Machine, manifest: Manifest | None = None) -> tuple[Artefact, ...]:
    """What goes onto one machine, without images; empty for a machine that runs no kubelet.

    ``manifest`` is what the bundle or mirror has; None: ask it (:func:`location.manifest`, which
    see for errors). ValueError for a Kubernetes version that is not supported.
    """
    if machine not in nodes(site):
        return ()
    version = site.kubernetes.version
    wanted = [_kubernetes(name, version) for name in ("kubeadm", "kubelet", "kubectl")]
    wanted += [_crictl(version), _cni_plugins()]
    if "control_plane" in machine.roles:
        wanted.append(_etcdctl(version))
    if site.kubernetes.runtime == "cri-o":
        wanted.append(_crio(version))
    elif versions.containerd_series(version) == "2":  # older ones are Debian's packages
        wanted += [_containerd(), _runc()]
    held = location.manifest(site) if manifest is None else manifest
    return tuple(present for artefact in wanted for present in _as_held(artefact, held))


def needed_on_controller(site: Site) -> tuple[Artefact, ...]:
    """What the controller itself uses; targets are below the site's out folder."""
    if site.kubernetes.cni != "cilium":
        return ()
    return _helm(), _cilium_chart()


def _as_held(artefact: Artefact, held: Manifest) -> tuple[Artefact, ...]:
    """The artefact, or what a bundle has in its place."""
    if held.get(artefact.path):
        return (artefact,)
    own = list(held.below(f"{OWN}/{artefact.name}"))
    if own:
        newest = max((path.split("/")[2] for path in own), key=_numbers)
        return tuple(_own(artefact, path) for path in own if path.split("/")[2] == newest)
    return () if artefact.optional else (artefact,)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


def _own(artefact: Artefact, path: str) -> Artefact:
    """A file of a bundle's own build: it goes where the archive's member would go."""
    version, file = path.split("/")[2], path.split("/")[-1]
    folders = [place.target for place in artefact.install if not place.member]
    targets = [place.target for place in artefact.install if place.member.endswith(f"/{file}")]
    target = targets[0] if targets else f"{(folders or [BIN])[0]}/{file}"
    why = "built by the lab's recipes; the bundle's manifest has its SHA-256"
    return Artefact(file, version, path, "binary", None, None, (Install("", target),), why)


def _pinned(
    name: str,
    version: str,
    path: str,
    kind: Kind,
    *install: Install,
    component: str = "",
    optional: bool = False,
) -> Artefact:
    sha256 = checksums.SHA256[component or name].get(version)
    why = "" if sha256 else UNPINNED
    return Artefact(name, version, path, kind, sha256, None, install, why, None, optional)


def _kubernetes(name: str, version: str) -> Artefact:
    path = f"dl.k8s.io/release/v{version}/bin/linux/amd64/{name}"
    return _pinned(name, version, path, "binary", Install("", f"{BIN}/{name}"))


def _crictl(kubernetes: str) -> Artefact:
    minor = versions.minor(kubernetes)
    version = checksums.newest("crictl", f"1.{minor}.")
    file = f"crictl-v{version or f'1.{minor}.0'}-linux-amd64.tar.gz"
    path = f"github.com/kubernetes-sigs/cri-tools/releases/download/{file.split('-')[1]}/{file}"
    place = Install("crictl", f"{BIN}/crictl")
    number = version or f"1.{minor}.0"
    return _pinned("crictl", number, path, "archive", place, optional=version is None)


def _etcdctl(kubernetes: str) -> Artefact:
    """etcdctl of the server's series: kubeadm runs etcd 3.6 from 1.34, 3.5 and older before."""
    series = "3.6." if versions.minor(kubernetes) >= 34 else "3.5."
    version = checksums.newest("etcd", series) or ""
    top = f"etcd-v{version}-linux-amd64"
    path = f"github.com/etcd-io/etcd/releases/download/v{version}/{top}.tar.gz"
    place = Install(f"{top}/etcdctl", f"{BIN}/etcdctl")
    return _pinned("etcdctl", version, path, "archive", place, component="etcd")


def _cni_plugins() -> Artefact:
    version = checksums.newest("cni-plugins") or ""
    file = f"cni-plugins-linux-amd64-v{version}.tgz"
    path = f"github.com/containernetworking/plugins/releases/download/v{version}/{file}"
    return _pinned("cni-plugins", version, path, "archive", Install("", CNI_BIN))


def _containerd() -> Artefact:
    version = checksums.newest("containerd") or ""
    file = f"containerd-{version}-linux-amd64.tar.gz"
    path = f"github.com/containerd/containerd/releases/download/v{version}/{file}"
    programs = ("containerd", "containerd-shim-runc-v2", "ctr")
    places = [Install(f"bin/{name}", f"{BIN}/{name}") for name in programs]
    return _pinned("containerd", version, path, "archive", *places)


def _runc() -> Artefact:
    version = checksums.newest("runc") or ""
    path = f"github.com/opencontainers/runc/releases/download/v{version}/runc.amd64"
    return _pinned("runc", version, path, "binary", Install("", f"{BIN}/runc"))


def _crio(kubernetes: str) -> Artefact:
    """CRI-O follows Kubernetes' minor. Places as the bundle's own ``install`` script has them."""
    minor = versions.minor(kubernetes)
    version = checksums.newest("cri-o", f"1.{minor}.") or f"1.{minor}.0"
    path = f"storage.googleapis.com/cri-o/artifacts/cri-o.amd64.v{version}.tar.gz"
    places = [Install(f"cri-o/bin/{name}", f"{BIN}/{name}") for name in ("crio", "pinns")]
    helpers = ("conmon", "conmonrs", "crun", "runc")
    places += [Install(f"cri-o/bin/{name}", f"{CRIO_LIBEXEC}/{name}") for name in helpers]
    places.append(Install("cri-o/contrib/policy.json", "/etc/crio/policy.json", 0o644))
    return _pinned("cri-o", version, path, "archive", *places)


def _helm() -> Artefact:
    version = checksums.newest("helm") or ""
    path = f"get.helm.sh/helm-v{version}-linux-amd64.tar.gz"
    return _pinned("helm", version, path, "archive", Install("linux-amd64/helm", "bin/helm"))


def _cilium_chart() -> Artefact:
    version = checksums.newest("cilium") or ""
    path = f"helm.cilium.io/cilium-{version}.tgz"
    place = Install("", f"charts/cilium-{version}.tgz", 0o644)
    return _pinned("cilium", version, path, "chart", place)
