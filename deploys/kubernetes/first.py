"""The first control plane; the others' certificates and kubelets start beside it."""

from __future__ import annotations

from deploys import conditions, layers
from deploys.run import Run
from homelab.documents.serving import serving
from homelab.site import derived
from homelab.site.model import Machine
from operations import gate, kubeadm, layer


def write_configuration(run: Run, machine: Machine) -> None:
    """kubeadm's configuration and the API server's files, on a control plane that is not one yet."""
    initial = run.surveys[machine.name].etcd_initial
    layer.apply(
        name="Control planes: configuration",
        layer=layers.control_plane(run, machine, "" if run.founding else initial),
    )
    approver = serving(run.site, machine)
    if run.differs(machine, approver):
        layer.apply(name="Control planes: approval of serving certificates", layer=approver)


def create_authorities(run: Run, machine: Machine) -> None:
    """The cluster's CAs on the first machine, their copies on the other control planes."""
    site = run.site
    if run.founding and machine == run.anchor:
        kubeadm.create_authority(name="First control plane: certificate authorities", site=site.name)
    else:
        kubeadm.share_authority(
            name="Control planes: certificate authorities, copied",
            site=site.name,
            source=run.anchor.name,
        )


def start_nodes(run: Run, machine: Machine) -> None:
    """Kubelets on all new control planes at once; on the first one everything."""
    founds = run.founding and machine == run.anchor
    kubeadm.start_node(
        name="First control plane: start, and the others' kubelets",
        static_pods=founds,
        patches=run.patches,
    )
    if founds:
        gate.passed(
            name="First control plane: gate",
            gate="first control plane",
            conditions=[conditions.own_api(run.site), conditions.balanced_api(run.site),
                        conditions.node_registered(machine)],  # fmt: skip
            seconds=run.site.timings.gate_s,
        )
        kubeadm.record_cluster(
            name="First control plane: the cluster's own records and addons",
            site=run.site.name,
            addons=layers.addons_of(run.site),
        )


def is_new(run: Run, machine: Machine) -> bool:
    return machine in derived.control_planes(run.site) and run.phase(machine) != "ours"
