"""testinfra, and the one place that knows it: nobody maintains it since 2025."""

from __future__ import annotations

from typing import Any

import testinfra

from homelab.lab.access import SSH_OPTIONS, USER
from homelab.lab.paths import ssh_key
from tests.e2e.support.rig import Rig


def connect(rig: Rig, name: str) -> Any:
    """testinfra's host for a machine, as root."""
    options = " ".join(word for word in SSH_OPTIONS)
    return testinfra.get_host(
        f"ssh://{USER}@{rig.address(name)}",
        sudo=True,
        ssh_identity_file=str(ssh_key()),
        ssh_extra_args=options,
    )
