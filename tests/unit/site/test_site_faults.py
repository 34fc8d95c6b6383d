"""What a fault says: misspelt keys, plain words, the machine's name."""

from __future__ import annotations

import pytest

from homelab.site import Bond, Site, check
from tests.unit.site.example_site import changed


def only(changes: dict[str, object]) -> str:
    """The one fault of the example with these changes."""
    (fault,) = check(changed(changes), "site.py")
    return str(fault)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"api.vipp": "x"}, "site.py: api.vipp = 'x': Api has no such key; did you mean \"vip\"?"),
        (
            {"machines[1].name": "N2"},
            "site.py: machines[1].name (N2) = 'N2': is no RFC 1123 host name; use up to 63 small "
            'letters, digits and dashes, with no dash at either end, e.g. "n2"',
        ),
        (
            {"network.dns": "192.168.10.1"},
            "site.py: network.dns = '192.168.10.1': is a str where a list or tuple belongs; "
            "write ('192.168.10.1',)",
        ),
        (
            {"machines[0].ssh_port": True},
            "site.py: machines[0].ssh_port (n1) = True: is a bool where a whole number belongs; "
            "write a number without quotes and without a point",
        ),
        (
            {"kubernetes.version": "v1.36.4"},
            "site.py: kubernetes.version = 'v1.36.4': is no Kubernetes version; "
            'write "1.36.4", without the v',
        ),
        (
            {"machines[0].nics[0].bond": "bnd0"},
            "site.py: machines[0].nics[0].bond (n1) = 'bnd0': is not declared in network.bonds; "
            'did you mean "bond0"?',
        ),
        (
            {"network.bonds": (Bond(lacp_rate="slow", mode="balance-xor"),)},
            "site.py: network.bonds[0].lacp_rate = 'slow': does nothing in mode balance-xor, only "
            "in 802.3ad; remove it, or choose that mode "
            "(https://docs.kernel.org/networking/bonding.html)",
        ),
        (
            {"ingress.dmz": "n11"},
            "site.py: ingress.dmz = 'n11': is no machine of this site; did you mean \"n1\"?",
        ),
        (
            {"api.vip": "fd00::10"},
            "site.py: api.vip = 'fd00::10': is IPv6: this toolkit is IPv4 only; "
            "declare the IPv4 address",
        ),
    ],
)
def test_a_fault_is_one_clear_line(changes: dict[str, object], line: str) -> None:
    assert only(changes) == line


def test_all_faults_are_told_at_once() -> None:
    faults = check(
        changed(
            {
                "machines[0].roles": "worker",  # hides none of the others
                "machines[1].address": "192.168.10.999",
                "machines[2].nics[0].mac": "x",
                "api.vip": "192.168.10.255",
                "api.vrrp_id": 0,
                "kubernetes.runtime": "docker",
                "timings.advert_ms": 3,
                "network.mtuu": 9000,
            }
        ),
        "site.py",
    )
    assert {fault.field for fault in faults} == {
        "machines[0].roles",
        "machines[1].address",
        "machines[2].nics[0].mac",
        "api.vip",
        "api.vrrp_id",
        "kubernetes.runtime",
        "timings.advert_ms",
        "network.mtuu",
    }


def test_an_empty_site_is_told_what_it_lacks() -> None:
    empty = Site(**{})
    fields = [fault.field for fault in check(empty, "site.py")]
    assert fields == ["name", "machines", "network", "api", "kubernetes"]
