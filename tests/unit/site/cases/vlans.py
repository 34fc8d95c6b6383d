"""VLANs and bridges."""

from __future__ import annotations

from homelab.site import Vlan
from tests.unit.site.cases.case import Case, one

CASES: list[Case] = [
    ("extra-vlan-range", "network.vlans[0].id", {"network.vlans": (Vlan(id=4095),)}),
    ("duplicate-vlan", "network.vlans[1].id", {"network.vlans": (Vlan(id=7), Vlan(id=7))}),
    (
        "duplicate-vlan",
        "network.vlans[0].id",
        {"network.vlan": 20, "network.vlans": (Vlan(id=20),)},
    ),
    *one("bridge-name", "network.bridge", "br 0", "lo", "bridge-of-the-rack"),
    ("bridge-name", "network.vlans[0].bridge", {"network.vlans": (Vlan(id=7, bridge=""),)}),
    *one("duplicate-bridge", "network.bridge", "bond0"),
    (
        "duplicate-bridge",
        "network.vlans[0].bridge",
        {"network.bridge": "br0", "network.vlans": (Vlan(id=7, bridge="br0"),)},
    ),
]

TOGETHER: list[Case] = [
    (
        "vlan-without-bond",
        "network.vlans",
        {"network.bonds": (), "network.vlans": (Vlan(id=7),)},
    ),
]
