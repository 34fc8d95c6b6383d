"""What the machines said, beside what was declared: all that the areas get to see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from homelab.documents.document import Layer
from homelab.preflight.survey import Survey
from homelab.site import derived
from homelab.site.model import Machine, Site

if TYPE_CHECKING:
    from facts.accounts import Accounts
    from facts.apt import Apt
    from facts.bonds import BondList
    from facts.certificates import CertificateList
    from facts.configz import Configz
    from facts.etcd import EtcdState
    from facts.haproxy import HAProxyState
    from facts.hardware import Hardware
    from facts.kernel import Kernel
    from facts.keys import KeyFiles
    from facts.kubeadm import KubeadmState
    from facts.kubelet import KubeletState
    from facts.layer import LayerState
    from facts.lldp import Neighbours
    from facts.nodes import NodeList
    from facts.overrides import Overrides
    from facts.rbac import Rbac
    from facts.routes import RouteTable
    from facts.sshd import Sshd
    from facts.static_pods import StaticPods
    from facts.stored import StoredSecrets
    from facts.time_sync import TimeSync
    from facts.vrrp import VrrpState


@dataclass(frozen=True)
class Facts:
    """One machine's answers; None where it was not asked, or did not answer (see ``unread``)."""

    survey: Survey | None = None
    layers: Mapping[str, LayerState] | None = None
    accounts: Accounts | None = None
    apt: Apt | None = None
    bonds: BondList | None = None
    certificates: CertificateList | None = None
    clock: TimeSync | None = None
    configz: Configz | None = None
    etcd: EtcdState | None = None
    haproxy: HAProxyState | None = None
    hardware: Hardware | None = None
    kernel: Kernel | None = None
    keys: KeyFiles | None = None
    kubeadm: KubeadmState | None = None
    kubelet: KubeletState | None = None
    lldp: Neighbours | None = None
    nodes: NodeList | None = None
    overrides: Overrides | None = None
    rbac: Rbac | None = None
    routes: RouteTable | None = None
    sshd: Sshd | None = None
    static_pods: StaticPods | None = None
    stored: StoredSecrets | None = None
    vrrp: VrrpState | None = None

    def parts(self) -> Mapping[str, object]:
        """Those that there are, by name."""
        found = {item.name: getattr(self, item.name) for item in fields(self)}
        return {name: fact for name, fact in found.items() if fact is not None}


@dataclass(frozen=True)
class Told:
    """``silent`` is why a machine said nothing at all; ``unread`` maps facts to why there is none.

    ``layers`` are what the deploy would write there now (:mod:`deploys.layers`); ``contents`` are
    the files that differ from them, as they are, by path; never one that is secret. ``packages``
    are those that the deploy relies on (:mod:`deploys.packages`). ``admin_keys`` are fingerprints
    ("SHA256:…") of the public half of ``machine.ssh_key``; None: this controller does not know it.
    """

    machine: Machine
    facts: Facts = Facts()
    silent: str = ""
    unread: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    layers: tuple[Layer, ...] = ()
    contents: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    packages: tuple[str, ...] = ()
    admin_keys: frozenset[str] | None = None

    @property
    def name(self) -> str:
        return self.machine.name


@dataclass(frozen=True)
class View:
    """All machines in the site's order. ``now`` is the controller's time, aware."""

    site: Site
    told: tuple[Told, ...]
    now: datetime

    def of(self, name: str) -> Told:
        """KeyError for a machine that the site does not have."""
        return {told.name: told for told in self.told}[name]

    @property
    def planes(self) -> tuple[Told, ...]:
        """The control planes, silent ones too."""
        names = {machine.name for machine in derived.control_planes(self.site)}
        return tuple(told for told in self.told if told.name in names)
