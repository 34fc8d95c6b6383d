"""The other control planes, one at a time; then workers, all at once."""

from __future__ import annotations

from pyinfra import host, inventory

from deploys import conditions, layers
from deploys.run import Run
from homelab.documents.kubeadm import RunSecrets, cluster_documents
from homelab.site import derived
from homelab.site.model import Machine
from operations import etcd, gate, kubeadm, quiet
from operations import layer as layer_operation


def joining(run: Run) -> list[Machine]:
    """Control planes that are to become members, in order; not the one that founds the cluster."""
    new = run.unfinished(derived.control_planes(run.site))
    return [m for m in new if not (run.founding and m == run.anchor)]


def join_control_plane(run: Run, machine: Machine) -> None:
    """A learner first, a voter when in sync, and only then its API server.

    What must happen to one machine at a time ends with the vote. Its API server starts while the
    next machine's etcd joins: etcd refuses that until it has seen the new member for 5 s anyway.
    """
    waiting = joining(run)[joining(run).index(machine) :]
    already = [m for m in derived.control_planes(run.site) if m not in waiting]
    others = [member.address for member in already]
    sound = conditions.sound(run.site, machine)
    gate.passed(
        name=f"Control planes: {machine.name}, gate before etcd",
        gate=f"{machine.name} before etcd",
        conditions=[
            conditions.kubelet(),
            conditions.node_registered(machine),
            conditions.others_sound(others, [m.address for m in waiting]),
        ],
        seconds=run.site.timings.gate_s,
        sound=sound,
    )
    etcd.announce(
        name=f"Control planes: {machine.name}, etcd learner announced",
        machine=machine.name,
        address=machine.address,
        others=others,
    )
    write_etcd_arguments(run, machine)
    etcd.start_and_promote(
        name=f"Control planes: {machine.name}, etcd in sync and promoted",
        address=machine.address,
        others=others,
        patches=run.patches,
        seconds=run.site.timings.gate_s,
        sound=sound,
    )
    kubeadm.start_control_plane(
        name=f"Control planes: {machine.name}, API server and its fellows", patches=run.patches
    )


def finish_control_plane(run: Run, machine: Machine) -> None:
    """All new ones at once, when the last has joined: only now are they members."""
    gate.passed(
        name="Control planes: gate",
        gate=f"control plane {machine.name}",
        conditions=[
            *conditions.etcd(run.site, len(derived.control_planes(run.site))),
            conditions.own_api(run.site),
            conditions.balanced_api(run.site),
            conditions.node_registered(machine),
        ],
        seconds=run.site.timings.gate_s,
        sound=conditions.sound(run.site, machine),
    )
    kubeadm.record_member(name="Control planes: recorded", site=run.site.name)


def write_etcd_arguments(run: Run, machine: Machine) -> None:
    """Put into kubeadm's configuration with whom this machine's etcd starts."""
    layer_operation.apply_when_known(
        name=f"Control planes: {machine.name}, etcd's first members",
        layer=lambda: layers.control_plane(run, machine, host.get_fact(etcd.InitialCluster)),
    )


def offer_token(run: Run, machine: Machine) -> None:
    """This run's bootstrap token: an hour at most, and deleted when the workers are in."""
    # By a call: pyinfra shows arguments with --debug-operations, and these hold the token.
    kubeadm.offer_token(
        name="Workers: a token for this run",
        documents=lambda: token_documents(run, machine),
    )


def token_documents(run: Run, machine: Machine) -> str:
    return cluster_documents(run.site, machine, run.secrets, False, run.traits(machine))


def join_worker(run: Run, machine: Machine) -> None:
    """TLS bootstrap, discovery pinned to the CA's public key."""
    layer_operation.apply(name="Workers: configuration", layer=layers.worker(run, machine))
    kubeadm.join_worker(
        name="Workers: join",
        site=run.site.name,
        documents=lambda: _join_documents(run, machine),
        sound=conditions.sound(run.site, machine),
    )


def withdraw_token(run: Run) -> None:
    """At the end of a run that has offered it."""
    token_id, _, _ = run.secrets.token.partition(".")
    kubeadm.withdraw_token(name="Workers: the token withdrawn", token_id=token_id)


def _join_documents(run: Run, machine: Machine) -> str:
    """Known only when the cluster has its CA."""
    anchor = inventory.get_host(run.anchor.name)
    digest = quiet.read(
        anchor,
        "openssl x509 -pubkey -noout -in /etc/kubernetes/pki/ca.crt | "
        "openssl pkey -pubin -outform der | sha256sum | cut -c1-64",
    ).strip()
    secrets = RunSecrets(run.secrets.token, (f"sha256:{digest}",))
    return cluster_documents(run.site, machine, secrets, True, run.traits(machine))


def new_workers(run: Run) -> list[Machine]:
    return run.unfinished(derived.workers(run.site))
