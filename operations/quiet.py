"""Read what must never be printed: not with -vvv, not in a log, not in a plan."""

from __future__ import annotations

from pyinfra.api import StringCommand
from pyinfra.api.exceptions import DeployError
from pyinfra.api.host import Host


def read(host: Host, command: str) -> str:
    """Standard output of ``command`` run as root on ``host``, kept in memory only.

    A fact would be echoed by ``-vvv``; this goes past pyinfra's printing. Raises DeployError,
    with standard error but without standard output.
    """
    status, output = host.run_shell_command(
        StringCommand(command), print_output=False, print_input=False,
        _sudo=host.data.get("_sudo", False),
    )  # fmt: skip
    if not status:
        raise DeployError(f"{host.name}: could not read what the others need: {output.stderr}")
    return str(output.stdout)
