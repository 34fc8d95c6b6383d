"""What a machine asks itself before it keeps a new network; see ``network_trial.sh``.

After kubernetes-nmstate (pkg/probe/probes.go): what answered before a change has to answer after
it, and the cluster always. Beyond it, the bond must have the partner that it was promised.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from homelab.documents.bonds import legs
from homelab.documents.network_force import in_force
from homelab.documents.ports import bonds
from homelab.documents.traits import Traits
from homelab.site.model import Bond, Machine, Site

GATEWAY = "the gateway answers"  # network_trial.sh knows this name


@dataclass(frozen=True)
class Probe:
    """``command`` is shell, true if all is well; its last line of output says what it met."""

    name: str
    kind: Literal["always", "before"]
    command: str

    def text(self) -> str:
        """The file that ``network_trial.sh`` runs."""
        return f"# {self.kind} {self.name}\n{self.command}\n"


def probes(site: Site, machine: Machine, traits: Traits) -> list[Probe]:
    """Of the network itself; what the cluster has to answer beside it is for the deploy to add."""
    found: list[Probe] = []
    for bond in bonds(site, machine):
        found.append(Probe(f"every leg of {bond.name} has a link", "always", links(bond)))
        if bond.mode == "802.3ad":
            command = lacp(bond, len(legs(machine, bond)))
            found.append(Probe(f"the switch bundles {bond.name}", "always", command))
    found += [
        Probe("the kernel has it as declared", "always", in_force(site, machine, traits)),
        Probe(GATEWAY, "always", gateway(site)),
        Probe("names are resolved", "before", "getent ahostsv4 deb.debian.org"),
    ]
    return found


def lacp(bond: Bond, legs: int) -> str:
    """All legs in the active aggregator, and both sides use each (IEEE 802.1AX port state)."""
    return LACP.format(wanted=legs, bond=bond.name)


LACP = """awk -v wanted={wanted} '
/^Slave Interface:/ {{ leg = $3; legs++; side = "" }}
!leg && /Aggregator ID:/ {{ active = $3 }}
leg && /^Aggregator ID:/ && $3 != active {{ bad[leg] = "is in another aggregator" }}
/details actor lacp pdu/ {{ side = "this side" }}
/details partner lacp pdu/ {{ side = "the switch" }}
side && /port state:/ {{
    # synchronization, collecting, distributing; and not defaulted, which is: nobody answered
    if (int($3 / 8) % 8 != 7) bad[leg] = side " does not use it"
    if (side == "this side" && int($3 / 64) % 2) bad[leg] = "hears no LACP"
}}
END {{
    for (leg in bad) said = said leg ": " bad[leg] "; "
    if (legs != wanted) said = said legs + 0 " of " wanted " legs"
    print said ? said : "all legs in one aggregator"
    exit said != ""
}}' /proc/net/bonding/{bond}"""


def links(bond: Bond) -> str:
    return (
        "awk '/^Slave Interface:/ {leg = $3} "
        '/^MII Status:/ && leg && $3 != "up" {said = said leg " is " $3 " "} '
        'END {print said ? said : "all up"; exit said != ""}\' '
        f"/proc/net/bonding/{bond.name}"
    )


def gateway(site: Site) -> str:
    """By ARP, which no router refuses: anything that is sent makes the kernel ask."""
    address = site.network.gateway
    return (
        f"ip -4 neigh flush to {address} >/dev/null 2>&1; "
        f"for t in 1 2 3 4 5 6; do timeout 1 bash -c 'echo > /dev/udp/{address}/9' 2>/dev/null; "
        f"ip -4 neigh show to {address} | grep -q 'lladdr.*REACHABLE' && exit 0; sleep 0.3; done; "
        f"echo '{address} does not answer ARP'; exit 1"
    )
