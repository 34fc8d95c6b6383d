"""Bond, VLAN, bridge, address and routes with systemd-networkd.

Applied on trial only (``documents/trial.py``): a machine that can't prove its new network takes the
old one again.
"""

from __future__ import annotations

from homelab.documents import bonds as kernel
from homelab.documents.bonds import legs
from homelab.documents.document import Document, Layer
from homelab.documents.text import header, sweep
from homelab.documents.traits import Traits
from homelab.site import derived
from homelab.site.derived import mac
from homelab.site.model import Bond, Machine, Nic, Site
from homelab.site.rules.nics import OFFLOADS

FOLDER = "/etc/systemd/network"
DROP_IN = "/etc/systemd/networkd.conf.d/homelab.conf"
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
        activate=_activate(site, machine, documents),
        units=("systemd-networkd.service",),
        live=_live(site, machine, traits),
    )


def bonds(site: Site, machine: Machine) -> tuple[Bond, ...]:
    """The declared bonds that have a leg on this machine."""
    used = {nic.bond for nic in machine.nics}
    return tuple(bond for bond in site.network.bonds if bond.name in used)


def interface(site: Site, machine: Machine, traits: Traits) -> str:
    """The port that carries the machine's address: bridge, VLAN, first bond, or as found."""
    if machine.network == "foreign":
        return traits.interface
    return site.network.bridge or _carrier(site, machine, traits)


def names(site: Site, machine: Machine) -> list[str]:
    """All interfaces that are made: those on top first, as they have to be taken away."""
    used = [bond.name for bond in bonds(site, machine)]
    made = [site.network.bridge, *(vlan.bridge for vlan in site.network.vlans)]
    if site.network.vlan is not None:
        made.append(_carrier(site, machine, Traits()))
    if used:
        made += [f"{used[0]}.{vlan.id}" for vlan in site.network.vlans]
    return [name for name in made if name is not None] + used


def networkd_conf(site: Site) -> str:
    """Foreign routes and rules stay: else a flapping leg wipes Cilium's (cilium #18706)."""
    return header(site, "network") + (
        "[Network]\nManageForeignRoutes=no\nManageForeignRoutingPolicyRules=no\n"
    )


def resolv_conf(site: Site) -> str:
    """A plain file: Debian has no resolved by default, and kubelet hands this file to pods."""
    return header(site, "network") + "".join(f"nameserver {a}\n" for a in site.network.dns)


def _carrier(site: Site, machine: Machine, traits: Traits) -> str:
    """What is below a bridge, or stands for it: the VLAN, the first bond, a port."""
    used = bonds(site, machine)
    if site.network.vlan is not None:
        return f"{used[0].name}.{site.network.vlan}" if used else f"vlan{site.network.vlan}"
    return used[0].name if used else traits.interface


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
        text = head + match + "\n" + _mtu(site, bond) + enslave
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


def _mtu(site: Site, bond: Bond | None) -> str:
    mtu = bond.mtu if bond and bond.mtu else site.network.mtu
    return f"[Link]\nMTUBytes={mtu}\n\n"


def _tops(site: Site, machine: Machine) -> list[Document]:
    """What stands on the bonds (or on a port that stays alone): VLANs, bridges, the address."""
    used, net = bonds(site, machine), site.network
    made = [
        _file(site, TOPS, f"{bond.name}.network", _named(bond.name) + _mtu(site, bond) + QUIET)
        for bond in used[1:]
    ]
    first = used[0] if used else None
    name = first.name if first else "node"
    match = _named(name) if first else f"[Match]\nPermanentMACAddress={mac(machine.nics[0].mac)}\n"
    vlans = [] if net.vlan is None else [(_carrier(site, machine, Traits()), net.vlan)]
    vlans += [(f"{name}.{vlan.id}", vlan.id) for vlan in net.vlans if first]
    tagged = "".join(f"VLAN={vlan}\n" for vlan, _ in vlans)
    bridge = f"Bridge={net.bridge}\n" if net.bridge else ""
    top = f"[Network]\n{bridge}LinkLocalAddressing=no\n" if bridge else _address(site, machine)
    below = QUIET if net.vlan is not None else top
    made.append(
        _file(site, TOPS, f"{name}.network", match + "\n" + _mtu(site, first) + below + tagged)
    )
    for vlan, number in vlans:
        own = top if number == net.vlan else _extra(site, number)
        made += [
            _file(site, TAGGED, f"{vlan}.netdev",
                  f"[NetDev]\nName={vlan}\nKind=vlan\n\n[VLAN]\nId={number}\n"),
            _file(site, TAGGED, f"{vlan}.network", _named(vlan) + _mtu(site, None) + own),
        ]  # fmt: skip
    if net.bridge:
        address = mac(machine.nics[0].mac)
        made.append(_file(site, TAGGED, f"{net.bridge}.netdev", _bridge(net.bridge, address)))
        text = _named(net.bridge) + _mtu(site, None) + _address(site, machine)
        made.append(_file(site, TAGGED, f"{net.bridge}.network", text))
    for extra in net.vlans if first else ():
        if extra.bridge:
            made.append(_file(site, TAGGED, f"{extra.bridge}.netdev", _bridge(extra.bridge)))
            text = _named(extra.bridge) + _mtu(site, None) + QUIET + "ConfigureWithoutCarrier=yes\n"
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


def _live(site: Site, machine: Machine, traits: Traits) -> str:
    """True if the kernel has it so; else what differs, in words, on standard output."""
    port, net = interface(site, machine, traits), site.network
    address = f"{machine.address}/{derived.prefix_length(site)}"
    asked = [kernel.in_force(bond, legs(machine, bond)) for bond in bonds(site, machine)]
    asked += [
        f'[ -e {kernel.SYS}/{name} ] || no "{name} is not there"' for name in names(site, machine)
    ]
    asked += [
        f"ip -4 -o addr show dev {port} 2>/dev/null | grep -qF ' {address} ' || "
        f'no "{port} has not the address {address}"',
        f"ip -4 route show default | grep -q '^default via {net.gateway} dev {port} ' || "
        f'no "the way out is not {net.gateway} on {port}"',
        f'now=$(cat {kernel.SYS}/{port}/mtu 2>/dev/null); [ "$now" = {net.mtu} ] || '
        f'no "the MTU of {port} is ${{now:-unknown}}, not {net.mtu}"',
    ]
    asks = "\n".join(asked)
    return f'bad=; no() {{ echo "$*"; bad=1; }}\n{kernel.FUNCTIONS}{asks}\n[ -z "$bad" ]'


def _activate(site: Site, machine: Machine, documents: list[Document]) -> str:
    used = bonds(site, machine)
    settled = "\n".join(
        f"[ ! -e {kernel.SYS}/{bond.name} ] || {kernel.settled(bond, legs(machine, bond))} || "
        f"{{ ip link delete {bond.name}; anew=1; }}"
        for bond in used
    )
    change = "\n".join(
        f"appears {bond.name}\n{kernel.change(bond, legs(machine, bond))}" for bond in used
    )
    macs = " ".join(mac(nic.mac) for nic in machine.nics)
    return ACTIVATE.format(
        functions=kernel.FUNCTIONS,
        sweep=sweep("network", FOLDER, (document.path for document in documents)),
        settled=settled or ":",
        change=change or ":",
        macs=macs,
        names=" ".join(names(site, machine)),
        folder=FOLDER,
        drop_in=DROP_IN,
        sys=kernel.SYS,
    )


# Nothing is reloaded where nothing differs: networkctl reload takes legs out of a bond for seconds
# even then (systemd #25067, #31165), and networkd leaves the parameters of a living bond alone. So
# a bond that must be made anew is deleted, and a restart makes it; what the kernel changes on a
# living bond is written to the kernel. A restart too where networkd's own configuration changed:
# before 253 it reads that only when it starts, and Debian 12 has 252. It keeps all addresses.
ACTIVATE = """set -e
anew=
{functions}appears() {{
    for try in $(seq 100); do [ ! -e {sys}/"$1" ] || return 0; sleep 0.1; done
    echo "networkd did not make $1"; return 1
}}
{sweep}
mkdir -p /run/homelab
for name in $(cat /run/homelab/network.names 2>/dev/null); do
    case " {names} " in *" $name "*) ;; *) ip link delete "$name" 2>/dev/null || : ;; esac
done
echo "{names}" > /run/homelab/network.names
udevadm control --reload
{settled}
for unit in networking.service NetworkManager.service 'ifup@*.service'; do
    systemctl stop "$unit" 2>/dev/null || :
done
for address in {macs}; do
    for port in $(port_of "$address"); do
        udevadm test-builtin net_setup_link {sys}/"$port" >/dev/null 2>&1 || :
    done
done
conf=$(sha256sum {drop_in})
files=$(cat {folder}/*.network {folder}/*.link | sha256sum; ls {folder}/*.netdev 2>/dev/null || :)
if [ -n "$anew" ] || ! systemctl is-active --quiet systemd-networkd.service ||
   [ "$conf" != "$(cat /run/homelab/networkd.conf 2>/dev/null)" ]; then
    systemctl restart systemd-networkd.service
elif [ "$files" != "$(cat /run/homelab/networkd.files 2>/dev/null)" ]; then
    networkctl reload
fi
echo "$conf" > /run/homelab/networkd.conf
echo "$files" > /run/homelab/networkd.files
{change}
if [ -n "$anew" ]; then
    for unit in homelab-pod-routes.service keepalived.service; do
        systemctl --no-block try-restart "$unit" 2>/dev/null || :  # not there before the first node
    done
fi
"""
