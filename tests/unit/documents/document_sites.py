"""Sites for the tests of documents, and their layers staged for the real checkers."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from homelab.documents.document import Document, Layer
from homelab.documents.kubeadm import RunSecrets
from homelab.documents.traits import Traits
from homelab.site.model import (
    Api,
    Bond,
    Ingress,
    Kubernetes,
    Machine,
    Network,
    Nic,
    Site,
)

RUN = RunSecrets("abcdef.0123456789abcdef", ("sha256:" + "0" * 64,))
BARE = Traits()
CONTAINER = Traits(container=True, sys_resource=False, swap_on=True)
NETWORK = Network(subnet="192.168.0.0/24", gateway="192.168.0.1", dns=("192.168.0.1",))


def lab(**changes: Any) -> Site:
    """Three control planes and a worker, in containers, behind a VIP of the control planes."""
    machines = tuple(
        Machine(
            name=f"cp{n}", address=f"192.168.0.1{n}", roles=("control_plane",), network="foreign"
        )
        for n in (1, 2, 3)
    )
    worker = Machine(name="w1", address="192.168.0.21", roles=("worker",), network="foreign")
    site = Site(
        name="lab",
        machines=(*machines, worker),
        network=NETWORK,
        api=Api(name="api.lab.internal", vip="192.168.0.100"),
        kubernetes=Kubernetes(version="1.20.2", cni="bridge"),
        ingress=Ingress(dmz="cp1"),
    )
    return site.replace(**changes)


def rack(**changes: Any) -> Site:
    """Three bonded boxes, two balancers of their own, Cilium, the newest Kubernetes."""
    boxes = tuple(
        Machine(
            name=f"x{n}",
            address=f"192.168.0.1{n}",
            roles=("control_plane", "worker"),
            nics=(Nic(mac=f"02-00-00-00-0{n}-0A"), Nic(mac=f"0200.0000.0{n}0b")),
            labels={"rack": "left"},
        )
        for n in (1, 2, 3)
    )
    doors = tuple(
        Machine(
            name=f"b{n}",
            address=f"192.168.0.3{n}",
            roles=("balancer",),
            nics=(Nic(mac=f"02:00:00:00:03:0{n}", bond=None),),
        )
        for n in (1, 2)
    )
    site = Site(
        name="rack",
        machines=(*boxes, *doors),
        network=NETWORK.replace(ntp=("192.168.0.1",), bonds=(Bond(mtu=9000),)),
        api=Api(name="api.home", vip="192.168.0.100", balancers="machines"),
        kubernetes=Kubernetes(version="1.36.4", kube_proxy=False, hubble=True),
        ingress=Ingress(dmz="b1", router="home.example.org"),
    )
    return site.replace(**changes)


def at(site: Site, version: str) -> Site:
    """The same site with another Kubernetes."""
    return site.replace(kubernetes=site.kubernetes.replace(version=version))


def text(layer: Layer, path: str) -> str:
    """The text of the layer's document at ``path``."""
    return document(layer, path).text


def document(layer: Layer, path: str) -> Document:
    return next(d for d in layer.documents if d.path == path)


def stage(layer: Layer, folder: Path) -> Path:
    """The layer's documents under their full paths below ``folder``, as on a machine."""
    for item in layer.documents:
        target = folder / item.path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(item.text)
        target.chmod(item.mode)
    return folder


def tool(name: str) -> str:
    """The checker's path. Without it the test is skipped, but CI has them all."""
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if found is None and not os.environ.get("CI"):
        pytest.skip(f"{name} is not installed")
    assert found, f"{name} is not installed: apt-get install haproxy keepalived nftables containerd"
    return found


def shell(command: str, namespace: bool = False, **environment: str) -> str:
    """Run it with sbin on the path; ``namespace``: with network and mounts of its own.

    Returns what it printed; the test fails with that text if the command fails.
    """
    words = ["sh", "-c", command]
    if namespace:
        own_user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        words = [tool("unshare"), *own_user, "--net", "--mount", *words]
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    done = subprocess.run(
        words,
        env={**os.environ, "PATH": path, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, f"rc {done.returncode} of {command}\n{done.stdout}"
    return done.stdout


def run_check(layer: Layer, folder: Path) -> str:
    """The layer's own checker, as the deploy runs it."""
    for name in ("nft", "haproxy", "keepalived", "containerd"):
        if f"{name} -" in layer.check:
            tool(name)
    return shell(layer.check, namespace=True, STAGE=str(stage(layer, folder)))
