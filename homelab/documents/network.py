"""Bond, address and routes with systemd-networkd, and the routes to other machines' pods."""

from __future__ import annotations

from homelab.documents.document import Document, Layer
from homelab.documents.text import header, sweep, unit
from homelab.documents.traits import Traits
from homelab.site import derived
from homelab.site.model import Bond, Machine, Nic, Site

FOLDER = "/etc/systemd/network"
DROP_IN = "/etc/systemd/networkd.conf.d/homelab.conf"


def network(site: Site, machine: Machine, traits: Traits) -> Layer:
    """Empty where the network is somebody else's."""
    if machine.network == "foreign":
        return Layer(name="network", documents=())
    documents = [
        Document(DROP_IN, networkd_conf(site)),
        # Loading the module makes a round-robin bond0, which networkd would keep (systemd #7025).
        Document(
            "/etc/modprobe.d/homelab.conf",
            header(site, "network") + "options bonding max_bonds=0\n",
        ),
        Document("/etc/resolv.conf", resolv_conf(site)),
    ]
    for bond in bonds(site, machine):
        documents += _bond_documents(site, machine, bond)
    documents += _top(site, machine)
    swept = sweep("network", FOLDER, (document.path for document in documents))
    return Layer(
        name="network",
        documents=tuple(documents),
        activate=f"set -e\n{swept}\n{ACTIVATE}",
        units=("systemd-networkd.service",),
    )


def bonds(site: Site, machine: Machine) -> tuple[Bond, ...]:
    """The declared bonds that have a leg on this machine."""
    used = {nic.bond for nic in machine.nics}
    return tuple(bond for bond in site.network.bonds if bond.name in used)


def legs(machine: Machine, bond: Bond) -> tuple[Nic, ...]:
    return tuple(nic for nic in machine.nics if nic.bond == bond.name)


def interface(site: Site, machine: Machine, traits: Traits) -> str:
    """The port that carries the machine's address: of the first bond, its VLAN, or as found."""
    if machine.network == "foreign":
        return traits.interface
    used = bonds(site, machine)
    if site.network.vlan is not None:
        return f"{used[0].name}.{site.network.vlan}" if used else f"vlan{site.network.vlan}"
    return used[0].name if used else traits.interface


def mac(text: str) -> str:
    """Any usual spelling as networkd writes it: ``02:00:00:00:00:0a``."""
    digits = "".join(character for character in text.lower() if character in "0123456789abcdef")
    return ":".join(digits[at : at + 2] for at in range(0, 12, 2))


def networkd_conf(site: Site) -> str:
    """Foreign routes and rules stay: else a flapping leg wipes Cilium's (cilium #18706)."""
    return header(site, "network") + (
        "[Network]\nManageForeignRoutes=no\nManageForeignRoutingPolicyRules=no\n"
    )


def resolv_conf(site: Site) -> str:
    """A plain file: Debian has no resolved by default, and kubelet hands this file to pods."""
    return header(site, "network") + "".join(f"nameserver {a}\n" for a in site.network.dns)


def _bond_documents(site: Site, machine: Machine, bond: Bond) -> list[Document]:
    members = legs(machine, bond)
    head = header(site, "network")
    documents = [
        Document(f"{FOLDER}/20-{bond.name}.netdev", head + _netdev(bond, mac(members[0].mac)))
    ]
    for number, nic in enumerate(members, start=1):
        match = f"[Match]\nPermanentMACAddress={mac(nic.mac)}\n"
        # The names stay as udev's default policy gives them: renaming a port in use is a reboot.
        link = (
            f"[Link]\nAlias=leg {number} of {bond.name}\n"
            "NamePolicy=keep kernel database onboard slot path\n"
            "AlternativeNamesPolicy=database onboard slot path\nMACAddressPolicy=persistent\n"
        )
        first = bond.mode == "active-backup" and number == 1
        enslave = f"[Network]\nBond={bond.name}\n" + ("PrimarySlave=true\n" if first else "")
        stem = f"{FOLDER}/20-{bond.name}-leg{number}"
        documents.append(Document(f"{stem}.link", head + match + "\n" + link))
        documents.append(
            Document(f"{stem}.network", head + match + "\n" + _mtu(site, bond) + enslave)
        )
    return documents


def _netdev(bond: Bond, address: str) -> str:
    options = [f"Mode={bond.mode}"]
    if bond.mode in ("802.3ad", "balance-xor", "balance-tlb"):
        options.append(f"TransmitHashPolicy={bond.xmit_hash_policy}")
    if bond.mode == "802.3ad":
        options += [f"LACPTransmitRate={bond.lacp_rate}", f"MinLinks={bond.min_links}"]
    options += [
        f"MIIMonitorSec={bond.miimon_ms}ms",
        f"UpDelaySec={bond.up_delay_ms}ms",
        f"DownDelaySec={bond.down_delay_ms}ms",
    ]
    # The first declared leg's: the same after every boot, whichever leg comes up first.
    return (
        f"[NetDev]\nName={bond.name}\nKind=bond\nMACAddress={address}\n\n[Bond]\n"
        + "\n".join(options)
        + "\n"
    )


def _mtu(site: Site, bond: Bond | None) -> str:
    mtu = bond.mtu if bond and bond.mtu else site.network.mtu
    return f"[Link]\nMTUBytes={mtu}\n\n"


def _top(site: Site, machine: Machine) -> list[Document]:
    """What stands on the bonds (or on a port that stays alone): VLAN and address."""
    head = header(site, "network")
    used = bonds(site, machine)
    documents = []
    for bond in used[1:]:
        text = f"[Match]\nName={bond.name}\n\n{_mtu(site, bond)}[Network]\nLinkLocalAddressing=no\n"
        documents.append(Document(f"{FOLDER}/30-{bond.name}.network", head + text))
    if used:
        name, match = used[0].name, f"[Match]\nName={used[0].name}\n\n"
    else:
        name, match = "node", f"[Match]\nPermanentMACAddress={mac(machine.nics[0].mac)}\n\n"
    below = _mtu(site, used[0] if used else None)
    if site.network.vlan is None:
        text = match + below + _address(site, machine)
        return [*documents, Document(f"{FOLDER}/30-{name}.network", head + text)]
    vlan = interface(site, machine, Traits())
    carrier = f"[Network]\nVLAN={vlan}\nLinkLocalAddressing=no\n"
    netdev = f"[NetDev]\nName={vlan}\nKind=vlan\n\n[VLAN]\nId={site.network.vlan}\n"
    tagged = f"[Match]\nName={vlan}\n\n{_mtu(site, None)}{_address(site, machine)}"
    return [
        *documents,
        Document(f"{FOLDER}/30-{name}.network", head + match + below + carrier),
        Document(f"{FOLDER}/40-{vlan}.netdev", head + netdev),
        Document(f"{FOLDER}/40-{vlan}.network", head + tagged),
    ]


def _address(site: Site, machine: Machine) -> str:
    dns = "".join(f"DNS={address}\n" for address in site.network.dns)
    return (
        f"[Network]\nAddress={machine.address}/{derived.prefix_length(site)}\n"
        f"Gateway={site.network.gateway}\n{dns}"
        # The cluster is IPv4; a router's advertisement must not open a second way in.
        "IPv6AcceptRA=no\nLinkLocalAddressing=ipv6\n"
        # keepalived's VIP outlives a restart of networkd (systemd #13555)
        "KeepConfiguration=static\n"
        # and all addresses outlive a reboot of the switch
        "ConfigureWithoutCarrier=yes\nIgnoreCarrierLoss=yes\n"
    )


def pod_routes(site: Site, machine: Machine) -> Layer:
    """A unit that sets the routes to the other machines' pods, at boot too; bridge CNI only.

    A unit and not networkd's [Route]: it serves networks that somebody else manages as well.
    """
    others = [other for other in derived.nodes(site) if other.name != machine.name]
    if site.kubernetes.cni != "bridge" or not others:
        return Layer(name="pod-routes", documents=())
    routes = [(derived.pod_subnet(site, other), other.address) for other in others]
    starts = "\n".join(
        f"ExecStart=/usr/sbin/ip -4 route replace {route}"
        for route in [f"unreachable {CLOUD}", *(f"{subnet} via {via}" for subnet, via in routes)]
    )
    text = ROUTES_UNIT.format(starts=starts)
    path = "/etc/systemd/system/homelab-pod-routes.service"
    live = [
        f"ip -4 route show type unreachable {CLOUD} | grep -q .",
        *(f"ip -4 route show {subnet} | grep -q 'via {via} '" for subnet, via in routes),
    ]
    return Layer(
        name="pod-routes",
        documents=(Document(path, unit(site, "network", text)),),
        activate="set -e\nsystemctl daemon-reload\nsystemctl enable homelab-pod-routes.service\n"
        "systemctl restart homelab-pod-routes.service",
        units=("homelab-pod-routes.service",),
        live=" && ".join(live),
    )


# networkd before 253 reads its own configuration only when it starts, and Debian 12 has 252: a
# reload would leave it managing foreign routes. A restart keeps all addresses (_address).
ACTIVATE = f"""systemctl enable systemd-networkd.service
mkdir -p /run/homelab
if systemctl is-active --quiet systemd-networkd.service &&
   sha256sum {DROP_IN} | cmp -s - /run/homelab/networkd.sum; then
    networkctl reload
else
    systemctl restart systemd-networkd.service
    sha256sum {DROP_IN} > /run/homelab/networkd.sum
fi"""

# A cloud's metadata service. There is none here; a kubelet that looks for Amazon's credentials
# (until 1.26, pkg/credentialprovider/aws) waits for its answer for 4 s at every start.
CLOUD = "169.254.169.254"

ROUTES_UNIT = """
[Unit]
Description=Routes to the other machines' pods
Wants=network-online.target
After=network-online.target
Before=kubelet.service
StartLimitIntervalSec=0

[Service]
Type=oneshot
RemainAfterExit=yes
# the address may come later than network-online.target says
Restart=on-failure
RestartSec=2
{starts}

[Install]
WantedBy=multi-user.target
"""
