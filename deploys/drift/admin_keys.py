"""Whose key is declared: the public half of the one that the site names for a machine."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from paramiko import PKey, SSHException

from homelab.site.model import Machine


def admin_keys(machine: Machine) -> frozenset[str] | None:
    """Fingerprints as ``ssh-keygen -l`` shows them; None where this controller does not know it:
    no key is named (an agent has it), or its file has a passphrase and no ``.pub`` beside it."""
    if machine.ssh_key is None:
        return None
    file = Path(machine.ssh_key).expanduser()
    try:
        words = Path(f"{file}.pub").read_text(encoding="utf-8").split()
        blob = base64.b64decode(words[1], validate=True)
    except (OSError, ValueError, LookupError):
        try:
            blob = PKey.from_path(file).asbytes()
        except (OSError, ValueError, SSHException):
            return None
    digest = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
    return frozenset({f"SHA256:{digest}"})
