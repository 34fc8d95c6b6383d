"""What makes a machine able to run pods: artefacts, runtime, kubelet's unit, pod network."""

from __future__ import annotations

from deploys import conditions
from deploys.run import Run
from homelab.artefacts import location, table
from homelab.artefacts.artefact import Artefact
from homelab.documents.cni_bridge import cni_bridge
from homelab.documents.kubelet import kubelet
from homelab.documents.pod_routes import pod_routes
from homelab.documents.runtime import runtime
from homelab.site.model import Machine, Site
from operations import artefacts, gate, layer


def pinned(site: Site, wanted: tuple[Artefact, ...]) -> list[artefacts.Pinned]:
    """Each artefact with its hash and its source: a URL, or a file of the bundle."""
    folder = location.folder(site)
    return [
        artefacts.Pinned(
            item,
            location.checksum(site, item),
            str(folder / item.path) if folder else location.url(site, item),
        )
        for item in wanted
    ]


def install_artefacts(run: Run, machine: Machine) -> None:
    """The pinned binaries."""
    wanted = pinned(run.site, table.needed(run.site, machine))
    artefacts.install(name="Artefacts: binaries", wanted=wanted)


def run_runtime(run: Run, machine: Machine) -> None:
    """Container runtime and kubelet's unit. On a member, ``kubernetes/rolling.py`` does it."""
    if run.phase(machine) == "ours":
        return
    traits = run.traits(machine)
    engine, unit = runtime(run.site, machine, traits), kubelet(run.site, machine, traits)
    if run.differs(machine, engine):
        layer.apply(name="Runtime: container runtime", layer=engine)
        gate.passed(
            name="Runtime: gate",
            gate="runtime",
            conditions=[conditions.runtime(run.site)],
            seconds=30,
        )
    if run.differs(machine, unit):
        layer.apply(name="Runtime: kubelet's unit", layer=unit)


def load_images(run: Run, machine: Machine) -> None:
    """The bundle's images; from upstream or a mirror the runtime pulls them itself."""
    if run.site.artefacts.source == "bundle":
        wanted = pinned(run.site, table.needed_images(run.site))
        artefacts.load_images(name="Artefacts: images", wanted=wanted)


def configure_pod_network(run: Run, machine: Machine) -> None:
    """CNI ``bridge``: plugins' configuration, and routes to the other machines' pods."""
    if run.site.kubernetes.cni != "bridge":
        return
    plugins, routes = cni_bridge(run.site, machine), pod_routes(run.site, machine)
    if run.differs(machine, plugins):
        layer.apply(name="Pod network: bridge", layer=plugins)
    if run.differs(machine, routes):
        layer.apply(name="Pod network: routes to the other machines' pods", layer=routes)
