"""The host phase once more, for Ansible: the same documents, written down in its usual way.

One ``copy`` for each layer's files, the packages, the units; handlers where a file has changed. A
role from the shelf has many more tasks for the same, so this is Ansible at its best.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from bench.render import machine_layers, survey
from deploys.packages import wanted
from homelab.documents.document import Layer
from homelab.documents.text import dump_yaml
from homelab.documents.traits import Traits
from homelab.site import derived, load_site
from homelab.site.model import Site

SETTINGS = """[defaults]
inventory = inventory.yml
forks = {forks}
gathering = explicit
host_key_checking = False
retry_files_enabled = False
interpreter_python = /usr/bin/python3

[ssh_connection]
pipelining = True
ssh_args = -o ControlMaster=auto -o ControlPersist=60s -o StrictHostKeyChecking=no \
-o UserKnownHostsFile=/dev/null -o LogLevel=ERROR
"""


def write(site: Site, folder: Path, traits: dict[str, Traits]) -> None:
    """ansible.cfg, inventory, playbook, and each machine's files below ``files/<machine>``."""
    hosts: dict[str, Any] = {}
    order: dict[str, Layer] = {}  # every layer that any machine has
    for machine in derived.nodes(site):
        layers = machine_layers(site, machine, traits[machine.name])
        order |= {layer.name: layer for layer in layers}
        hosts[machine.name] = {
            "ansible_host": machine.address,
            "ansible_port": machine.ssh_port,
            "ansible_user": machine.ssh_user,
            **({"ansible_ssh_private_key_file": machine.ssh_key} if machine.ssh_key else {}),
            "packages": list(wanted(site, machine, traits[machine.name].container)),
            "documents": {layer.name: _place(folder, machine.name, layer) for layer in layers},
            "units": {layer.name: list(layer.units) for layer in layers},
            "live": {layer.name: _plain(layer.live) for layer in layers if layer.live},
            "activate": {layer.name: _plain(layer.activate) for layer in layers},
        }
    (folder / "ansible.cfg").write_text(SETTINGS.format(forks=len(hosts)))
    (folder / "inventory.yml").write_text(dump_yaml({"all": {"hosts": hosts}}))
    (folder / "playbook.yml").write_text(dump_yaml([play(list(order.values()))]))


def _place(folder: Path, machine: str, layer: Layer) -> list[dict[str, str]]:
    """Write one layer's files and say where they belong."""
    placed = []
    for document in layer.documents:
        source = folder / "files" / machine / document.path.lstrip("/")
        source.parent.mkdir(parents=True, exist_ok=True)
        source.write_text(document.text)
        placed.append(
            {
                "src": str(source),
                "dest": document.path,
                "mode": f"{document.mode:04o}",
                "owner": document.owner,
                "group": document.group,
            }
        )
    return placed


def _plain(script: str) -> str:
    """The script, if Ansible's Jinja leaves it alone; ValueError if not."""
    for sign in ("{{", "{%", "{#"):
        if sign in script:
            raise ValueError(f"Ansible would take {sign} in this script for its own: {script!r}")
    return script


def play(layers: list[Layer]) -> dict[str, Any]:
    """The play over all machines; a layer that a machine does not have is an empty loop there."""
    tasks: list[dict[str, Any]] = [
        {
            # The apt module needs python3-apt, which the machines don't have.
            "name": "packages",
            "ansible.builtin.command": "dpkg-query --show {{ packages | join(' ') }}",
            "changed_when": False,
        }
    ]
    for layer in layers:
        if layer.documents:
            copy = {
                name: f"{{{{ item.{name} }}}}" for name in ("src", "dest", "mode", "owner", "group")
            }
            tasks.append(
                {
                    "name": f"{layer.name}: files",
                    "ansible.builtin.copy": copy,
                    "loop": f"{{{{ documents['{layer.name}'] | default([]) }}}}",
                    "loop_control": {"label": "{{ item.dest }}"},
                    "notify": layer.name,
                }
            )
        if layer.units:
            tasks.append(
                {
                    "name": f"{layer.name}: units",
                    "ansible.builtin.systemd_service": {
                        "name": "{{ item }}",
                        "state": "started",
                        "enabled": True,
                    },
                    "loop": f"{{{{ units['{layer.name}'] | default([]) }}}}",
                }
            )
        if layer.live:
            tasks.append(
                {
                    "name": f"{layer.name}: in force",
                    "ansible.builtin.shell": f"{{{{ live['{layer.name}'] }}}}",
                    "changed_when": False,
                    "when": f"'{layer.name}' in live",
                }
            )
    handlers = [
        {"name": layer.name, "ansible.builtin.shell": f"{{{{ activate['{layer.name}'] }}}}"}
        for layer in layers
        if layer.activate
    ]
    return {
        "hosts": "all",
        "gather_facts": False,  # no task needs one
        "become": True,
        "tasks": tasks,
        "handlers": handlers,
    }


def main(inventory: str, folder: str) -> None:
    """Ask every machine what it is, then write the folder."""
    site = load_site(inventory)
    write(site, Path(folder), {m.name: survey(m) for m in derived.nodes(site)})


if __name__ == "__main__":
    main(*sys.argv[1:])
