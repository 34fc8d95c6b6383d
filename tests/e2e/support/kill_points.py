"""Moments at which a deploy is killed, in the order in which a deploy comes by."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.support.etcd import PKI as ETCD_PKI
from tests.e2e.support.pyinfra import Running
from tests.e2e.support.rig import Rig

Reached = Callable[[], bool]
Watch = Callable[[Rig, Running], Reached]


@dataclass(frozen=True)
class KillPoint:
    """``watch`` makes the question whether the moment is there; asked 20 times a second.

    ``power``: the machine that loses its power at the same moment. A dead controller leaves its
    last script running on the machine; a dead machine leaves it half done.
    ``tear``: a file that is cut in half on that machine, as a machine that dies may leave it.
    """

    name: str
    watch: Watch
    long: bool = True  # only with --all
    power: str | None = None
    tear: tuple[str, str] | None = None  # machine, path


def said(text: str) -> Watch:
    """The deploy's output holds ``text``."""
    return lambda rig, running: lambda: text in running.said()


def wrote(machine: str, path: str) -> Watch:
    """A file is there on a machine; seen through the process tree, so within milliseconds."""

    def watch(rig: Rig, running: Running) -> Reached:
        root = Path(f"/proc/{rig.lab.pid(machine)}/root")
        return lambda: (root / path.lstrip("/")).exists()

    return watch


def announced(machine: str) -> Watch:
    """etcd knows of a member on ``machine`` that is no voter yet, and no etcd runs there."""

    def watch(rig: Rig, running: Running) -> Reached:
        peer = f"https://{rig.address(machine)}:2380"
        first = rig.lab.pid(rig.control_planes[0])
        pki = f"/proc/{first}/root{ETCD_PKI}"
        ask = [
            *("nsenter", f"--net=/proc/{first}/ns/net", "--"),
            *("env", "ETCDCTL_API=3", f"/proc/{first}/root/usr/local/bin/etcdctl"),
            *("--endpoints=https://127.0.0.1:2379", "--command-timeout=1s"),
            *(f"--cacert={pki}/ca.crt", f"--cert={pki}/healthcheck-client.crt"),
            *(f"--key={pki}/healthcheck-client.key", "member", "list"),
        ]

        def reached() -> bool:
            if not Path(pki, "healthcheck-client.key").exists():
                return False
            listed = subprocess.run(ask, capture_output=True, text=True, check=False).stdout
            return any(peer in line and "unstarted" in line for line in listed.splitlines())

        return reached

    return watch


def both(first: Watch, second: Watch) -> Watch:
    """``second`` is asked once ``first`` holds: for questions that cost."""

    def watch(rig: Rig, running: Running) -> Reached:
        one, other = first(rig, running), second(rig, running)
        return lambda: one() and other()

    return watch


MANIFESTS = "/etc/kubernetes/manifests"
PKI = "/etc/kubernetes/pki"

KILL_POINTS = [
    KillPoint("preflight", said("preflight")),
    KillPoint("first-ca-written", wrote("cp1", f"{PKI}/ca.crt")),
    KillPoint("certificate-half-written", wrote("cp1", f"{PKI}/apiserver.crt"), long=False,
              tear=("cp1", f"{PKI}/apiserver.crt")),
    KillPoint("first-kubeconfig-written", wrote("cp1", "/etc/kubernetes/admin.conf")),
    KillPoint("mid-init", wrote("cp1", f"{MANIFESTS}/etcd.yaml"), long=False),
    KillPoint("first-api-server-starts", wrote("cp1", f"{MANIFESTS}/kube-apiserver.yaml")),
    KillPoint("second-gets-its-certificates", wrote("cp2", f"{PKI}/apiserver.crt"), power="cp2"),
    KillPoint("member-announced", announced("cp2"), long=False),
    KillPoint("learner-starts", wrote("cp2", f"{MANIFESTS}/etcd.yaml")),
    KillPoint("second-api-server-starts", wrote("cp2", f"{MANIFESTS}/kube-apiserver.yaml")),
    KillPoint("member-announced-and-machine-dead", announced("cp3"), power="cp3"),
    KillPoint("third-api-server-starts", wrote("cp3", f"{MANIFESTS}/kube-apiserver.yaml")),
    KillPoint("worker-joins", wrote("w1", "/etc/kubernetes/kubelet.conf")),
]  # fmt: skip
