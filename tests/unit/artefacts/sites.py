"""Sites for these tests, and a bundle in the lab's layout that is small."""

from __future__ import annotations

import hashlib
from pathlib import Path

from homelab.artefacts import manifest as manifests
from homelab.artefacts.manifest import Entry, Manifest
from homelab.site import Api, Artefacts, Kubernetes, Machine, Network, Site

_PLANES = [
    Machine(name=f"cp{n}", address=f"10.77.0.1{n}", roles=("control_plane",)) for n in (1, 2, 3)
]
MACHINES = (*_PLANES, Machine(name="w1", address="10.77.0.21", roles=("worker",)))
CP, WORKER = MACHINES[0], MACHINES[3]
LAB = Kubernetes(version="1.20.2", cni="bridge", coredns=False)
NEWEST = Kubernetes(version="1.36.4")
UPSTREAM = Artefacts()

# What the lab's recipes put into a bundle (homelab/lab/recipes/bundle.py).
FILES = (
    *(f"dl.k8s.io/release/v1.20.2/bin/linux/amd64/kube{name}" for name in ("adm", "ctl", "let")),
    *(f"images/k8s.gcr.io/kube-{name}_v1.20.2.tar" for name in ("apiserver", "proxy", "scheduler")),
    "images/k8s.gcr.io/kube-controller-manager_v1.20.2.tar",
    "images/k8s.gcr.io/etcd_3.4.13-0.tar",
    "images/k8s.gcr.io/pause_3.2.tar",
    "images/homelab.local/toolbox_1.tar",
    "lab.homelab/cni-plugins/1.1.1/bridge",
    "lab.homelab/cni-plugins/1.1.1/host-local",
    "lab.homelab/etcdctl/3.4.23/etcdctl",
)


def site(kubernetes: Kubernetes = LAB, artefacts: Artefacts = UPSTREAM) -> Site:
    """Three control planes and a worker."""
    return Site(
        name="test",
        machines=MACHINES,
        network=Network(subnet="10.77.0.0/24", gateway="10.77.0.1", dns=("10.77.0.1",)),
        api=Api(name="api.test", vip="10.77.0.10"),
        kubernetes=kubernetes,
        artefacts=artefacts,
    )


def bundled(folder: Path, kubernetes: Kubernetes = LAB) -> Site:
    return site(kubernetes, Artefacts(source="bundle", base=str(folder)))


def entry(content: bytes) -> Entry:
    return Entry(hashlib.sha256(content).hexdigest(), len(content))


def make_bundle(folder: Path, files: tuple[str, ...] = FILES) -> Path:
    """A sound bundle: every file holds its own name, many times."""
    entries = {}
    for path in files:
        content = f"{path}\n".encode() * 999
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
        entries[path] = entry(content)
    manifests.write(folder, Manifest(entries))
    return folder


INVENTORY = """
from homelab.site import Api, Artefacts, Kubernetes, Machine, Network, Site

_site = Site(
    name="test",
    machines=tuple(
        Machine(
            name=f"cp{n}",
            address=f"10.77.0.1{n}",
            roles=("control_plane", "worker"),
            network="foreign",
        )
        for n in (1, 2, 3)
    ),
    network=Network(subnet="10.77.0.0/24", gateway="10.77.0.1", dns=("10.77.0.1",)),
    api=Api(name="api.test", vip="10.77.0.10"),
    kubernetes=Kubernetes(version="1.20.2", cni="bridge", coredns=False),
    artefacts=Artefacts(source="bundle", base={base!r}),
)
"""


def write_inventory(file: Path, base: Path) -> Path:
    """A site file whose bundle is at ``base``."""
    file.write_text(INVENTORY.replace("{base!r}", repr(str(base))))
    return file
