"""Reads all machines at the same time: one connection and one command for each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import gevent
from paramiko import SSHException
from pyinfra.api.command import StringCommand
from pyinfra.api.config import Config
from pyinfra.api.exceptions import PyinfraError
from pyinfra.api.host import Host
from pyinfra.api.inventory import Inventory
from pyinfra.api.state import State
from pyinfra.context import ctx_host, ctx_state

from facts.bonds import BondList, Bonds

SECONDS = 60  # for the whole command; each of its questions has ten


def read(hosts: Iterable[tuple[str, dict[str, Any]]]) -> dict[str, BondList | str]:
    """The bonds of each host (pyinfra's name and data); a string is why there is no answer.

    No machine's fault keeps the others from being read. Raises nothing for what a machine does.
    """
    inventory = Inventory((list(hosts), {}))
    state = State(inventory, Config(CONNECT_TIMEOUT=10))
    found: dict[str, BondList | str] = {}

    def one(target: Host) -> None:
        with ctx_state.use(state), ctx_host.use(target):
            try:
                found[target.name] = _ask(target)
            except (PyinfraError, SSHException, OSError, EOFError) as error:
                found[target.name] = " ".join(str(error).split()) or type(error).__name__

    targets = list(inventory)
    gevent.joinall([gevent.spawn(one, target) for target in targets], raise_error=True)
    return found


def _ask(target: Host) -> BondList:
    """Not by ``get_fact``, which says why it failed in its log only."""
    fact = Bonds()
    target.connect(show_errors=False, raise_exceptions=True)
    try:
        done, output = target.run_shell_command(
            StringCommand(fact.command()),
            _sudo=bool(target.data.get("_sudo")),
            _timeout=SECONDS,
        )
        if not done:
            lines = [line for line in output.stderr_lines if line.strip()]
            raise PyinfraError(lines[-1] if lines else "the command failed, and said nothing")
        return fact.process(output.stdout_lines)
    except TimeoutError as error:
        raise PyinfraError(f"no answer within {SECONDS} s") from error
    finally:
        target.disconnect()
