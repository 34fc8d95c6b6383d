"""Access: how SSH gets to the machines."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from pathlib import Path

from homelab.site.fault import Fault
from homelab.site.model import Site
from homelab.site.ports import ports
from homelab.site.rules.rule import machines, rule

USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}")  # useradd(8), CAVEATS


@rule
def ssh_user(site: Site) -> Iterator[Fault]:
    """The user is one that Debian's useradd would make."""
    for path, machine in machines(site):
        if not USER.fullmatch(machine.ssh_user):
            mend = "use small letters, digits, dashes and underscores, e.g. root or admin"
            yield Fault(f"{path}.ssh_user", machine.ssh_user, "is no user name", mend)


@rule
def ssh_port(site: Site) -> Iterator[Fault]:
    """A TCP port."""
    for path, machine in machines(site):
        if not 1 <= machine.ssh_port <= 65535:
            yield Fault(f"{path}.ssh_port", machine.ssh_port, "is no port", "use 1 to 65535")


@rule
def ssh_port_taken(site: Site) -> Iterator[Fault]:
    """sshd and the cluster's own ports don't meet."""
    for path, machine in machines(site, "name", "roles"):
        for port in ports(site, machine):
            low, high = port.span
            taken = port.protocol == "tcp" and low <= machine.ssh_port <= high
            if taken and port.service != "sshd":
                problem = f"is {port.service}'s port on this machine"
                yield Fault(f"{path}.ssh_port", machine.ssh_port, problem, "use 22 or another")


@rule
def ssh_key_missing(site: Site) -> Iterator[Fault]:
    """The key file is there, on the machine that runs pyinfra."""
    for path, key in _keys(site):
        mode = _mode(key)
        if mode is None or not stat.S_ISREG(mode):
            what = "is no file" if mode else "is not there"
            mend = "make one with ssh-keygen -t ed25519, or mend the path"
            yield Fault(path, key, what, mend)


@rule
def ssh_key_public(site: Site) -> Iterator[Fault]:
    """The private half is meant."""
    for path, key in _keys(site):
        if key.endswith(".pub"):
            yield Fault(path, key, "is a public key", "name the private one, without .pub")


@rule
def ssh_key_open(site: Site) -> Iterator[Fault]:
    """ssh(1) ignores a private key that others can read."""
    for path, key in _keys(site):
        mode = _mode(key)
        if mode and stat.S_ISREG(mode) and mode & 0o077 and not key.endswith(".pub"):
            problem = f"can be read by others (mode {mode & 0o777:04o})"
            yield Fault(path, key, problem, "chmod 600 it")


def _keys(site: Site) -> Iterator[tuple[str, str]]:
    for path, machine in machines(site):
        if machine.ssh_key is not None:
            yield f"{path}.ssh_key", machine.ssh_key


def _mode(file: str) -> int | None:
    try:
        return Path(file).expanduser().stat().st_mode
    except (OSError, ValueError, RuntimeError):  # no such file, a NUL in it, no such ~user
        return None
