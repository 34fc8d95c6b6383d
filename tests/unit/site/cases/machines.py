"""Machines, roles and access."""

from __future__ import annotations

from homelab.site import Machine, Nic
from tests.unit.site.cases.case import M0, MACHINES, Case, one


def planes(count: int) -> tuple[Machine, ...]:
    """That many control planes with one NIC each, workers as well."""
    return tuple(
        MACHINES[0].replace(
            name=f"n{n}", address=f"192.168.10.{10 + n}", nics=(Nic(mac=f"0cc47a0000{n:02x}"),)
        )
        for n in range(1, count + 1)
    )


CASES: list[Case] = [
    *one("first-address", f"{M0}.first_address", "dhcp", "192.168.10.300"),
    (
        "first-address",
        f"{M0}.first_address",
        {
            f"{M0}.first_address": "192.168.10.77",
            f"{M0}.network": "foreign",
            f"{M0}.nics": (),
        },
    ),
    *one("site-name", "name", "My rack", "", "a" * 64, "rack_1"),
    ("no-machines", "machines", {"machines": (), "ingress": None}),
    *one("machine-name", "machines[3].name", "N4", "n_4", "n4.lan", "", "-n4", "a" * 64, "4", "ñ"),
    *one("machine-name", "machines[3].name", "localhost"),
    *one("duplicate-name", "machines[3].name", "n1"),
    *one("machine-address", f"{M0}.address", "192.168.10", "fd00::1", "192.168.10.11/24", "n1", ""),
    *one("machine-address", f"{M0}.address", "192.168.10.011", "192.168.10.256", "192.168.10.11 "),
    *one("duplicate-address", "machines[3].address", "192.168.10.11"),
    *one("address-outside-subnet", f"{M0}.address", "192.168.11.11", "8.8.8.8"),
    *one("address-reserved", f"{M0}.address", "192.168.10.0", "192.168.10.255"),
    *one("address-is-gateway", f"{M0}.address", "192.168.10.1"),
    *one("no-roles", "machines[3].roles", ()),
    ("duplicate-role", "machines[3].roles[1]", {"machines[3].roles": ("worker", "worker")}),
    ("single-control-plane", "machines", {"machines": planes(1)}),
    ("even-control-planes", "machines", {"machines": planes(2)}),
    ("even-control-planes", "machines", {"machines[3].roles": ("control_plane",)}),
    ("too-many-control-planes", "machines", {"machines": planes(9)}),
    *one("allow-no-ha-superfluous", "allow_no_ha", True),
    (
        "no-worker",
        "machines",
        {"machines": tuple(m.replace(roles=("control_plane",)) for m in planes(3))},
    ),
    *one("ssh-user", f"{M0}.ssh_user", "", "Ad min", "root;reboot", "-l", "a" * 33),
    *one("ssh-port", f"{M0}.ssh_port", 0, 65536, -1),
    *one("ssh-key-missing", f"{M0}.ssh_key", "/nowhere/id", "/tmp", "a\0b", "~nobody-here/id", ""),
    *one("ssh-port-taken", f"{M0}.ssh_port", 6443, 8443, 80, 10250, 30000, 2379),
    *one("ssh-key-open", f"{M0}.ssh_key", "/etc/passwd"),
]

TOGETHER: list[Case] = [  # slips that break other rules as well
    ("no-control-plane", "machines", {f"machines[{n}].roles": ("worker",) for n in range(3)}),
    *one("ssh-key-public", f"{M0}.ssh_key", "/nowhere/id_ed25519.pub"),
]
