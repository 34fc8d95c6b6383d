"""A chart released by helm, which runs on this controller, when something changed.

What is released is told by helm's own history: the description of a revision is our mark, a digest
of chart and values. So nothing is kept beside the cluster, and a rollback by hand is noticed.

While helm waits, all else goes on: pyinfra's command has gevent's ``subprocess`` in place of
Python's (pyinfra_cli/__init__.py, ``monkey.patch_all``).

A run that is killed takes its helm along (``setpriv --pdeathsig``) and leaves a revision
"pending-…", at which helm refuses any further work. Only one deploy runs at a time
(operations/lock.py), so such a revision belongs to nobody: it is forgotten, and what it has made so
far is taken over by the next one.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gevent
from pyinfra import host, logger
from pyinfra.api import FunctionCommand, StringCommand, operation
from pyinfra.api.exceptions import DeployError

from operations.kubeadm import KUBECTL

ASK_S = 20  # for a question to the cluster
TELL_S = 30  # between two lines that say that it still goes on
LAST_LINES = 5


@dataclass(frozen=True)
class Helm:
    """The program and its way to the cluster. No secret is in argv: the kubeconfig has the key.

    ``server`` (``https://192.168.10.10:8443``) stands in for the kubeconfig's, whose name the
    controller may not resolve; ``server_name`` is what the certificate is checked against.
    ``home`` keeps a person's own helm repositories, plugins and settings out of this.
    """

    program: Path
    kubeconfig: Path
    server: str
    server_name: str
    home: Path

    def argv(self, *words: str) -> list[str]:
        """The whole command line; helm dies with us, where Linux can arrange it."""
        setpriv = shutil.which("setpriv")
        bound = [setpriv, "--pdeathsig", "KILL"] if setpriv else []
        way = (
            f"--kubeconfig={self.kubeconfig}",
            f"--kube-apiserver={self.server}",
            f"--kube-tls-server-name={self.server_name}",
        )
        return [*bound, str(self.program), *words, *way]

    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("HELM_", "KUBE"))}
        return kept | {f"HELM_{w}_HOME": str(self.home / w.lower()) for w in HOMES}


HOMES = ("CACHE", "CONFIG", "DATA")


@dataclass(frozen=True)
class Release:
    """One chart with its values; ``chart`` is a file that was verified to have ``chart_sha256``."""

    name: str
    namespace: str
    chart: Path
    chart_sha256: str
    values: str = field(repr=False)

    @property
    def mark(self) -> str:
        """Identifies chart and values, in the cluster's own record of the release."""
        digest = hashlib.sha256(f"{self.chart_sha256}\n{self.values}".encode()).hexdigest()
        return f"homelab {digest}"


@dataclass(frozen=True)
class Revision:
    """One line of ``helm history``; ``status``: deployed, superseded, failed, pending-install, …"""

    number: int
    status: str
    description: str


def history(helm: Helm, name: str, namespace: str) -> list[Revision]:
    """The release's revisions, oldest first; empty if there is none, or nobody answers."""
    words = ("history", name, f"--namespace={namespace}", "--output=json")
    try:
        done = subprocess.run(
            helm.argv(*words), env=helm.environment(), capture_output=True, timeout=ASK_S
        )
        found = json.loads(done.stdout) if done.returncode == 0 else []
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return []  # upgrade() will say what is wrong
    return [Revision(item["revision"], item["status"], item["description"]) for item in found]


def upgrade(helm: Helm, wanted: Release, seconds: int, undo: bool) -> None:
    """Install or upgrade, and wait until all of it is ready; DeployError with helm's last words.

    ``undo``: on failure go back to the revision before. Not on a first try: what there is then
    tells a person why, and the next run goes on from it.
    """
    words = ["upgrade", wanted.name, str(wanted.chart), f"--namespace={wanted.namespace}"]
    words += ["--install", "--create-namespace", "--reset-values", "--values=-", "--history-max=5"]
    words += [f"--description={wanted.mark}", "--wait", f"--timeout={seconds}s"]
    words += ["--atomic"] if undo else []
    ticker = gevent.spawn(_tell, wanted.name, seconds)
    try:
        done = subprocess.run(
            helm.argv(*words), env=helm.environment(), input=wanted.values.encode(),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
    except OSError as error:
        raise DeployError(f"helm can't be run: {helm.program}: {error.strerror}") from None
    finally:
        ticker.kill()
    if done.returncode:
        said = [line for line in done.stdout.decode(errors="replace").splitlines() if line.strip()]
        raise DeployError(
            f"release {wanted.name}: {' | '.join(said[-LAST_LINES:]) or 'helm said nothing'}; "
            f"look at: {KUBECTL} -n {wanted.namespace} get pods -o wide, on a control plane"
        )


@operation()
def release(
    helm: Helm, wanted: Release, seconds: int
) -> Generator[StringCommand | FunctionCommand, None, None]:
    """Have the release as wanted. On a host that can use kubectl as admin; helm runs here.

    .. code:: python

        helm.release(name="Pod network: Cilium", helm=..., wanted=Release(...), seconds=600)
    """
    known = history(helm, wanted.name, wanted.namespace)
    if known and (known[-1].status, known[-1].description) == ("deployed", wanted.mark):
        host.noop(f"release {wanted.name} is as wanted, revision {known[-1].number}")
        return
    for revision in known:
        if revision.status.startswith("pending"):
            secret = f"sh.helm.release.v1.{wanted.name}.v{revision.number}"
            yield StringCommand(f"{KUBECTL} -n {wanted.namespace} delete secret {secret}")
    undo = any(revision.status == "deployed" for revision in known)
    yield FunctionCommand(_upgrade_here, [helm, wanted, seconds, undo], {})


def _tell(name: str, seconds: int) -> None:
    """It can take minutes: images are pulled on every node."""
    for waited in range(TELL_S, seconds + TELL_S, TELL_S):
        gevent.sleep(TELL_S)
        logger.info(f"    release {name}: waiting for its pods, {waited} of at most {seconds} s")


# pyinfra gives "state" and "host" by name, and then takes False for a failure; an exception would
# come with a traceback.
def _upgrade_here(state: Any, host: Any, *arguments: Any) -> bool:
    try:
        upgrade(*arguments)
    except DeployError as error:
        logger.error(f"{host.print_prefix}{error}")
        return False
    return True
