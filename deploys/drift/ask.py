"""What each machine is asked, in two round trips: the survey decides what it should have.

A machine that has nothing to tell of etcd is not asked about it, so that "no such program" is an
answer only where the program belongs.
"""

from __future__ import annotations

from typing import Any

from pyinfra.api.facts import FactBase

from facts.accounts import People
from facts.apt import AptState
from facts.bonds import Bonds
from facts.certificates import Certificates
from facts.configz import RunningKubelets
from facts.etcd import Etcd
from facts.haproxy import HAProxy
from facts.hardware import Sensors
from facts.kernel import KernelState
from facts.keys import PrivateKeys
from facts.kubeadm import Kubeadm
from facts.kubelet import Kubelet
from facts.layer import Layers
from facts.lldp import Lldp
from facts.nodes import Nodes
from facts.overrides import UnitOverrides
from facts.rbac import RbacState
from facts.routes import Routes
from facts.sshd import SshdSettings
from facts.static_pods import StaticPodState
from facts.stored import Stored
from facts.survey import MachineSurvey
from facts.time_sync import Clock
from facts.vrrp import Vrrp
from homelab.documents.document import Layer
from homelab.documents.host import sysctls
from homelab.preflight.survey import Survey
from homelab.site import derived
from homelab.site.model import Machine, Site

Question = tuple[FactBase[Any], dict[str, Any]]


def first(site: Site) -> dict[str, Question]:
    """Of every machine, whatever it is: names are fields of homelab.drift.view.Facts."""
    return {
        "survey": (MachineSurvey(), {"vip": ""}),
        "accounts": (People(), {}),
        "apt": (AptState(), {}),
        "bonds": (Bonds(), {}),
        "overrides": (UnitOverrides(), {}),
        "routes": (Routes(), {}),
        "sshd": (SshdSettings(), {}),
    }


def second(
    site: Site, machine: Machine, survey: Survey, layers: list[Layer], speaker: bool
) -> dict[str, Question]:
    """What follows from the survey. The ``speaker`` is asked about the whole cluster."""
    traits = survey.traits(machine.address)
    asked: dict[str, Question] = {
        "layers": (Layers(), {"layers": layers}),
        "kernel": (KernelState(), {"sysctls": list(sysctls(site, machine, traits))}),
    }
    if not traits.container:
        asked |= {"clock": (Clock(), {}), "hardware": (Sensors(), {})}
    if site.switch is not None:
        asked["lldp"] = (Lldp(), {})
    if machine in derived.balancers(site) and survey.balances:
        asked |= {"haproxy": (HAProxy(), {}), "vrrp": (Vrrp(), {"vip": site.api.vip})}
    if survey.membership(site.name) != "ours":
        return asked
    asked |= {
        "certificates": (Certificates(), {}),
        "keys": (PrivateKeys(), {}),
        "kubelet": (Kubelet(), {}),
        "static_pods": (StaticPodState(), {}),
    }
    if machine in derived.control_planes(site):
        asked |= {"etcd": (Etcd(), {}), "kubeadm": (Kubeadm(), {})}
    if speaker:
        names = [m.name for m in derived.nodes(site)]
        asked |= {
            "nodes": (Nodes(), {}),
            "rbac": (RbacState(), {}),
            "configz": (RunningKubelets(), {"nodes": names}),
        }
        if site.kubernetes.encrypt_secrets:
            asked["stored"] = (Stored(), {})
    return asked
