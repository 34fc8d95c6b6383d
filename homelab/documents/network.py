"""Bond, VLAN, bridge, address and routes with systemd-networkd.

Applied on trial only (``documents/trial.py``): a machine that can't prove its new network takes the
old one again.
"""

from __future__ import annotations

from homelab.documents import bonds as kernel
from homelab.documents.bonds import legs
from homelab.documents.document import Document, Layer
from homelab.documents.network_force import DROP_IN, FOLDER, activate, in_force
from homelab.documents.ports import bonds, carrier, mtu_of
from homelab.documents.text import header
from homelab.documents.traits import Traits
from homelab.site import derived
from homelab.site.derived import mac
from homelab.site.model import Bond, Machine, Nic, Site
from homelab.site.rules.nics import OFFLOADS

UDEV = "/etc/udev/rules.d/05-homelab-bonds.rules"
# Before what netplan renders (/run/systemd/network/10-netplan-*): the first match wins.
LEGS, TOPS, TAGGED = "05-homelab", "06-homelab", "07-homelab"


def network(site: Site, machine: Machine, traits: Traits) -> Layer:
    """Empty where the network is somebody else's."""
    if machine.network == "foreign":
        return Layer(name="network", documents=())
    used = bonds(site, machine)
    documents = [
        Document(DROP_IN, networkd_conf(site)),
        # Loading the module makes a round-robin bond0, which networkd would keep (systemd #7025).
        Document(
            "/etc/modprobe.d/homelab.conf",
            header(site, "network") + "options bonding max_bonds=0\n",
        ),
        Document("/etc/resolv.conf", resolv_conf(site)),
        Document(UDEV, header(site, "network") + kernel.udev_rules(used)),
    ]
    for bond in used:
        documents += _bond_documents(site, machine, bond)
    documents += _tops(site, machine)
    return Layer(
        name="network",
        documents=tuple(documents),
        activate=activate(site, machine, [document.path for document in documents]),
        units=("systemd-networkd.service",),
        live=in_force(site, machine, traits),
    )


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
    stem = f"{FOLDER}/{LEGS}-{bond.name}"
    documents = [Document(f"{stem}.netdev", head + kernel.netdev(bond, members))]
    for number, nic in enumerate(members, start=1):
        match = f"[Match]\nPermanentMACAddress={mac(nic.mac)}\n"
        enslave = f"[Network]\nBond={bond.name}\n" + ("PrimarySlave=true\n" if nic.primary else "")
        link = _link(f"leg {number} of {bond.name}", nic)
        leg = f"{stem}-leg{number}"
        documents.append(Document(f"{leg}.link", head + match + "\n" + link))
        text = head + match + "\n" + _mtu(site, bond, NOT_AWAITED) + enslave
        documents.append(Document(f"{leg}.network", text))
    return documents


def _link(alias: str, nic: Nic) -> str:
    """The names stay as udev's default policy gives them: renaming a port in use is a reboot."""
    text = (
        f"[Link]\nAlias={alias}\nNamePolicy=keep kernel database onboard slot path\n"
        "AlternativeNamesPolicy=database onboard slot path\nMACAddressPolicy=persistent\n"
    )
    if nic.wake_on_lan is not None:
        text += f"WakeOnLan={'magic' if nic.wake_on_lan else 'off'}\n"
    return text + "".join(
        f"{OFFLOADS[name]}={'yes' if on else 'no'}\n" for name, on in sorted(nic.offloads.items())
    )


# Else a boot with one cable out, or with a port that has no address, waits for two minutes
# (systemd-networkd-wait-online.service(8)): only the port of the machine's address counts.
NOT_AWAITED = "RequiredForOnline=no\n"


def _mtu(site: Site, bond: Bond | None, more: str = "") -> str:
    return f"[Link]\nMTUBytes={mtu_of(site, bond)}\n{more}\n"


def _tops(site: Site, machine: Machine) -> list[Document]:
    """What stands on the bonds (or on a port that stays alone): VLANs, bridges, the address."""
    used, net = bonds(site, machine), site.network
    made = [
        _file(
            site,
            TOPS,
            f"{bond.name}.network",
            _named(bond.name) + _mtu(site, bond, NOT_AWAITED) + QUIET,
        )
        for bond in used[1:]
    ]
    first = used[0] if used else None
    name = first.name if first else "node"
    match = _named(name) if first else f"[Match]\nPermanentMACAddress={mac(machine.nics[0].mac)}\n"
    vlans = [] if net.vlan is None else [(carrier(site, machine, Traits()), net.vlan)]
    vlans += [(f"{name}.{vlan.id}", vlan.id) for vlan in net.vlans if first]
    tagged = "".join(f"VLAN={vlan}\n" for vlan, _ in vlans)
    bridge = f"Bridge={net.bridge}\n" if net.bridge else ""
    top = f"[Network]\n{bridge}LinkLocalAddressing=no\n" if bridge else _address(site, machine)
    below = QUIET if net.vlan is not None else top
    lower = NOT_AWAITED if net.vlan is not None or net.bridge else ""
    text = match + "\n" + _mtu(site, first, lower) + below + tagged
    made.append(_file(site, TOPS, f"{name}.network", text))
    for vlan, number in vlans:
        own = top if number == net.vlan else _extra(site, number)
        passed = NOT_AWAITED if number != net.vlan or net.bridge else ""
        made += [
            _file(site, TAGGED, f"{vlan}.netdev",
                  f"[NetDev]\nName={vlan}\nKind=vlan\n\n[VLAN]\nId={number}\n"),
            _file(site, TAGGED, f"{vlan}.network", _named(vlan) + _mtu(site, None, passed) + own),
        ]  # fmt: skip
    if net.bridge:
        address = mac(machine.nics[0].mac)
        made.append(_file(site, TAGGED, f"{net.bridge}.netdev", _bridge(net.bridge, address)))
        text = _named(net.bridge) + _mtu(site, None) + _address(site, machine)
        made.append(_file(site, TAGGED, f"{net.bridge}.network", text))
    for extra in net.vlans if first else ():
        if extra.bridge:
            made.append(_file(site, TAGGED, f"{extra.bridge}.netdev", _bridge(extra.bridge)))
            text = _named(extra.bridge) + _mtu(site, None, NOT_AWAITED) + QUIET
            text += "ConfigureWithoutCarrier=yes\n"
            made.append(_file(site, TAGGED, f"{extra.bridge}.network", text))
    return made


QUIET = "[Network]\nLinkLocalAddressing=no\n"


def _file(site: Site, order: str, name: str, text: str) -> Document:
    return Document(f"{FOLDER}/{order}-{name}", header(site, "network") + text)


def _named(name: str) -> str:
    return f"[Match]\nName={name}\n\n"


def _extra(site: Site, number: int) -> str:
    (vlan,) = (vlan for vlan in site.network.vlans if vlan.id == number)
    return QUIET + (f"Bridge={vlan.bridge}\n" if vlan.bridge else "")


def _bridge(name: str, address: str | None = None) -> str:
    """Without STP, which would keep a machine's only port closed for 30 s."""
    own = f"MACAddress={address}\n" if address else ""
    return f"[NetDev]\nName={name}\nKind=bridge\n{own}\n[Bridge]\nSTP=no\nForwardDelaySec=0\n"


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
