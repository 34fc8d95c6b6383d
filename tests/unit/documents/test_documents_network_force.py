"""What comes into force how: nothing where nothing differs, a new bond only where it must be."""

from __future__ import annotations

from pathlib import Path

import pytest

from homelab.documents.bonds import legs
from homelab.documents.network import network
from homelab.documents.network_force import DROP_IN, FOLDER
from homelab.site import bonding
from homelab.site.derived import mac
from homelab.site.model import Bond, Machine, Site
from tests.unit.documents.document_sites import BARE, rack, shell, stage

RESTART, RELOAD = "systemctl restart systemd-networkd.service", "networkctl reload"
DELETE = "ip link delete bond0"


class Box:
    """A machine's files below a folder, /sys among them; notes what systemd is told."""

    def __init__(self, root: Path, bond: Bond) -> None:
        self.root = root
        self.site: Site = rack(network=rack().network.replace(bonds=(bond,)))
        self.machine: Machine = self.site.machines[0]
        for name in ("systemctl", "networkctl", "udevadm", "ip"):
            (root / name).write_text(f'#!/bin/sh\necho {name} "$@" >> {root}/told\n')
            (root / name).chmod(0o755)
        with (root / "systemctl").open("a") as systemctl:  # it is no node yet, and has no such unit
            systemctl.write('case "$*" in *try-restart*) exit 5 ;; esac\n')
        stage(network(self.site, self.machine, BARE), root)
        self.live(bond)

    def live(self, bond: Bond) -> None:
        """The kernel has the bond as declared."""
        members = legs(self.machine, bond)
        folder = self.root / "sys/class/net/bond0"
        (folder / "bonding").mkdir(parents=True)
        (folder / "address").write_text(mac(members[0].mac) + "\n")
        (folder / "mtu").write_text("1500\n")
        for option in bonding.OPTIONS:
            number = "" if option.kernel == "arp_ip_target" or option.unit else " 0"
            self.option(option.kernel).write_text(f"{bonding.value(bond, option)}{number}\n")
        self.option("primary").write_text("\n")
        names = [f"enp{number}s0" for number, _ in enumerate(members)]
        self.option("slaves").write_text(" ".join(names) + "\n")
        for name, nic in zip(names, members, strict=True):
            leg = self.root / "sys/class/net" / name
            (leg / "bonding_slave").mkdir(parents=True)
            (leg / "device").mkdir()
            (leg / "bonding_slave/perm_hwaddr").write_text(mac(nic.mac) + "\n")

    def option(self, name: str) -> Path:
        return self.root / "sys/class/net/bond0/bonding" / name

    def moved(self, script: str) -> str:
        for folder in ("/etc/", "/run/", "/sys/", "/var/"):
            script = script.replace(folder, f"{self.root}{folder}")
        return script

    def activate(self, **changes: object) -> list[str]:
        """What bringing a (changed) declaration into force told systemd and the kernel."""
        net = self.site.network
        bond = net.bonds[0].replace(**changes) if changes else net.bonds[0]
        layer = network(self.site.replace(network=net.replace(bonds=(bond,))), self.machine, BARE)
        stage(layer, self.root)
        (self.root / "told").write_text("")
        shell(f"PATH={self.root}:$PATH; {self.moved(layer.activate)}")
        told = (self.root / "told").read_text().splitlines()
        return [line for line in told if line in (RESTART, RELOAD, DELETE)]

    @property
    def told(self) -> list[str]:
        return (self.root / "told").read_text().splitlines()

    def differs(self) -> list[str]:
        """What the layer's test of the kernel says."""
        live = self.moved(network(self.site, self.machine, BARE).live)
        return shell(f"PATH={self.root}:$PATH; ( {live} ) || true").splitlines()


@pytest.fixture
def box(tmp_path: Path) -> Box:
    made = Box(tmp_path, Bond())
    assert made.activate() == [RESTART]  # networkd was never started by us
    return made


def test_nothing_is_reloaded_where_nothing_differs(box: Box) -> None:
    assert box.activate() == []


def test_what_the_kernel_changes_on_a_living_bond_is_written_to_it(box: Box) -> None:
    assert box.activate(xmit_hash_policy="layer2+3", miimon_ms=50, up_delay_ms=100) == []
    assert box.option("xmit_hash_policy").read_text() == "layer2+3\n"
    assert box.option("miimon").read_text() == "50\n"
    assert box.option("updelay").read_text() == "100\n"


@pytest.mark.parametrize(
    "changes",
    [{"mode": "active-backup"}, {"lacp_rate": "slow"}, {"ad_select": "bandwidth"}],
    ids=str,
)
def test_what_it_does_not_change_needs_a_new_bond(box: Box, changes: dict[str, object]) -> None:
    assert box.activate(**changes) == [DELETE, RESTART]


def test_networkd_starts_anew_for_a_change_of_its_own_configuration(box: Box) -> None:
    """Before systemd 253 a reload does not read it."""
    drop_in = box.root / DROP_IN.lstrip("/")
    script = network(box.site, box.machine, BARE).activate
    drop_in.write_text(drop_in.read_text() + "# more\n")
    (box.root / "told").write_text("")
    shell(f"PATH={box.root}:$PATH; {box.moved(script)}")
    assert RESTART in (box.root / "told").read_text()


def test_another_mtu_is_a_reload(box: Box) -> None:
    box.site = box.site.replace(network=box.site.network.replace(mtu=1400))
    assert box.activate() == [RELOAD]


def test_what_is_in_force_is_read_from_the_kernel(box: Box) -> None:
    box.option("mode").write_text("active-backup 1\n")
    box.option("lacp_rate").write_text("slow 0\n")
    said = box.differs()
    assert "bond0: mode is active-backup, not 802.3ad" in said
    assert "bond0: lacp_rate is slow, not fast" in said
    assert not [line for line in said if "miimon" in line]


def test_the_bond_below_a_vlan_has_an_mtu_of_its_own(tmp_path: Path) -> None:
    box = Box(tmp_path, Bond(mtu=9000))
    box.site = box.site.replace(network=box.site.network.replace(vlan=20))
    assert "the MTU of bond0 is 1500, not 9000" in box.differs()
    (box.root / "sys/class/net/bond0/mtu").write_text("9000\n")
    assert not [line for line in box.differs() if "MTU of bond0 is" in line]


def test_a_leg_that_is_missing_is_told(box: Box) -> None:
    box.option("slaves").write_text("enp0s0\n")
    assert [line for line in box.differs() if "its legs are 02:00:00:00:01:0a, not" in line]


def test_a_bond_that_is_declared_no_more_leaves_no_file(tmp_path: Path) -> None:
    site, machine = rack(), rack().machines[0]
    tagged = rack(network=site.network.replace(vlan=20))
    box = Box(tmp_path, Bond())
    stage(network(tagged, machine, BARE), box.root)
    theirs = box.root / "etc/systemd/network/40-theirs.network"
    theirs.write_text("[Match]\nName=eth7\n")
    box.activate()
    left = {f"/{p.relative_to(box.root)}" for p in (box.root / "etc/systemd/network").iterdir()}
    layer = network(site, machine, BARE)
    declared = {d.path for d in layer.documents if d.path.startswith(f"{FOLDER}/")}
    assert left == declared | {f"{FOLDER}/40-theirs.network"}


def test_a_port_that_is_no_leg_any_more_is_released(box: Box) -> None:
    first, second, *_ = box.machine.nics
    assert second.bond == "bond0"
    box.machine = box.machine.replace(nics=(first,))
    box.activate()
    assert "ip link set enp1s0 nomaster" in box.told
    assert "ip link set enp0s0 nomaster" not in box.told


def test_another_preferred_leg_is_told_and_written(tmp_path: Path) -> None:
    box = Box(tmp_path, Bond(mode="active-backup"))
    first, second, *others = box.machine.nics
    box.machine = box.machine.replace(nics=(first, second.replace(primary=True), *others))
    assert box.differs()[0] == "bond0: primary is no leg, not enp1s0"
    box.activate()
    assert box.option("primary").read_text() == "enp1s0\n"


def test_the_active_legs_address_is_no_difference(tmp_path: Path) -> None:
    """With fail_over_mac=active the bond has it, whichever leg that is."""
    box = Box(tmp_path, Bond(mode="active-backup", fail_over_mac="active"))
    box.activate()  # networkd was never started by us
    (box.root / "sys/class/net/bond0/address").write_text("02:00:00:00:00:99\n")
    assert not [line for line in box.differs() if "MAC" in line]
    assert box.activate() == []


def test_the_order_of_arp_targets_is_no_difference(tmp_path: Path) -> None:
    targets = ("192.168.10.9", "192.168.10.1", "192.168.10.12")
    bond = Bond(mode="active-backup", miimon_ms=0, arp_interval_ms=500, arp_targets=targets)
    box = Box(tmp_path, bond)
    assert not [line for line in box.differs() if "arp" in line]
    box.option("arp_ip_target").write_text("192.168.10.9 192.168.10.1\n")
    (said,) = [line for line in box.differs() if "arp" in line]
    assert said.startswith("bond0: arp_ip_target is 192.168.10.1 192.168.10.9, not 192.168.10.")


def test_a_change_that_networkd_reads_brings_the_routes_to_pods_back(box: Box) -> None:
    box.site = box.site.replace(network=box.site.network.replace(mtu=1400))
    box.activate()
    told = "systemctl --no-block try-restart homelab-pod-routes.service"
    assert told in box.told
    box.activate()
    assert told not in box.told


def test_an_interface_that_is_declared_no_more_is_taken_away(box: Box) -> None:
    """Known by its file: what was noted in /run is gone after a restart."""
    box.site = box.site.replace(network=box.site.network.replace(bridge="br0"))
    box.activate()
    for noted in (box.root / "run/homelab").iterdir():
        noted.unlink()
    box.site = box.site.replace(network=box.site.network.replace(bridge=None))
    box.activate()
    assert "ip link delete br0" in box.told
