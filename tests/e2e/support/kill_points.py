"""Moments at which a deploy is killed, in the order in which a deploy comes by."""

from __future__ import annotations

import subprocess
import time
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
    ``undo``: shell that takes something back on every machine, so that there is a step to kill.
    ``tear``: a file that is cut in half on a machine, as one that dies while writing leaves it.
    """

    name: str
    watch: Watch
    long: bool = True  # only with --all
    power: str | None = None
    undo: str = ""
    tear: tuple[str, str] | None = None  # machine, path


def starting(operation: str) -> Watch:
    """The deploy begins with an operation."""
    return lambda rig, running: lambda: f"Starting operation: {operation} " in running.said()


def wrote(machine: str, path: str) -> Watch:
    """A file was written on a machine since this run began.

    Seen from the host through the machine's root folder, so within milliseconds.
    """

    def watch(rig: Rig, running: Running) -> Reached:
        began = time.time()
        file = Path(f"/proc/{rig.lab.pid(machine)}/root") / path.lstrip("/")

        def reached() -> bool:
            try:
                return file.stat().st_mtime >= began
            except OSError:  # not there yet
                return False

        return reached

    return watch


def announced(machine: str) -> Watch:
    """etcd knows of a member on ``machine`` that has never started."""

    def watch(rig: Rig, running: Running) -> Reached:
        peer = f"https://{rig.address(machine)}:2380"
        first = rig.lab.pid(rig.control_planes[0])
        root = f"/proc/{first}/root"
        ask = [
            *("nsenter", f"--net=/proc/{first}/ns/net", "--"),
            *("env", "ETCDCTL_API=3", f"{root}/usr/local/bin/etcdctl"),
            *("--endpoints=https://127.0.0.1:2379", "--command-timeout=1s"),
            *(f"--cacert={root}{ETCD_PKI}/ca.crt", f"--cert={root}{ETCD_PKI}/server.crt"),
            *(f"--key={root}{ETCD_PKI}/server.key", "member", "list"),
        ]

        def reached() -> bool:
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


def learner(machine: str) -> Watch:
    """Between etcd's announcement of the member and its start."""
    announcing = starting(f"Control planes: {machine}, etcd learner announced")
    return both(announcing, announced(machine))


MANIFESTS = "/etc/kubernetes/manifests"
PKI = "/etc/kubernetes/pki"

KILL_POINTS = [
    KillPoint("firewall-on-trial", starting("Host: firewall, kept after a new login"),
              undo="rm /var/lib/homelab/applied/firewall"),
    KillPoint("binaries", starting("Artefacts: binaries")),
    KillPoint("first-authority-written", wrote("cp1", f"{PKI}/ca.crt")),
    KillPoint("certificate-half-written", wrote("cp1", f"{PKI}/apiserver.crt"), long=False,
              tear=("cp1", f"{PKI}/apiserver.crt")),
    KillPoint("authorities-on-their-way-and-machine-dead",
              starting("Control planes: certificates of the same authorities"), power="cp2"),
    KillPoint("mid-init", wrote("cp1", f"{MANIFESTS}/etcd.yaml"), long=False),
    KillPoint("records-and-addons",
              starting("First control plane: the cluster's records and addons")),
    KillPoint("member-announced", learner("cp2"), long=False),
    KillPoint("learner-starts", wrote("cp2", f"{MANIFESTS}/etcd.yaml")),
    KillPoint("second-api-server-starts", wrote("cp2", f"{MANIFESTS}/kube-apiserver.yaml")),
    KillPoint("member-announced-and-machine-dead", learner("cp3"), power="cp3"),
    KillPoint("third-api-server-starts", wrote("cp3", f"{MANIFESTS}/kube-apiserver.yaml")),
    KillPoint("all-vote-and-none-is-recorded", starting("Control planes: gate")),
    KillPoint("being-recorded", starting("Control planes: recorded")),
    KillPoint("workers-join", starting("Workers: join")),
    KillPoint("health", starting("Health: gate")),
]  # fmt: skip
