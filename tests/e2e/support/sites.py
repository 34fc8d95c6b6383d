"""Other sites that differ from the lab's in one thing, as inventory files of their own."""

from __future__ import annotations

from pathlib import Path

from homelab.lab.paths import REPO
from tests.e2e.support.rig import INVENTORY, Rig

TEMPLATE = """
from homelab.site import Timings, Vlan, hosts, load_site

_lab = load_site({lab!r})
_site = _lab.replace({change})

control_plane = hosts(_site, __file__, "control_plane")
worker = hosts(_site, __file__, "worker")
balancer = hosts(_site, __file__, "balancer")
"""


def changed(rig: Rig, name: str, change: str) -> Path:
    """An inventory of the lab with ``change``, as Python's keyword arguments of ``replace``.

    ``_lab`` is the site as it is.
    """
    path = rig.folder / f"{name}.py"
    path.write_text(TEMPLATE.format(lab=str(REPO / INVENTORY), change=change))
    return path
