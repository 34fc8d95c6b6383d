"""A ruleset that shuts us out must not stay: it is kept only after a new connection has come in."""

from __future__ import annotations

from collections.abc import Generator

from pyinfra import host
from pyinfra.api import FunctionCommand, StringCommand, operation
from pyinfra.api.exceptions import DeployError

from facts.layer import Layers, differences
from homelab.documents.document import Layer
from homelab.documents.firewall import CONFIRM
from operations import layer as layers


@operation()
def apply(layer: Layer) -> Generator[StringCommand | FunctionCommand, None, None]:
    """Load the rules on trial, log in anew, and only then keep them; else they roll back alone."""
    if not differences(layer, host.get_fact(Layers, layers=[layer])[layer.name]):
        host.noop("the firewall is as declared")
        return
    yield from layers.apply._inner(layer)
    yield FunctionCommand(log_in_anew, [], {})
    yield StringCommand(CONFIRM)


def log_in_anew() -> None:
    """Prove that a new SSH connection gets through; the old one would survive any ruleset.

    Raises DeployError; the rules then roll back by themselves.
    """
    connector = type(host.connector)(host.state, host)
    if not hasattr(connector, "client"):
        return  # @local: there is no connection to lose
    connector.connect()
    try:
        status, _ = connector.run_shell_command(
            StringCommand("true"), print_output=False, print_input=False
        )
    finally:
        connector.disconnect()
    if not status:
        raise DeployError(f"{host.name}: no new login through the new firewall; it rolls back")
