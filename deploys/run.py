"""What all hosts of one run share: the site, what the machines are now, and this run's secrets.

pyinfra runs a deploy file once for each host. The first one to arrive here gathers for all,
in parallel; the others wait and get the same. Every problem of every machine is reported together,
and none of them is touched before all are sound.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import gevent
from gevent.lock import RLock
from pyinfra import host, inventory, logger, state
from pyinfra.api.exceptions import DeployError, PyinfraError
from pyinfra.api.host import Host
from pyinfra.context import ctx_host, ctx_state

from deploys import layers
from deploys.progress import Clock
from facts.etcd import Etcd
from facts.layer import Layers, LayerState, differences
from facts.survey import MachineSurvey
from homelab import versions
from homelab.artefacts import bundle, location
from homelab.artefacts.errors import ArtefactError
from homelab.documents import cilium, patches
from homelab.documents.document import Layer
from homelab.documents.kubeadm import RunSecrets
from homelab.documents.traits import Traits
from homelab.preflight.conditions import problems
from homelab.preflight.survey import Survey
from homelab.preflight.view import Problem
from homelab.site import derived, load_site
from homelab.site.model import Machine, Site
from operations import lock


@dataclass
class Run:
    """``anchor`` is the machine that speaks for the cluster, ``founding`` if there is none yet."""

    site: Site
    clock: Clock
    surveys: dict[str, Survey]
    secrets: RunSecrets = field(
        default_factory=lambda: RunSecrets(f"{secrets.token_hex(3)}.{secrets.token_hex(8)}")
    )
    layers: dict[tuple[str, str], LayerState] = field(default_factory=dict)
    encryption_key: str = field(default="", repr=False)
    forgotten: frozenset[str] = frozenset()  # they think they are members, the cluster does not

    @property
    def members(self) -> list[Machine]:
        """Nodes that are finished members of this site's cluster."""
        return [m for m in derived.nodes(self.site) if self.phase(m) == "ours"]

    @property
    def anchor(self) -> Machine:
        planes = derived.control_planes(self.site)
        return next((m for m in planes if self.phase(m) == "ours"), planes[0])

    @property
    def founding(self) -> bool:
        return self.phase(self.anchor) != "ours"

    @property
    def declaration(self) -> str:
        """A digest of all that is declared: it changes when any layer of any machine does."""
        digests = [layer.digest for m in self.site.machines for layer in layers.of(self, m, "")]
        if self.site.kubernetes.cni == "cilium":
            digests.append(cilium.values(self.site))
        return hashlib.sha256("\n".join(digests).encode()).hexdigest()

    @property
    def patches(self) -> str:
        """kubeadm's flag for the patches folder, where its configuration has no field for it."""
        flag = versions.patches_flag(self.site.kubernetes.version)
        return f"{flag} {patches.FOLDER}" if flag else ""

    def unfinished(self, machines: tuple[Machine, ...]) -> list[Machine]:
        """Those of ``machines`` that are not members yet."""
        return [m for m in machines if self.phase(m) != "ours"]

    def phase(self, machine: Machine) -> str:
        survey = self.surveys.get(machine.name)
        state = survey.membership(self.site.name) if survey else "none"
        return "ours-unfinished" if machine.name in self.forgotten else state

    def traits(self, machine: Machine) -> Traits:
        return self.surveys[machine.name].traits(machine.address)

    def differs(self, machine: Machine, layer: Layer) -> bool:
        """Whether the layer is not in force, as far as it was gathered before the run."""
        now = self.layers.get((machine.name, layer.name))
        return now is None or bool(differences(layer, now))


T = TypeVar("T")
_alone = RLock()
_run: list[Run] = []


def this_run(strict: bool = True) -> Run:
    """The one Run of this process; the first caller gathers and validates.

    Not ``strict``: to take something apart, only what makes that impossible is refused, and some
    machines may be missing.
    """
    with _alone:
        if not _run:
            _run.append(_gather(strict))
        return _run[0]


def this_machine() -> Machine:
    """The declaration of the host that the deploy file runs for."""
    return derived.machine(this_run().site, host.name)


def everywhere(hosts: list[Host], ask: Callable[[Host], T]) -> dict[str, T]:
    """What ``ask`` says of each host, all asked at the same time.

    Raises DeployError with what was wrong on every host where something was.
    """
    current = ctx_state.get()
    said: dict[str, T] = {}
    faults: list[str] = []

    def one(target: Host) -> None:
        with ctx_state.use(current), ctx_host.use(target):
            try:
                said[target.name] = ask(target)
            except PyinfraError as error:
                faults.append(str(error) or f"{target.name}: {type(error).__name__}")

    gevent.joinall([gevent.spawn(one, target) for target in hosts])
    _refuse(sorted(faults))
    return said


def _gather(strict: bool) -> Run:
    site = load_site(Path(host.data.site_file))
    clock = Clock(derived.out_folder(site) / "timings.json")
    hosts = sorted(
        inventory.get_active_hosts(), key=lambda h: [m.name for m in site.machines].index(h.name)
    )
    if strict:
        _refuse(_left_out(site, hosts))
    # Of two who begin at the same time, one gets the first machine, and only he asks for the rest.
    everywhere(hosts[:1], lock.acquire)
    everywhere(hosts[1:], lock.acquire)
    surveys = everywhere(hosts, lambda h: _survey(h, site))
    if strict:
        _refuse(_bundle_faults(site))
    found = problems(site, surveys)
    for warning in (problem for problem in found if not problem.fatal):
        logger.warning(f"preflight: {warning}")
    fatal = [p for p in found if p.fatal and (strict or _stops_a_reset(p))]
    _refuse([str(problem) for problem in fatal])
    run = Run(site, clock, surveys)
    run.forgotten = _forgotten(run)
    if site.kubernetes.encrypt_secrets:
        # Any member's will do (they are the same, preflight says), so that a lost file is no harm.
        having = [m for m in run.members if surveys[m.name].encrypts]
        run.encryption_key = (
            layers.read_encryption_key(inventory.get_host(having[0].name))
            if having
            else layers.new_encryption_key()
        )
    states = everywhere(
        hosts,
        lambda h: h.get_fact(Layers, layers=layers.of(run, derived.machine(site, h.name))),
    )
    run.layers = {(name, layer): s for name, by in states.items() for layer, s in by.items()}
    clock.add("Preflight", time.monotonic() - clock.start)
    state.add_callback_handler(clock)
    logger.info(
        f"preflight: {len(hosts)} machines are sound ({time.monotonic() - clock.start:.1f} s)"
    )
    return run


def _stops_a_reset(problem: Problem) -> bool:
    """Without root nothing goes; a foreign machine is never wiped, but others may be beside it."""
    named = host.data.get("machine") in (None, problem.machine)
    return problem.condition == "root" or (problem.condition == "another cluster" and named)


def _survey(target: Host, site: Site) -> Survey:
    """With this controller's time before and after, by which the machines' clocks are compared."""
    before = time.time()
    survey: Survey = target.get_fact(MachineSurvey, vip=site.api.vip)
    survey.asked, survey.answered = before, time.time()
    return survey


def _left_out(site: Site, hosts: list[Host]) -> list[str]:
    """A machine that nobody asked might be the cluster: a part of a site is never deployed."""
    there = {target.name for target in hosts}
    missing = [machine.name for machine in site.machines if machine.name not in there]
    if not missing:
        return []
    return [
        f"{', '.join(missing)}: left out of this run, but every step depends on all machines. "
        "Run it without --limit and --exclude; a dead machine is taken out by deploys/reset.py "
        "and from the site"
    ]


def _forgotten(run: Run) -> frozenset[str]:
    """Control planes that were taken out of etcd while they were away.

    A member that was removed stops for good, so only the others' member lists count; if no etcd
    answers at all (the rack has just been switched on), the machines are believed.
    """
    planes = [m for m in derived.control_planes(run.site) if run.phase(m) == "ours"]
    hosts = [inventory.get_host(m.name) for m in planes]
    lists = everywhere(hosts, lambda h: h.get_fact(Etcd).members)
    known = {url for members in lists.values() for m in members or () for url in m.peer_urls}
    if not known:
        return frozenset()
    return frozenset(m.name for m in planes if f"https://{m.address}:2380" not in known)


def _bundle_faults(site: Site) -> list[str]:
    """A bad bundle is refused by name before any machine is touched."""
    folder = location.folder(site)
    if folder is None:
        return []
    try:
        return bundle.verify(folder, bundle.everything(site))
    except ArtefactError as error:
        return [str(error)]


def _refuse(faults: list[str]) -> None:
    """All of them at once; DeployError stops pyinfra for all hosts before any change."""
    if faults:
        for fault in faults:
            logger.error(f"preflight: {fault}")
        raise DeployError(f"preflight: {len(faults)} problems, see above; nothing was changed")
