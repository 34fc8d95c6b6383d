"""Bonds and routes, in the words that systemd-networkd knows."""

from __future__ import annotations

import configparser
import json
import os
from pathlib import Path

import pytest

from homelab.documents.cni_bridge import CONFLIST, NAT, cni_bridge
from homelab.documents.document import Layer
from homelab.documents.network import network
from homelab.documents.pod_routes import pod_routes
from homelab.documents.ports import interface, names
from homelab.site.derived import mac
from homelab.site.model import Bond, Nic, Site, Vlan
from tests.unit.documents.document_sites import BARE, lab, rack, shell, text

FOLDER = "/etc/systemd/network"
NETWORKD, UDEVADM = Path("/usr/lib/systemd/systemd-networkd"), Path("/usr/bin/udevadm")
BY_ARP = Bond(
    mode="active-backup",
    miimon_ms=0,
    arp_interval_ms=500,
    arp_targets=("192.168.0.1", "192.168.0.12"),
    arp_validate="all",
    primary_reselect="better",
    fail_over_mac="active",
)


def known_words(program: Path) -> bytes:
    """networkd and udev have their tables of Section.Key in their binaries (gperf)."""
    if not program.exists():
        if os.environ.get("CI") and program == NETWORKD:
            pytest.fail(f"{program} is not installed: apt-get install systemd")
        pytest.skip(f"{program} is not installed")
    return program.read_bytes()


def variants() -> list[Site]:
    net = rack().network
    return [
        rack(),
        rack(network=net.replace(vlan=20)),
        rack(network=net.replace(bonds=(Bond(mode="active-backup"),))),
        rack(network=net.replace(bonds=(Bond(mode="balance-xor", xmit_hash_policy="layer2"),))),
        rack(network=net.replace(bonds=(BY_ARP,), bridge="br0", vlans=(Vlan(id=7, bridge="br7"),))),
        rack(network=net.replace(vlan=20, bridge="br0", vlans=(Vlan(id=7),))),
    ]


def sections(layer: Layer, path: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text(layer, path))
    return parser


@pytest.mark.parametrize(("program", "links"), [(NETWORKD, False), (UDEVADM, True)])
def test_systemd_knows_every_key(program: Path, links: bool) -> None:
    words = known_words(program)
    layers = [network(site, m, BARE) for site in variants() for m in site.machines]
    checked = 0
    for layer in layers:
        for document in layer.documents:
            if "systemd" in document.path and document.path.endswith(".link") == links:
                found = sections(layer, document.path)
                for name in [f"{s}.{key}" for s in found.sections() for key in found[s]]:
                    assert f"{name}\0".encode() in words, name
                    checked += 1
    assert checked > 20


@pytest.mark.parametrize("number", range(len(variants())))
def test_a_boot_waits_for_the_port_of_the_address_alone(number: int) -> None:
    """With a cable out, or a port without an address, it would wait for two minutes."""
    site = variants()[number]
    for box in site.machines:
        layer = network(site, box, BARE)
        awaited = {
            document.path
            for document in layer.documents
            if document.path.endswith(".network")
            and sections(layer, document.path)["Link"].get("RequiredForOnline") != "no"
        }
        addressed = {d.path for d in layer.documents if f"Address={box.address}/" in d.text}
        assert awaited == addressed


def test_a_bond_of_two_legs() -> None:
    site = rack()
    layer = network(site, site.machines[0], BARE)
    bond = sections(layer, f"{FOLDER}/05-homelab-bond0.netdev")
    assert dict(bond["Bond"]) == {
        "Mode": "802.3ad",
        "TransmitHashPolicy": "layer3+4",
        "LACPTransmitRate": "fast",
        "AdSelect": "stable",
        "MinLinks": "1",
        "MIIMonitorSec": "100ms",
        "UpDelaySec": "200ms",
        "DownDelaySec": "0ms",
    }
    assert bond["NetDev"]["MACAddress"] == "02:00:00:00:01:0a"  # the first declared leg's
    for number, address in ((1, "02:00:00:00:01:0a"), (2, "02:00:00:00:01:0b")):
        leg = sections(layer, f"{FOLDER}/05-homelab-bond0-leg{number}.network")
        assert leg["Match"]["PermanentMACAddress"] == address
        assert leg["Network"]["Bond"] == "bond0"
        assert leg["Link"]["MTUBytes"] == "9000"
    top = sections(layer, f"{FOLDER}/06-homelab-bond0.network")
    assert top["Network"]["Address"] == "192.168.0.11/24"
    assert top["Network"]["KeepConfiguration"] == "static"
    conf = text(layer, "/etc/systemd/networkd.conf.d/homelab.conf")
    assert "ManageForeignRoutes=no\nManageForeignRoutingPolicyRules=no\n" in conf
    assert "max_bonds=0" in text(layer, "/etc/modprobe.d/homelab.conf")


def test_a_vlan_carries_the_address_and_the_bond_none() -> None:
    site = variants()[1]
    layer = network(site, site.machines[0], BARE)
    bond = sections(layer, f"{FOLDER}/06-homelab-bond0.network")
    assert bond["Network"]["VLAN"] == "bond0.20"
    assert "Address" not in bond["Network"]
    vlan = sections(layer, f"{FOLDER}/07-homelab-bond0.20.network")
    assert vlan["Network"]["Address"] == "192.168.0.11/24"
    assert vlan["Link"]["MTUBytes"] == "1500"  # of the node subnet; the bond below has 9000
    assert interface(site, site.machines[0], BARE) == "bond0.20"


def test_active_backup_prefers_the_declared_leg() -> None:
    site = variants()[2]
    box = site.machines[0]
    one, two = box.nics
    box = box.replace(nics=(one, two.replace(primary=True)))
    layer = network(rack(network=site.network, machines=(box,)), box, BARE)
    assert "PrimarySlave" not in text(layer, f"{FOLDER}/05-homelab-bond0-leg1.network")
    assert "PrimarySlave=true" in text(layer, f"{FOLDER}/05-homelab-bond0-leg2.network")
    assert "LACP" not in text(layer, f"{FOLDER}/05-homelab-bond0.netdev")


def test_a_bond_that_arp_watches() -> None:
    site = rack(network=rack().network.replace(bonds=(BY_ARP,)))
    options = sections(network(site, site.machines[0], BARE), f"{FOLDER}/05-homelab-bond0.netdev")[
        "Bond"
    ]
    assert options["ARPIntervalSec"] == "500ms"
    assert options["ARPIPTargets"] == "192.168.0.1 192.168.0.12"
    assert options["FailOverMACPolicy"] == "active"
    assert "MIIMonitorSec" not in options


def test_what_networkd_has_no_word_for_is_udevs() -> None:
    bond = Bond(xmit_hash_policy="vlan+srcmac")
    site = rack(network=rack().network.replace(bonds=(bond,)))
    layer = network(site, site.machines[0], BARE)
    assert "TransmitHashPolicy" not in text(layer, f"{FOLDER}/05-homelab-bond0.netdev")
    rule = 'KERNEL=="bond0", ATTR{bonding/xmit_hash_policy}="vlan+srcmac"\n'
    assert rule in text(layer, "/etc/udev/rules.d/05-homelab-bonds.rules")


def test_wake_on_lan_and_offloads_are_the_legs() -> None:
    site = rack()
    box = site.machines[0]
    one, two = box.nics
    box = box.replace(nics=(one.replace(wake_on_lan=True, offloads={"tso": False}), two))
    layer = network(rack(machines=(box, *site.machines[1:])), box, BARE)
    link = sections(layer, f"{FOLDER}/05-homelab-bond0-leg1.link")["Link"]
    assert (link["WakeOnLan"], link["TCPSegmentationOffload"]) == ("magic", "no")
    assert "WakeOnLan" not in text(layer, f"{FOLDER}/05-homelab-bond0-leg2.link")


def test_a_bridge_carries_the_address_and_is_called_like_the_first_leg() -> None:
    site = variants()[4]
    layer = network(site, site.machines[0], BARE)
    assert interface(site, site.machines[0], BARE) == "br0"
    below = sections(layer, f"{FOLDER}/06-homelab-bond0.network")["Network"]
    assert (below["Bridge"], below["VLAN"]) == ("br0", "bond0.7")
    assert "Address" not in below
    bridge = sections(layer, f"{FOLDER}/07-homelab-br0.netdev")
    assert bridge["NetDev"]["MACAddress"] == "02:00:00:00:01:0a"
    assert bridge["Bridge"]["STP"] == "no"
    top = sections(layer, f"{FOLDER}/07-homelab-br0.network")["Network"]
    assert top["Address"] == "192.168.0.11/24"
    assert sections(layer, f"{FOLDER}/07-homelab-bond0.7.network")["Network"]["Bridge"] == "br7"
    assert names(site, site.machines[0]) == ["br0", "br7", "bond0.7", "bond0"]


def test_a_port_that_stays_alone_has_the_address() -> None:
    site = rack()
    layer = network(site, site.machines[3], BARE)
    alone = sections(layer, f"{FOLDER}/06-homelab-node.network")
    assert alone["Match"]["PermanentMACAddress"] == "02:00:00:00:03:01"
    assert alone["Network"]["Address"] == "192.168.0.31/24"
    assert not [d for d in layer.documents if d.path.endswith(".netdev")]


def test_a_second_bond_gets_no_address() -> None:
    net = rack().network.replace(bonds=(Bond(), Bond(name="storage")))
    box = rack().machines[0]
    box = box.replace(nics=(*box.nics, Nic(mac="02:00:00:00:01:0c", bond="storage")))
    site = rack(network=net, machines=(box, *rack().machines[1:]))
    layer = network(site, site.machines[0], BARE)
    assert "Address=" not in text(layer, f"{FOLDER}/06-homelab-storage.network")
    assert "Address=192.168.0.11/24" in text(layer, f"{FOLDER}/06-homelab-bond0.network")


def test_a_network_of_somebody_elses_is_left_alone() -> None:
    assert network(lab(), lab().machines[0], BARE).documents == ()


@pytest.mark.parametrize("spelling", ["02-AB-00-00-0c-0d", "02ab.0000.0c0d"])
def test_macs_in_any_spelling(spelling: str) -> None:
    assert mac(spelling) == "02:ab:00:00:0c:0d"


def test_routes_to_the_pods_of_all_others() -> None:
    site = lab()
    layer = pod_routes(site, site.machines[0])
    unit = layer.documents[0].text
    assert "route replace 10.244.12.0/24 via 192.168.0.12\n" in unit
    assert "10.244.11.0/24" not in unit
    assert unit.count(" via ") == 3
    assert "route replace unreachable 169.254.169.254\n" in unit
    assert pod_routes(rack(), rack().machines[0]).documents == ()  # Cilium makes its own


def test_the_routes_live_test_sees_a_missing_one() -> None:
    site = lab()
    layer = pod_routes(site, site.machines[0])
    commands = "\n".join(
        line.removeprefix("ExecStart=")
        for line in layer.documents[0].text.splitlines()
        if line.startswith("ExecStart=")
    )
    shell(
        f"""set -e
        ip link add eth0 type veth peer name peer; ip link set eth0 up; ip link set peer up
        ip address add {site.machines[0].address}/24 dev eth0
        ! ( {layer.live} )
        {commands}
        ( {layer.live} )
        {commands}
        ip route delete 10.244.21.0/24
        ! ( {layer.live} )
        """,
        namespace=True,
    )


def test_the_bridge_has_the_machines_own_subnet(tmp_path: Path) -> None:
    site = lab()
    layer = cni_bridge(site, site.machines[1])
    bridge, ports = json.loads(text(layer, CONFLIST))["plugins"]
    assert bridge["ipam"]["ranges"] == [[{"subnet": "10.244.12.0/24"}]]
    assert bridge["ipMasq"] is False
    assert bridge["isGateway"] is True
    assert ports["type"] == "portmap"
    rules = tmp_path / "nat"
    rules.write_text(text(layer, NAT))
    listed = shell(f"nft -f {rules}; nft -f {rules}; nft list ruleset", namespace=True)
    assert listed.count("masquerade") == 1
    assert "ip saddr 10.244.0.0/16 ip daddr != @inside masquerade" in listed
