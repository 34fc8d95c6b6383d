"""Names of a VRP switch's ports, in whatever spelling.

The types and their short forms are those of ``display interface brief`` and ``display lldp
neighbor brief``: S5700 writes GigabitEthernet0/0/7 and GE0/0/7, CloudEngine 10GE1/0/1.
"""

from __future__ import annotations

import re

# Each type as the S series writes it in full, and its other spellings.
TYPES = {
    "Ethernet": ("Eth",),
    "GigabitEthernet": ("GE", "Gi", "G", "Gig"),
    "MultiGE": (),
    "XGigabitEthernet": ("XGE", "10GE", "TenGigE"),
    "25GE": (),
    "40GE": (),
    "100GE": (),
}
_BY_SPELLING = {
    spelling.lower(): name for name, short in TYPES.items() for spelling in (name, *short)
}
_PORT = re.compile(
    rf"({'|'.join(sorted(map(re.escape, _BY_SPELLING), key=len, reverse=True))})"
    r" ?(\d{1,2}/\d{1,2}/\d{1,3})",
    re.IGNORECASE,
)


def port(text: str) -> str | None:
    """The one spelling to compare by, "GigabitEthernet0/0/7"; None if it is no port's name."""
    found = _PORT.fullmatch(text.strip())
    if not found:
        return None
    number = "/".join(str(int(part)) for part in found[2].split("/"))
    return f"{_BY_SPELLING[found[1].lower()]}{number}"


def split(name: str) -> tuple[str, str]:
    """Type and number of a port in any spelling, ("GigabitEthernet", "0/0/7"); ValueError else."""
    found = _PORT.fullmatch(name.strip())
    if not found:
        raise ValueError(f"{name!r} is no port of a VRP switch")
    return found[1], found[2]
