"""Whether the kernel has a machine's network as declared, and the shell that brings it there."""

from __future__ import annotations

from collections.abc import Iterable

from homelab.documents import bonds as kernel
from homelab.documents.bonds import legs
from homelab.documents.ports import bonds, interface, mtu_of, names
from homelab.documents.text import sweep
from homelab.documents.traits import Traits
from homelab.site import derived
from homelab.site.derived import mac
from homelab.site.model import Machine, Site

FOLDER = "/etc/systemd/network"
DROP_IN = "/etc/systemd/networkd.conf.d/homelab.conf"


def in_force(site: Site, machine: Machine, traits: Traits) -> str:
    """True if the kernel has it so; else what differs, in words, on standard output."""
    port, net = interface(site, machine, traits), site.network
    address = f"{machine.address}/{derived.prefix_length(site)}"
    used = bonds(site, machine)
    asked = [kernel.in_force(bond, legs(machine, bond)) for bond in used]
    asked += [_has_mtu(bond.name, mtu_of(site, bond)) for bond in used if bond.name != port]
    asked += [
        f'[ -e {kernel.SYS}/{name} ] || no "{name} is not there"' for name in names(site, machine)
    ]
    asked += [
        f"ip -4 -o addr show dev {port} 2>/dev/null | grep -qF ' {address} ' || "
        f'no "{port} has not the address {address}"',
        f"ip -4 route show default | grep -q '^default via {net.gateway} dev {port} ' || "
        f'no "the way out is not {net.gateway} on {port}"',
        _has_mtu(port, net.mtu),
    ]
    asks = "\n".join(asked)
    return f'bad=; no() {{ echo "$*"; bad=1; }}\n{kernel.FUNCTIONS}{asks}\n[ -z "$bad" ]'


def _has_mtu(port: str, mtu: int) -> str:
    return (
        f'now=$(cat {kernel.SYS}/{port}/mtu 2>/dev/null); [ "$now" = {mtu} ] || '
        f'no "the MTU of {port} is ${{now:-unknown}}, not {mtu}"'
    )


def activate(site: Site, machine: Machine, paths: Iterable[str]) -> str:
    """Shell that does no more than what differs asks for; see ``ACTIVATE``."""
    used = bonds(site, machine)
    settled = "\n".join(
        f"[ ! -e {kernel.SYS}/{bond.name} ] || {kernel.settled(bond, legs(machine, bond))} || "
        f"{{ ip link delete {bond.name}; anew=1; }}"
        for bond in used
    )
    released = "\n".join(kernel.release(bond, legs(machine, bond)) for bond in used)
    change = "\n".join(
        f"appears {bond.name}\n{kernel.change(bond, legs(machine, bond))}" for bond in used
    )
    macs = " ".join(mac(nic.mac) for nic in machine.nics)
    return ACTIVATE.format(
        functions=kernel.FUNCTIONS,
        sweep=sweep("network", FOLDER, paths),
        settled=settled or ":",
        released=released or ":",
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
anew= changed=
{functions}appears() {{
    for try in $(seq 100); do [ ! -e {sys}/"$1" ] || return 0; sleep 0.1; done
    echo "networkd did not make $1"; return 1
}}
made=$(sed -n 's/^Name=//p' {folder}/0?-homelab-*.netdev 2>/dev/null || :)
{sweep}
mkdir -p /run/homelab
for name in $made; do
    case " {names} " in *" $name "*) ;; *) ip link delete "$name" 2>/dev/null || : ;; esac
done
udevadm control --reload
{settled}
{released}
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
    changed=1
elif [ "$files" != "$(cat /run/homelab/networkd.files 2>/dev/null)" ]; then
    networkctl reload
    changed=1
fi
echo "$conf" > /run/homelab/networkd.conf
echo "$files" > /run/homelab/networkd.files
{change}
restarted() {{ systemctl --no-block try-restart "$1" 2>/dev/null || :; }}  # if it is there
[ -z "$changed" ] || restarted homelab-pod-routes.service
[ -z "$anew" ] || restarted keepalived.service
"""
