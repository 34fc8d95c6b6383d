"""NICs."""

from __future__ import annotations

from homelab.site import Nic
from tests.unit.site.cases.case import M0, Case, one

CASES: list[Case] = [
    *one("mac-syntax", f"{M0}.nics[1].mac", "0c:c4:7a:00:01", "", "0c:c4:7a:00:01:zz", "eth0"),
    *one("mac-syntax", f"{M0}.nics[1].mac", "0c:c4-7a:00:01:09", "0cc47a00010"),
    *one("mac-zero", f"{M0}.nics[1].mac", "00:00:00:00:00:00"),
    *one("mac-multicast", f"{M0}.nics[1].mac", "01:00:5e:00:00:01", "ff:ff:ff:ff:ff:ff"),
    *one("duplicate-mac", "machines[1].nics[0].mac", "0c:c4:7a:00:01:01", "0C-C4-7A-00-01-01"),
    *one("duplicate-mac", "machines[1].nics[0].mac", "0cc4.7a00.0101", "0cc47a000101"),
    *one("leg-twice", f"{M0}.nics[1].mac", "0c:c4:7a:00:01:01", "0CC4.7A00.0101"),
    *one("port-speed", f"{M0}.nics[1].speed_mbps", 1024, 0, -1),
    ("offload", f"{M0}.nics[1].offloads['TSO']", {f"{M0}.nics[1].offloads": {"TSO": False}}),
    *one("nics-missing", f"{M0}.nics", ()),
    (
        "foreign-bond",
        f"{M0}.nics[0].bond",
        {f"{M0}.network": "foreign", f"{M0}.nics": (Nic(mac="0cc47a000101"),)},
    ),
    *one("unknown-bond", f"{M0}.nics[1].bond", "bond1"),
    ("uplink-ambiguous", f"{M0}.nics", {f"{M0}.nics[{n}].bond": None for n in range(3)}),
]
