"""One deploy at a time: a lock on every machine, held by an SSH session of this run.

The lock lives as long as the connection. A controller that dies, however it dies, frees it, so
there is never a stale one; nothing is written to the machine, so ``--dry`` may hold it as well.
"""

from __future__ import annotations

import getpass
import os
import shlex
import socket
from typing import Any

from pyinfra.api import StringCommand
from pyinfra.api.exceptions import DeployError
from pyinfra.api.host import Host

# flock(1) takes any file that exists; this one does on every machine and nobody else locks it.
FILE = "/etc/machine-id"
_held: dict[str, Any] = {}


def holder() -> str:
    """Who we are, for the one who comes second; no spaces."""
    return f"homelab-deploy-by-{getpass.getuser()}@{socket.gethostname()}-pid-{os.getpid()}"


def command(sudo: bool) -> str:
    """Says "held" and waits for its standard input to end; else tells who holds it."""
    name = shlex.quote(holder())
    hold = f"flock -n {FILE} sh -c 'echo held; cat >/dev/null' {name}"
    tell = "ps -eo args | grep -o 'homelab-deploy-by-[A-Za-z0-9_.@-]*' | head -n 1"
    script = f'{hold} || {{ echo "busy $({tell})"; }}'
    return f"{'sudo -n ' if sudo else ''}sh -c {shlex.quote(script)}"


def acquire(host: Host) -> None:
    """Take the lock on ``host``; DeployError if somebody else deploys or sudo is not allowed."""
    client = getattr(host.connector, "client", None)
    if client is None or host.name in _held:
        return  # no SSH, no second deployer: @local and the planning tests
    channel = client.get_transport().open_session()
    channel.exec_command(command(bool(host.data.get("_sudo"))))
    said = channel.makefile("r").readline().strip()
    if said == "held":
        _held[host.name] = channel
        return
    if said.startswith("busy"):
        who = said.removeprefix("busy").strip() or "somebody"
        raise DeployError(f"{host.name}: another deploy is at work ({who}). Wait for it to end.")
    error = channel.makefile_stderr("r").readline().strip()
    user = host.data.get("ssh_user")
    raise DeployError(
        f"{host.name}: {user!r} may not use sudo without a password ({error or 'no answer'}). "
        f"Allow it (echo '{user} ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/{user}), "
        "or log in as root."
    )


def release() -> str:
    """Ends this run's sessions that hold the lock, whatever connection they came by.

    What waits for its input is ended, and flock with it; the name stands at the end of their lines.
    """
    ours = shlex.quote(f"held.*{holder()}$")
    return (
        f"for p in $(pgrep -f -- {ours}); do pkill -P $p cat || :; done; "
        f"for t in 1 2 3 4 5 6 7 8 9; do pgrep -f -- {ours} >/dev/null || break; sleep 0.2; done"
    )


def take_over(host: Host) -> None:
    """Hold the lock by the host's present connection.

    For a machine whose address has changed: it does not hear that the old connection is dead, and
    would keep the lock for it. Raises DeployError if somebody else was faster.
    """
    if _held.pop(host.name, None) is None:
        return
    host.run_shell_command(
        StringCommand(release()), print_output=False, print_input=False,
        _sudo=host.data.get("_sudo", False),
    )  # fmt: skip
    acquire(host)
