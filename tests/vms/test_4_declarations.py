"""Bonds drawn at random, all at once in one VM: networkd loads each, and the kernel has it so."""

from __future__ import annotations

import base64
import random

import pytest

from homelab.documents.bonds import in_force, netdev, udev_rules
from homelab.site.model import Bond, Nic
from homelab.site.validate import check
from tests.bond_declarations import drawn
from tests.e2e.support.rig import Rig
from tests.e2e.support.waiting import Condition, wait_for
from tests.vms.twin import MACHINE

HOW_MANY = 40
MADE_S = 60
FOLDERS = "/run/systemd/network", "/run/udev/rules.d"
COMPARE = """no() {{ echo "$1"; }}
legs_of() {{ :; }}
{asked}"""


@pytest.mark.long
def test_what_is_accepted_networkd_loads_and_the_kernel_has(rig: Rig) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    # Names of this run's own: networkd does not make a bond anew whose name it has had before.
    bonds = accepted(rig, random.Random(seed), f"d{seed}n")
    members = {
        bond.name: (Nic(mac=f"02:00:00:00:00:{number:02x}", bond=bond.name),)
        for number, bond in enumerate(bonds, start=1)
    }
    files = {f"{FOLDERS[0]}/90-{b.name}.netdev": netdev(b, members[b.name]) for b in bonds}
    files[f"{FOLDERS[1]}/95-bonds.rules"] = udev_rules(bonds)
    names = " ".join(bond.name for bond in bonds)
    before = rig.root(MACHINE, "journalctl -n 0 --show-cursor | sed -n 's/^-- cursor: //p'").strip()
    try:
        rig.root(
            MACHINE, f"mkdir -p {' '.join(FOLDERS)}\n" + "\n".join(map(written, files.items()))
        )
        rig.root(
            MACHINE, "udevadm control --reload; networkctl reload; udevadm settle", timeout=300
        )
        made = Condition("networkd has made them", lambda: _missing(rig, names))
        wait_for([made], MADE_S)
        asked = "\n".join(in_force(bond, members[bond.name]) for bond in bonds)
        differs = rig.root(MACHINE, COMPARE.format(asked=asked), timeout=300)
        said = rig.root(
            MACHINE, f"journalctl -q -p warning -u systemd-networkd --after-cursor='{before}'"
        )
    finally:
        rig.root(
            MACHINE,
            f"rm -f {' '.join(files)}; udevadm control --reload; "
            f"for name in {names}; do ip link delete $name 2>/dev/null || :; done; "
            "networkctl reload",
            timeout=300,
        )
    legless = [line for line in differs.splitlines() if ": its legs are " in line]
    assert len(legless) == HOW_MANY, "each was compared, and has no legs here"
    assert sorted(differs.splitlines()) == sorted(legless)
    assert not said


def accepted(rig: Rig, draw: random.Random, prefix: str) -> list[Bond]:
    """As the lab's site would accept them, each under a name of its own."""
    found: list[Bond] = []
    network = rig.site.network
    while len(found) < HOW_MANY:
        bond = drawn(draw, str(network.gateway)).replace(name=network.bonds[0].name)
        if not check(rig.site.replace(network=network.replace(bonds=(bond,))), "lab.py"):
            found.append(bond.replace(name=f"{prefix}{len(found)}"))
    return found


def _missing(rig: Rig, names: str) -> str:
    look = f"for name in {names}; do [ -e /sys/class/net/$name ] || echo $name; done"
    return " ".join(rig.root(MACHINE, look).split())


def written(file: tuple[str, str]) -> str:
    path, text = file
    return f"echo {base64.b64encode(text.encode()).decode()} | base64 -d > {path}"
