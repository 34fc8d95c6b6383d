"""What every document shares: its header, its YAML, and shell words."""

from __future__ import annotations

from typing import Any

import yaml

from homelab.site.model import Site


def header(site: Site, module: str, comment: str = "#") -> str:
    """The first line of every document that can hold a comment: where its text comes from."""
    return (
        f"{comment} Written by deploys/cluster.py for site {site.name!r}; "
        f"source: homelab/documents/{module}.py. Local changes are overwritten.\n"
    )


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
