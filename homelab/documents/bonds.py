"""Bonds in networkd's words, and the shell that compares them with what the kernel has.

networkd keeps the old parameters of a living bond (systemd #9627, #20278, #36406) and reports
success, so whether a bond is as declared is read from the kernel, never from files.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from homelab.site import bonding
from homelab.site.bonding import Option
from homelab.site.derived import mac
from homelab.site.model import Bond, Machine, Nic

SYS = "/sys/class/net"


def legs(machine: Machine, bond: Bond) -> tuple[Nic, ...]:
    return tuple(nic for nic in machine.nics if nic.bond == bond.name)


def netdev(bond: Bond, members: tuple[Nic, ...]) -> str:
    """The bond's ``.netdev``. Its MAC is the first declared leg's: the same after every boot.

    With ``fail_over_mac=active`` it is the active leg's, and the kernel takes no other one.
    """
    own = f"MACAddress={mac(members[0].mac)}\n" if _own_mac(bond) else ""
    options = [
        f"{option.networkd}={value}{option.unit}"
        for option in bonding.options(bond)
        if (value := bonding.value(bond, option)) not in bonding.NOT_NETWORKDS
    ]
    return f"[NetDev]\nName={bond.name}\nKind=bond\n{own}\n[Bond]\n" + "\n".join(options) + "\n"


def udev_rules(bonds: Iterable[Bond]) -> str:
    """What networkd has no word for, set by udev when a bond appears; "" if there is nothing."""
    return "".join(
        f'SUBSYSTEM=="net", ACTION=="add", KERNEL=="{bond.name}", '
        f'ATTR{{bonding/{option.kernel}}}="{bonding.value(bond, option)}"\n'
        for bond in bonds
        for option in bonding.options(bond)
        if bonding.value(bond, option) in bonding.NOT_NETWORKDS
    )


def settled(bond: Bond, members: tuple[Nic, ...]) -> str:
    """Shell: true if the living bond has all that can't be changed while it lives.

    That is its MAC address too: the kernel takes another one, but every neighbour would have to
    learn it.
    """
    tests = [_has(bond, option) for option in bonding.options(bond) if not option.live]
    if _own_mac(bond):
        tests.append(f'[ "$(cat {SYS}/{bond.name}/address)" = {mac(members[0].mac)} ]')
    return "{ " + " && ".join(tests) + "; } 2>/dev/null"


def release(bond: Bond, members: tuple[Nic, ...]) -> str:
    """Shell that takes ports out of the living bond which are its legs no more."""
    macs = " ".join(mac(nic.mac) for nic in members)
    return (
        f"for leg in $(cat {SYS}/{bond.name}/bonding/slaves 2>/dev/null); do\n"
        f'    case " {macs} " in *" $(cat {SYS}/"$leg"/bonding_slave/perm_hwaddr) "*) ;; '
        '*) ip link set "$leg" nomaster ;; esac\ndone'
    )


def change(bond: Bond, members: tuple[Nic, ...]) -> str:
    """Shell that gives the living bond what can be changed while it lives; no packet is lost."""
    lines = []
    for option in bonding.options(bond):
        if option.live and option.kernel == "arp_ip_target":
            lines += _set_targets(bond)
        elif option.live:
            file = f"{SYS}/{bond.name}/bonding/{option.kernel}"
            value = shlex.quote(bonding.value(bond, option))
            lines.append(f"{_has(bond, option)} || echo {value} > {file}")
    if bond.mode in bonding.ONE_ACTIVE:
        leg, file = _preferred(bond, members), f"{SYS}/{bond.name}/bonding/primary"
        lines.append(f'[ "$(cat {file})" = "{leg}" ] || echo "{leg}" > {file}')
    return "\n".join(lines)


def _preferred(bond: Bond, members: tuple[Nic, ...]) -> str:
    """Shell word: the name of the leg that is preferred, if one is."""
    preferred = next((nic for nic in members if nic.primary), None)
    return f"$(leg_of {bond.name} {mac(preferred.mac)})" if preferred else ""


def _own_mac(bond: Bond) -> bool:
    return bond.mode != "active-backup" or bond.fail_over_mac != "active"


def in_force(bond: Bond, members: tuple[Nic, ...]) -> str:
    """Shell: true if the kernel's bond is as declared; else it prints in what it differs."""
    name = bond.name
    asked = [
        f'now={_now(bond, option)}; [ "$now" = {_wanted(bond, option)} ] || '
        f'no "{name}: {option.kernel} is ${{now:-not there}}, not {bonding.value(bond, option)}"'
        for option in bonding.options(bond)
    ]
    macs = " ".join(sorted(mac(nic.mac) for nic in members))
    asked.append(
        f'now=$(legs_of {name}); [ "$now" = "{macs}" ] || '
        f'no "{name}: its legs are ${{now:-none}}, not {macs}"'
    )
    if _own_mac(bond):
        address = mac(members[0].mac)
        asked.append(
            f'now=$(cat {SYS}/{name}/address 2>/dev/null); [ "$now" = {address} ] || '
            f'no "{name}: its MAC address is $now, not {address}"'
        )
    if bond.mode in bonding.ONE_ACTIVE:
        asked.append(
            f"now=$(cat {SYS}/{name}/bonding/primary 2>/dev/null); "
            f"wanted={_preferred(bond, members)}; "
            f'[ "$now" = "$wanted" ] || no "{name}: primary is ${{now:-no leg}}, not '
            '${wanted:-any}"'
        )
    return "\n".join(asked)


def _has(bond: Bond, option: Option) -> str:
    return f'[ "{_now(bond, option)}" = {_wanted(bond, option)} ]'


def _now(bond: Bond, option: Option) -> str:
    """The kernel writes a name and its number, "802.3ad 4"; of targets, a list in any order."""
    file = f"{SYS}/{bond.name}/bonding/{option.kernel}"
    if option.kernel == "arp_ip_target":
        return f"$(tr ' ' '\\n' 2>/dev/null < {file} | grep . | LC_ALL=C sort | paste -sd' ')"
    return f"$(cut -d' ' -f1 {file} 2>/dev/null)"


def _wanted(bond: Bond, option: Option) -> str:
    value = bonding.value(bond, option)
    if option.kernel == "arp_ip_target":
        value = " ".join(sorted(bond.arp_targets))
    return shlex.quote(value)


def _set_targets(bond: Bond) -> list[str]:
    """The kernel takes one at a time, with a sign (bond_option_arp_ip_targets_set)."""
    file = f"{SYS}/{bond.name}/bonding/arp_ip_target"
    wanted = " ".join(bond.arp_targets)
    return [
        f'for t in {wanted}; do case " $(cat {file}) " in *" $t "*) ;; *) echo "+$t" > {file};; '
        "esac; done",
        f'for t in $(cat {file}); do case " {wanted} " in *" $t "*) ;; *) echo "-$t" > {file};; '
        "esac; done",
    ]


# Legs by permanent MAC: names change with a BIOS update or another slot.
FUNCTIONS = f"""leg_of() {{ # BOND MAC: the name of the leg with that permanent address
    for leg in $(cat {SYS}/"$1"/bonding/slaves 2>/dev/null); do
        [ "$(cat {SYS}/"$leg"/bonding_slave/perm_hwaddr)" != "$2" ] || echo "$leg"
    done
}}
legs_of() {{ # BOND: the permanent addresses of its legs
    for leg in $(cat {SYS}/"$1"/bonding/slaves 2>/dev/null); do
        cat {SYS}/"$leg"/bonding_slave/perm_hwaddr
    done | sort | paste -sd' '
}}
port_of() {{ # MAC: the name of the port with that permanent address
    for port in {SYS}/*; do
        [ -e "$port/device" ] || continue
        own=$(cat "$port/bonding_slave/perm_hwaddr" 2>/dev/null || cat "$port/address")
        [ "$own" != "$1" ] || echo "${{port##*/}}"
    done
}}
"""
