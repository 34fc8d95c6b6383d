"""What every document shares: its header, its YAML, and shell words."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from typing import Any

import yaml

from homelab.site.model import Site


def header(site: Site, module: str, comment: str = "#") -> str:
    """The first line of every document that can hold a comment: where its text comes from."""
    return (
        f"{comment} Written by deploys/cluster.py for site {site.name!r}; "
        f"source: homelab/documents/{module}.py. Local changes are overwritten.\n"
    )


def sweep(module: str, folder: str, keep: Iterable[str]) -> str:
    """Shell that removes what this module wrote below ``folder`` and no longer declares.

    By its first line, so that nobody else's file is touched, whatever its name.
    """
    known = "|".join(["''", *(shlex.quote(path) for path in keep if path.startswith(f"{folder}/"))])
    ours = f"^# Written by deploys/cluster.py for site .*; source: homelab/documents/{module}.py"
    return (
        f"grep -rlse {shlex.quote(ours)} {folder} | while read -r file; do "
        f'case "$file" in {known}) ;; *) rm -f -- "$file" ;; esac; done'
    )


def enabled(name: str) -> str:
    """Shell that enables a unit that was just written, and has systemd read it.

    ``enable`` by itself has all units read as well: a second time, on every layer.
    """
    return f"systemctl --quiet enable --no-reload {name}\nsystemctl daemon-reload\n"


class _Dumper(yaml.SafeDumper):
    """Lists indented below their key, and no anchors: as kubeadm's own examples look."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True


def dump_yaml(*documents: Any) -> str:
    """One YAML text of one or more documents, keys in the order given."""
    text = yaml.dump_all(documents, Dumper=_Dumper, sort_keys=False, default_flow_style=False)
    return str(text)


def unit(site: Site, module: str, body: str) -> str:
    """A systemd unit or drop-in with the header on top."""
    return header(site, module) + body.strip() + "\n"
