"""Change a machine's network over that same network: on trial, proven from here, then kept.

The machine proves what it can see by itself (``homelab/documents/network_trial.sh``); that it can
be reached is for the controller to prove, by a new login. Without that the machine takes its old
network back, whatever becomes of the controller.
"""

from __future__ import annotations

import base64
import io
import re
import tarfile
import time
from collections.abc import Generator
from dataclasses import dataclass

import gevent
from paramiko import SSHException
from pyinfra import host, logger
from pyinfra.api import FunctionCommand, StringCommand, operation
from pyinfra.api.exceptions import PyinfraError
from pyinfra.api.host import Host
from pyinfra.api.state import State
from pyinfra.connectors.base import BaseConnector

from facts.layer import APPLIED, Layers, differences
from homelab.documents.document import Layer
from homelab.documents.probes import Probe
from homelab.documents.trial import KEEP, SCRIPT
from operations import lock

PACE_S = 1.0
BACK_S = 100  # taking the old network back: at most 60 s for the gateway, then a restart
LOGIN_S = 30  # a login on an emulated machine takes seconds


@dataclass(frozen=True)
class Trial:
    """A network to try. ``addresses``: where SSH may answer, the new one first."""

    layer: Layer
    names: tuple[str, ...]  # interfaces that it makes
    probes: tuple[Probe, ...]
    seconds: int
    addresses: tuple[str, ...]


def pack(trial: Trial) -> str:
    """What ``network_trial.sh begin`` reads, as a base64 tar."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for document in trial.layer.documents:
            _add(archive, f"new{document.path}", document.text, document.mode)
        _add(archive, f"new{APPLIED}/{trial.layer.name}", trial.layer.record, 0o644)
        _add(archive, "names", "".join(f"{name}\n" for name in trial.names), 0o600)
        _add(archive, "activate", trial.layer.activate + "\n", 0o600)
        _add(archive, "keep", KEEP, 0o600)
        for number, probe in enumerate(trial.probes, start=1):
            _add(archive, f"probes/{number:02}", probe.text(), 0o600)
    return base64.encodebytes(buffer.getvalue()).decode()


def _add(archive: tarfile.TarFile, name: str, text: str, mode: int) -> None:
    content = text.encode()
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    archive.addfile(entry, io.BytesIO(content))


@operation()
def try_out(trial: Trial) -> Generator[StringCommand | FunctionCommand, None, None]:
    """Bring ``trial.layer`` into force, if the machine and the controller can prove it.

    Else the step fails, with the check that failed, and the machine has its old network back.

    .. code:: python

        network.try_out(name="Network: bond and address, on trial", trial=trial)
    """
    reasons = differences(trial.layer, host.get_fact(Layers, layers=[trial.layer])["network"])
    if not reasons:
        host.noop("the network is as declared")
        return
    host.log("; ".join(reasons[:4]) + ("; …" if len(reasons) > 4 else ""))
    yield StringCommand(f"{SCRIPT} begin {trial.seconds}", _stdin=pack(trial))
    yield FunctionCommand(prove, [trial], {})


def prove(state: State, host: Host, trial: Trial) -> bool:
    """Log in until the machine says how it went; confirm what it has found sound.

    False, with the reason told, if it was not kept. (pyinfra takes the result of a function with
    these two arguments; an exception would be told with its traceback.)
    """
    began = time.monotonic()
    told = ""
    while time.monotonic() - began < trial.seconds + BACK_S:
        for address in trial.addresses:
            # It may work, but not where it was promised: only the new address confirms.
            question = "confirm" if address == trial.addresses[0] else "verdict"
            said = ask(state, host, address, question)
            if said is None:
                continue
            if said.startswith(("confirmed", "taken back")) and (
                lost := follow(state, host, address)
            ):
                logger.error(f"{host.name}: network: {said}, but {lost}. Run it again")
                return False
            if said.startswith("confirmed"):
                host.log(f"kept: proven by a new login at {address}")
                return True
            if said.startswith("taken back"):
                logger.error(failure(host.name, said))
                return False
            if said != told and said.startswith("trial: waiting"):
                host.log(f"{said} ({time.monotonic() - began:.0f} s)")
            told = said
        time.sleep(PACE_S)
    logger.error(
        f"{host.name}: network: nobody answers at {' or '.join(trial.addresses)}, though the "
        f"machine should have its old network back by now. Last it said: {told or 'nothing'}. "
        "Look at its console (docs/bonding.md)"
    )
    return False


def failure(name: str, said: str) -> str:
    """The machine's verdict as the deploy's last line."""
    why = re.sub(r"^taken back \S+: ", "", said)
    return f"{name}: network: the new one was taken back, the old one is in force. Failed: {why}"


def ask(state: State, host: Host, address: str, question: str) -> str | None:
    """The last line of the machine's answer over a new connection; None if it can't be reached."""
    connector = at(state, host, address)
    try:
        with gevent.Timeout(LOGIN_S):
            connector.connect()
            status, output = connector.run_shell_command(
                StringCommand(f"{SCRIPT} {question}"), print_output=False, print_input=False,
                _sudo=host.data.get("_sudo", False),
            )  # fmt: skip
            connector.disconnect()
    except (PyinfraError, SSHException, OSError, EOFError, gevent.Timeout) as error:
        logger.debug(f"{host.name}: {address}: {error}")
        return None
    lines = output.stdout.strip().splitlines()
    return (lines[-1] if lines else "") if status else None


def at(state: State, host: Host, address: str) -> BaseConnector:
    """A connector of the host's own kind that goes to ``address``."""
    connector = type(host.connector)(state, host)
    connector.data["ssh_hostname"] = address
    return connector


def follow(state: State, host: Host, address: str) -> str:
    """From now on this run talks to the machine at ``address``; else why not, or ""."""
    connector = at(state, host, address)
    try:
        connector.connect()
        host.connector = connector
        lock.take_over(host)
    except (PyinfraError, SSHException, OSError, EOFError) as error:
        return str(error) or type(error).__name__
    return ""
