"""Take a machine out of the cluster that goes on without it."""

from __future__ import annotations

import json
from collections.abc import Generator

import yaml
from pyinfra import host
from pyinfra.api import StringCommand, operation

from operations import quiet
from operations.etcd import etcdctl, heir, leads
from operations.kubeadm import KUBECTL, claim
from operations.step import script


@operation()
def drain(node: str) -> Generator[StringCommand, None, None]:
    """Evict its pods; those that do not go within two minutes are told, and left."""
    yield StringCommand(
        f"! {KUBECTL} get node {node} -o name >/dev/null 2>&1 || "
        f"{KUBECTL} drain {node} --ignore-daemonsets --delete-emptydir-data --force "
        "--timeout=120s || "
        f"echo '{node}: some pods did not leave in time; they end with the machine'"
    )


def give_away_script(site: str, address: str) -> str:
    """Balancer first (the VIP moves within 100 ms), then etcd's leadership.

    From here on the machine says of itself that it is not a finished member, so that a deploy
    knows what to do with it if this run is killed.
    """
    own = f"timeout 10 {etcdctl([address])} --command-timeout=3s"
    return script(
        claim(site, "joining"),
        "systemctl disable --now keepalived 2>/dev/null || :",
        f"if {leads(own)}; then",
        f"  heir=$({heir(own, address)})",
        f'  [ -z "$heir" ] || {own} move-leader "$heir" || :',
        "fi",
    )


@operation()
def give_away(site: str, address: str) -> Generator[StringCommand, None, None]:
    """See :func:`give_away_script`."""
    yield StringCommand(give_away_script(site, address))


@operation()
def remove_member(machine: str, address: str) -> Generator[StringCommand, None, None]:
    """etcd's member and, up to Kubernetes 1.21, kubeadm's own list of API servers."""
    ctl = etcdctl(["127.0.0.1"])
    peer = f"https://{address}:2380"
    yield StringCommand(
        script(
            f"id=$({ctl} member list | awk -F', ' -v u={peer} '$4 == u {{print $1}}')",
            f'[ -z "$id" ] || {ctl} member remove "$id"',
        )
    )
    config = f"{KUBECTL} -n kube-system get configmap kubeadm-config"
    status = quiet.read(host, f"{config} -o jsonpath='{{.data.ClusterStatus}}'")
    patch = _without(status, machine)
    if patch:  # names and addresses only, so it may stand in argv
        yield StringCommand(
            f"patch=$(cat); {KUBECTL} -n kube-system patch configmap kubeadm-config "
            '-p "$patch" >/dev/null',
            _stdin=patch,
        )


def _without(cluster_status: str, machine: str) -> str:
    """A patch of kubeadm-config whose ClusterStatus does not name ``machine``; "" if none does."""
    status = yaml.safe_load(cluster_status) if cluster_status.strip() else None
    if not status or machine not in (status.get("apiEndpoints") or {}):
        return ""
    del status["apiEndpoints"][machine]
    return json.dumps({"data": {"ClusterStatus": yaml.safe_dump(status)}})


@operation()
def delete_node(node: str) -> Generator[StringCommand, None, None]:
    """Its pods are then made anew elsewhere."""
    yield StringCommand(f"{KUBECTL} delete node {node} --ignore-not-found")
