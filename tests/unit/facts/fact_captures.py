"""Reads captures, and says which belong to which fact."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pyinfra.api.facts import FactBase

from facts.accounts import People
from facts.apt import AptState
from facts.bonds import Bonds
from facts.certificates import Certificates
from facts.configz import RunningKubelets
from facts.containerd import Containerd
from facts.crictl import Runtime
from facts.crio import Crio
from facts.etcd import Etcd
from facts.haproxy import HAProxy
from facts.hardware import Sensors
from facts.kernel import KernelState
from facts.keys import PrivateKeys
from facts.kubeadm import Kubeadm
from facts.kubelet import Kubelet
from facts.links import Links
from facts.lldp import Lldp
from facts.nodes import Nodes
from facts.overrides import UnitOverrides
from facts.rbac import RbacState
from facts.routes import Routes
from facts.sshd import SshdSettings
from facts.static_pods import StaticPodState
from facts.stored import Stored
from facts.time_sync import Clock
from facts.vrrp import Vrrp

FOLDER = Path(__file__).parent / "captures"

# A fact, and what the names of its captures begin with.
CAPTURES: dict[type[FactBase[Any]], tuple[str, ...]] = {
    RunningKubelets: ("configz-",),
    RbacState: ("rbac-",),
    UnitOverrides: ("overrides-",),
    StaticPodState: ("static-pods-",),
    Stored: ("stored-",),
    AptState: ("apt-",),
    Bonds: ("bonds-",),
    Certificates: ("certificates-",),
    Containerd: ("containerd-",),
    Crio: ("crio-",),
    Etcd: ("etcd-",),
    HAProxy: ("haproxy-",),
    KernelState: ("kernel-",),
    Kubeadm: ("kubeadm-",),
    Kubelet: ("kubelet-",),
    Links: ("links-",),
    Lldp: ("lldp-",),
    Nodes: ("nodes-",),
    People: ("accounts-",),
    PrivateKeys: ("keys-",),
    Routes: ("routes-",),
    Runtime: ("ctr-", "crictl-"),
    Sensors: ("hardware-",),
    SshdSettings: ("sshd-",),
    Clock: ("time-sync-",),
    Vrrp: ("vrrp-",),
}


def capture(name: str) -> list[str]:
    """The lines of ``captures/NAME.txt``, as pyinfra hands them to a fact."""
    return (FOLDER / f"{name}.txt").read_text().splitlines()


def all_captures() -> list[tuple[type[FactBase[Any]], str]]:
    """Every fact with the name of each of its captures."""
    return [
        (fact, path.stem)
        for fact, prefixes in CAPTURES.items()
        for path in sorted(FOLDER.glob("*.txt"))
        if path.name.startswith(prefixes)
    ]
