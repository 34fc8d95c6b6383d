"""From a site to pyinfra's groups of hosts, with the data that its SSH connector reads.

pyinfra takes every module-level list of an inventory file for a group, so a site file binds
nothing but ``_site`` and the groups: ``worker = hosts(_site, __file__, "worker")``.
"""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

from homelab.site import derived
from homelab.site.early import tell
from homelab.site.fault import SiteError
from homelab.site.load import loading
from homelab.site.model import Machine, Role, Site
from homelab.site.validate import check

Host = tuple[str, dict[str, Any]]
ANSWER_S = 2.0  # a machine on the same network answers within milliseconds, or is not there

# ssh_host_key -> pyinfra/connectors/sshuserclient/client.py, get_missing_host_key_policy
HOST_KEY_POLICY = {"known": "yes", "accept-new": "accept-new", "ignore": "no"}


def hosts(site: Site, file: str, role: Role) -> list[Host]:
    """pyinfra's group of the machines with ``role``; ``balancer``: those that run HAProxy.

    The first call validates the whole site: faults go to stderr and SystemExit(2) ends pyinfra
    before it connects anywhere.
    """
    if loading.get():
        return []  # load_site() is validating this file and will tell all faults
    return bind(site, file)[role]


def bind(site: Site, file: str) -> dict[Role, list[Host]]:
    """All groups of the site; prints the faults and raises SystemExit(2) if there are any."""
    faults = check(site, file)
    if faults:
        tell(SiteError(faults))
        raise SystemExit(2)
    return {
        "control_plane": [_host(m, file) for m in derived.control_planes(site)],
        "worker": [_host(m, file) for m in derived.with_role(site, "worker")],
        "balancer": [_host(m, file) for m in derived.balancers(site)],
    }


def _where(machine: Machine) -> str:
    """Where SSH answers: a new machine keeps its first address until its network is ours."""
    if machine.first_address is None:
        return machine.address
    try:
        socket.create_connection((machine.address, machine.ssh_port), ANSWER_S).close()
    except OSError:
        return machine.first_address
    return machine.address


def _host(machine: Machine, file: str) -> Host:
    """Name and data; all values can be written as JSON (``debug-inventory --json``)."""
    data: dict[str, Any] = {
        "ssh_hostname": _where(machine),
        "ssh_port": machine.ssh_port,
        "ssh_user": machine.ssh_user,
        "ssh_strict_host_key_checking": HOST_KEY_POLICY[machine.ssh_host_key],
        "_sudo": machine.ssh_user != "root",
        "site_file": str(Path(file).resolve()),
    }
    if machine.ssh_key is not None:
        data["ssh_key"] = str(Path(machine.ssh_key).expanduser())
    if machine.ssh_host_key == "ignore":  # else a key that changed is still refused
        data["ssh_known_hosts_file"] = "/dev/null"
    return machine.name, data
