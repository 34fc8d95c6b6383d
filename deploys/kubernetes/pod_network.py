"""Cilium from its pinned chart, by helm on this controller; ``bridge`` is each machine's own.

**Never run with Cilium's chart and images**, which can't be had where this was written. The same
steps run with a small chart against a real cluster (tests/unit/documents/test_cilium.py says what
is proven); what Cilium itself does with its values is read from its source
(homelab/documents/cilium.py).
"""

from __future__ import annotations

from pathlib import Path

from deploys.machine.node import pinned
from deploys.run import Run
from homelab.artefacts import table
from homelab.documents import cilium
from homelab.site import derived
from homelab.site.model import Site
from operations import controller, health, helm
from operations.artefacts import Pinned

IMAGES_S = 900  # at most, for images of some 700 MB to come to every node over a home's line


def install(run: Run) -> None:
    """On the machine that speaks for the cluster, when all nodes have joined.

    helm waits for the pods of all nodes but one (the DaemonSets' maxUnavailable); the gate of the
    health stage waits for the last node, and proves the traffic.
    """
    site = run.site
    if site.kubernetes.cni != "cilium":
        return
    folder, wanted = derived.out_folder(site), pinned(site, table.needed_on_controller(site))
    controller.fetch(name="Pod network: helm and chart", wanted=wanted, folder=str(folder))
    health.fetch_kubeconfig(
        name="Pod network: admin kubeconfig for helm",
        source="/etc/kubernetes/admin.conf",
        target=str(folder / "admin.conf"),
    )
    helm.release(
        name="Pod network: Cilium",
        helm=tool(site, folder),
        wanted=release(site, folder, wanted),
        seconds=max(IMAGES_S, site.timings.gate_s),
    )


def tool(site: Site, folder: Path) -> helm.Helm:
    """helm, by the API's address: the controller need not know its name."""
    return helm.Helm(
        program=folder / "bin/helm",
        kubeconfig=folder / "admin.conf",
        server=f"https://{site.api.vip}:{derived.balanced_port(site)}",
        server_name=site.api.name,
        home=folder / "helm",
    )


def release(site: Site, folder: Path, wanted: list[Pinned]) -> helm.Release:
    """The pinned chart with the site's values."""
    (chart,) = (item for item in wanted if item.artefact.kind == "chart")
    return helm.Release(
        name=cilium.RELEASE,
        namespace=cilium.NAMESPACE,
        chart=folder / chart.artefact.install[0].target,
        chart_sha256=chart.sha256,
        values=cilium.values(site),
    )
