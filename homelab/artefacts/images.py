"""The container images of a site's cluster, by kubeadm's and Cilium's own lists.

kubeadm's etcd and CoreDNS tags move with patch releases. Those here are what
``kubeadm config images list`` said for the pinned versions; collecting a bundle asks the collected
kubeadm again (homelab/artefacts/kubeadm.py) and follows it, and from a bundle the tag that it holds
is taken. No SHA-256 of a tar can be known before it is made: the manifest must have it.
"""

from __future__ import annotations

from homelab import versions
from homelab.artefacts import checksums, location
from homelab.artefacts.artefact import Artefact
from homelab.artefacts.manifest import Manifest
from homelab.site.model import Site

# minor -> (etcd, CoreDNS). 1.20: constants.go of v1.20.2. 1.34: constants.go of the 1.34 branch at
# 3.6.5-0, the patch release was not seen. 1.35 and 1.36: clusters of 1.35.8 and 1.36.4 that people
# published.
TAGS = {
    20: ("3.4.13-0", "1.7.0"),
    34: ("3.6.5-0", "v1.12.1"),
    35: ("3.6.6-0", "v1.13.1"),
    36: ("3.6.8-0", "v1.14.2"),
}
UNKNOWN = "unknown"
CONTROL_PLANE = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
WHY = "a tar is made when it is collected; the bundle's manifest has its SHA-256"
OWN = "homelab.local"  # images that a bundle brings of its own: the lab's pods for checks

# `cilium status` of clusters with chart 1.20.1: name -> (tag, digest of the multi-platform index).
CILIUM = {
    "quay.io/cilium/cilium": (
        "v1.20.1",
        "sha256:ae9ea21f7427fe24bc6ea7247eb552157a1b0a431744045d3f641545ca71d11b",
    ),
    "quay.io/cilium/operator-generic": (
        "v1.20.1",
        "sha256:6c3885fc7b629099fdbe2a5c87869c86feb825fa18fae299eac0f61918d16ecf",
    ),
    "quay.io/cilium/cilium-envoy": (
        "v1.37.5-1786810558-766ccfb37260a43e9d228837aa84ce3faf9f64e7",
        "sha256:75b8094c7127736a2ffd2dce3945e0931cb6df21b0372ff661940eca26730b91",
    ),
}
HUBBLE = {
    "quay.io/cilium/hubble-relay": (
        "v1.20.1",
        "sha256:59be0ae7d475ab9011a5e954618c0f27b5778b17140381425b308b55ba4917f4",
    ),
    "quay.io/cilium/hubble-ui": (
        "v0.13.5",
        "sha256:f7d514fc54d784ed6df9d58cf0e97648b143f92b766dd1780ed3fc845bd4c516",
    ),
    "quay.io/cilium/hubble-ui-backend": (
        "v0.13.5",
        "sha256:fac0c300ae119274edca11fd89b1ad23c788792d8bc4ea2ba631c709e8d3c688",
    ),
}


def file(name: str, tag: str) -> str:
    """Where an image's tar lies: ``images/registry.k8s.io/pause_3.10.tar``.

    A registry's port is set off by an underscore too.
    """
    return f"images/{name.replace(':', '_')}_{tag}.tar"


def image(reference: str, digest: str | None = None) -> Artefact:
    """``registry.k8s.io/pause:3.10`` as an artefact."""
    name, _, tag = reference.rpartition(":")
    return Artefact(name, tag, file(name, tag), "image", None, None, (), WHY, digest)


def needed_images(site: Site, manifest: Manifest | None = None) -> tuple[Artefact, ...]:
    """All images that the nodes of a site run, tars in a bundle or mirror.

    ``manifest`` as for :func:`homelab.artefacts.table.needed`. A tag that nobody could tell is
    ``unknown``, and missing in any bundle.
    """
    held = location.manifest(site) if manifest is None else manifest
    images = [image(reference) for reference in _kubeadm(site, held)]
    if site.kubernetes.cni == "cilium":
        images += [image(f"{name}:{tag}", digest) for name, (tag, digest) in _cilium(site).items()]
    images += [_own(path) for path in held.below(f"images/{OWN}")]
    return tuple(images)


def repository(site: Site) -> str:
    """Where kubeadm's images come from."""
    declared = site.kubernetes.image_repository
    return declared or versions.default_repository(site.kubernetes.version)


def coredns(site: Site) -> str:
    """CoreDNS' name: it lies a folder deeper in the default registry, from 1.21.

    GetDNSImage in https://github.com/kubernetes/kubernetes/blob/v1.36.0/cmd/kubeadm/app/images/images.go
    """
    version, where = site.kubernetes.version, repository(site)
    deeper = where == versions.default_repository(version) and versions.minor(version) > 20
    return f"{where}/coredns/coredns" if deeper else f"{where}/coredns"


def _kubeadm(site: Site, held: Manifest) -> list[str]:
    version, where = site.kubernetes.version, repository(site)
    etcd_tag, coredns_tag = TAGS.get(versions.minor(version), (UNKNOWN, UNKNOWN))
    names = [f"{where}/{name}:v{version}" for name in CONTROL_PLANE]
    if site.kubernetes.kube_proxy:
        names.append(f"{where}/kube-proxy:v{version}")
    names.append(versions.pause_image(version, site.kubernetes.image_repository))
    names.append(_tagged(f"{where}/etcd", etcd_tag, held))
    if site.kubernetes.coredns:
        names.append(_tagged(coredns(site), coredns_tag, held))
    return names


def _tagged(name: str, tag: str, held: Manifest) -> str:
    """The name with the table's tag; with the bundle's, if that is the only one it has."""
    prefix = file(name, "").removesuffix(".tar")
    folder = prefix.rpartition("/")[0]
    paths = [p for p in held.below(folder) if p.startswith(prefix) and "/" not in p[len(prefix) :]]
    if file(name, tag) not in paths and len(paths) == 1:
        tag = paths[0].removeprefix(prefix).removesuffix(".tar")
    return f"{name}:{tag}"


def _cilium(site: Site) -> dict[str, tuple[str, str]]:
    assert CILIUM["quay.io/cilium/cilium"][0] == f"v{checksums.newest('cilium')}"
    return CILIUM | HUBBLE if site.kubernetes.hubble else dict(CILIUM)


def _own(path: str) -> Artefact:
    name, _, tag = path.removeprefix("images/").removesuffix(".tar").rpartition("_")
    return image(f"{name}:{tag}")
