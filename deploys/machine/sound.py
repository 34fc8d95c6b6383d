"""The named conditions that end the phases host and network, asked of the machine itself."""

from __future__ import annotations

from homelab.documents.firewall import firewall
from homelab.documents.host import host, sysctls
from homelab.documents.traits import Traits
from homelab.site.model import Machine, Site
from operations.condition import Condition


def base(site: Site, machine: Machine, traits: Traits) -> list[Condition]:
    """Name, kernel settings, swap, time sync, firewall: what the layers declare is what is."""
    wanted = " ".join(f"{name}={value}" for name, value in sysctls(site, machine, traits).items())
    rules = firewall(site, machine, traits)
    found = [
        Condition(
            "it bears its name",
            f'echo "it is called $(hostname)"; [ "$(hostname)" = {machine.name} ]',
            "hostnamectl",
        ),
        Condition(
            "the kernel has the declared settings",
            f'for s in {wanted}; do now=$(sysctl -n "${{s%%=*}}"); '
            '[ "$now" = "${s#*=}" ] || bad="$bad ${s%%=*} is $now;"; done; '
            'echo "${bad:-as declared}"; [ -z "${bad:-}" ]',
            "sudo sysctl --system | less  # which file has the last word",
        ),
        Condition(
            "the firewall is loaded and proven",
            f"{rules.live} && echo yes || {{ echo no; exit 1; }}",
            "sudo nft list table inet homelab; systemctl status homelab-firewall",
        ),
    ]
    if not traits.container:
        found.append(
            Condition(
                "there is no swap",
                'on=$(swapon --noheadings --show=NAME | paste -sd" "); echo "${on:-none}"; '
                '[ -z "$on" ]',
                "swapon --show; grep swap /etc/fstab; systemctl list-units --type=swap",
            )
        )
    found += [
        Condition(f"{unit} runs", f"systemctl is-active {unit}", f"systemctl status {unit}")
        for unit in host(site, machine, traits).units
    ]
    return found


def network(site: Site, machine: Machine) -> list[Condition]:
    """Address, way out and all legs of each bond, of a machine whose network is ours to set."""
    gateway = site.network.gateway
    found = [
        Condition(
            f"it has the address {machine.address}",
            "ip -4 -br addr show scope global | paste -sd';'; "
            f"ip -4 addr show | grep -q ' {machine.address}/'",
            "networkctl status --all",
        ),
        Condition(
            f"its way out is {gateway}",
            "ip -4 route show default | paste -sd';'; "
            f"ip -4 route show default | grep -q 'via {gateway} '",
            "ip route; networkctl status --all",
        ),
    ]
    for bond in site.network.bonds:
        legs = sum(nic.bond == bond.name for nic in machine.nics)
        if legs:
            found.append(
                Condition(
                    f"{bond.name} has its {legs} legs, all with a link",
                    "up=$(awk '/^Slave Interface/ {leg = 1} leg && /^MII Status: up/ "
                    f"{{n++; leg = 0}} END {{print n + 0}}' /proc/net/bonding/{bond.name}); "
                    f'echo "$up of {legs} are up"; [ "$up" = {legs} ]',
                    f"cat /proc/net/bonding/{bond.name}; networkctl status {bond.name}",
                )
            )
    return found
