"""A ruleset that shuts us out must not stay: it is kept only after a new connection has come in."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from pyinfra import host
from pyinfra.api import FunctionCommand, StringCommand, operation

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


def log_in_anew(*_: Any) -> bool:
    """Prove that a new SSH connection gets through; the old one would survive any ruleset."""
    connector = type(host.connector)(host.state, host)
    if not hasattr(connector, "client"):
        return True  # @local: there is no connection to lose
    connector.connect()
    try:
        status, _ = connector.run_shell_command(StringCommand("true"))
        return bool(status)
    finally:
        connector.disconnect()
