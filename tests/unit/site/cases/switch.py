"""The switch and its ports."""

from __future__ import annotations

from typing import Any

from homelab.site import Bond, Nic, Switch, Vlan
from tests.unit.site.cases.case import M0, MACHINES, Case

ACCESS: dict[str, Any] = {"address": "192.168.10.2", "ssh_user": "admin"}


def with_ports() -> tuple[Any, ...]:
    """The example's machines, three ports each: GE0/0/1 to GE0/0/12."""
    return tuple(
        machine.replace(
            nics=tuple(
                nic.replace(port=f"GE0/0/{3 * number + leg}")
                for leg, nic in enumerate(machine.nics, 1)
            )
        )
        for number, machine in enumerate(MACHINES)
    )


def switch(rule: str, field: str, others: dict[str, Any] | None = None, **own: Any) -> Case:
    """A case of a site whose legs all have ports, with something of the switch's changed."""
    declared = {"machines": with_ports(), "switch": Switch(**(ACCESS | own))}
    return rule, field, declared | (others or {})


def port(rule: str, field: str, value: str | None) -> Case:
    """A case of the first machine's second leg's port."""
    return switch(rule, field, {f"{M0}.nics[1].port": value})


MANY = tuple(Nic(mac=f"0c:c4:7a:01:00:{n:02x}", port=f"GE1/0/{n}") for n in range(1, 10))

CASES: list[Case] = [
    switch("switch-address", "switch.address", address="switch.lan"),
    switch("switch-address", "switch.address", address="192.168.10.11"),
    switch("switch-address", "switch.address", address="192.168.10.10"),
    switch("switch-password-variable", "switch.password_variable", password_variable="s3cret!"),
    switch(
        "switch-password-variable", "switch.password_variable", password_variable="HOMELAB_SWITCH"
    ),
    switch("switch-numbers", "switch.ssh_port", ssh_port=0),
    switch("switch-numbers", "switch.untagged_vlan", untagged_vlan=4095),
    switch("switch-numbers", "switch.first_trunk", first_trunk=128),
    switch("switch-numbers", "switch.reboot_min", reboot_min=1),
    switch("switch-trunks", "switch.first_trunk", first_trunk=125),
    switch("switch-vlan", "switch.untagged_vlan", {"network.vlan": 20}, untagged_vlan=20),
    switch(
        "switch-vlan", "switch.untagged_vlan", {"network.vlans": (Vlan(id=1),)}, untagged_vlan=1
    ),
    switch("switch-mtu", "network.mtu", {"network.mtu": 9200}),
    port("switch-port-syntax", f"{M0}.nics[1].port", "7"),
    port("switch-port-syntax", f"{M0}.nics[1].port", "GE0/0"),
    port("switch-port-syntax", f"{M0}.nics[1].port", "Eth-Trunk1"),
    port("switch-port-twice", "machines[1].nics[0].port", "GigabitEthernet0/0/4"),
    port("switch-port-missing", f"{M0}.nics[1].port", None),
    ("switch-port-missing", f"{M0}.nics", {"switch": Switch(**ACCESS), "machines": (
        MACHINES[0], *with_ports()[1:])}),
    ("switch-port-without-switch", f"{M0}.nics[0].port", {f"{M0}.nics[0].port": "GE0/0/1"}),
    port("switch-port-types", f"{M0}.nics", "XGE0/0/1"),
    switch("switch-port-types", f"{M0}.nics", {f"{M0}.nics": MANY}),
]  # fmt: skip

TOGETHER: list[Case] = []

# Valid sites, for tests/unit/switch.
NO_GROUP: dict[str, Any] = {  # no bond of this site needs one, so no leg needs a port
    "switch": Switch(**ACCESS), "network.bonds": (Bond(mode="active-backup"),),
}  # fmt: skip
