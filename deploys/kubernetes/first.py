"""The first control plane; the others' certificates and kubelets start beside it."""

from __future__ import annotations

from deploys import conditions, layers
from deploys.kubernetes import join
from deploys.run import Run
from homelab.documents.serving import serving
from homelab.site import derived
from homelab.site.model import Machine
from operations import gate, kubeadm, layer


def write_configuration(run: Run, machine: Machine) -> None:
    """kubeadm's configuration and the API server's files, on what is to be a control plane."""
    initial = run.surveys[machine.name].etcd_initial
    layer.apply(
        name="Control planes: configuration",
        layer=layers.control_plane(run, machine, "" if run.founding else initial),
    )


def approve_serving(run: Run, machine: Machine) -> None:
    """Who may serve under which name; nothing is interrupted by a change of it."""
    approver = serving(run.site, machine)
    if run.differs(machine, approver):
        layer.apply(name="Control planes: approval of serving certificates", layer=approver)


def create_authorities(run: Run) -> None:
    """On the first machine; an unfinished attempt of an earlier run is cleared away."""
    kubeadm.create_authority(name="First control plane: certificates", site=run.site.name)


def share_authorities(run: Run) -> None:
    """Copies of the CAs for the other control planes, and certificates signed by them."""
    kubeadm.share_authority(
        name="Control planes: certificates of the same authorities",
        site=run.site.name,
        source=run.anchor.name,
    )


def start_nodes(run: Run, machine: Machine) -> None:
    """Kubelets of all new control planes at once; on the first one the static pods too."""
    kubeadm.start_node(
        name="First control plane: start, and the others' kubelets",
        first=run.founding and machine == run.anchor,
        patches=run.patches,
        sound=conditions.sound(run.site, machine),
    )


def record_cluster(run: Run, machine: Machine) -> None:
    """When it answers: its own records, its addons. From here on the cluster exists."""
    seconds, sound = run.site.timings.gate_s, conditions.sound(run.site, machine)
    gate.passed(
        name="First control plane: gate",
        gate="first control plane",
        conditions=[conditions.own_api(run.site), conditions.balanced_api(run.site)],
        seconds=seconds,
        sound=sound,
    )
    kubeadm.record_configuration(name="First control plane: the cluster's configuration")
    # Only now may the administrator ask for anything (from 1.29).
    gate.passed(
        name="First control plane: gate of its node",
        gate="first node",
        conditions=[conditions.node_registered(machine)],
        seconds=seconds,
        sound=sound,
    )
    # For what comes with it; before the cluster exists, so that a run that is killed repeats it.
    kubeadm.offer_token(
        name="First control plane: what nodes may ask for, and a token for this run",
        documents=lambda: join.token_documents(run, machine),
    )
    kubeadm.record_cluster(
        name="First control plane: the cluster's records and addons",
        site=run.site.name,
        addons=layers.addons_of(run.site),
    )


def new_control_planes(run: Run) -> list[Machine]:
    return run.unfinished(derived.control_planes(run.site))
