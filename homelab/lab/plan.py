"""The lab's address plan, and which machines it has.

The addresses never leave the lab's network namespace, so that two labs may use
the same ones at the same time.
"""

import os
from dataclasses import asdict, dataclass
from ipaddress import IPv4Address, IPv4Network

from homelab.lab.errors import LabError

SUBNET = IPv4Network("10.77.0.0/24")
GATEWAY = SUBNET[1]
VIP = SUBNET[10]
LEASED = 100  # a VM that nobody has configured yet has its address plus this, by DHCP on a leg
# The network on which Vagrant reaches VMs whatever happens to their bonds, as a board's own
# management port would.
MANAGEMENT = IPv4Network("10.78.0.0/24")
LEGS = 3
CONTROL_PLANES = 3
WORKERS = 2
MOST = 9  # of a kind: their addresses are .11 to .19 and .21 to .29


@dataclass(frozen=True)
class Machine:
    """What the lab has to know of a machine."""

    name: str
    address: str
    roles: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        """As in machines.json."""
        return asdict(self)

    @property
    def number(self) -> int:
        """The last byte of the machine's address; all else of it is numbered by this."""
        return int(IPv4Address(self.address)) - int(SUBNET.network_address)

    @property
    def leased(self) -> str:
        """A VM's address on the node subnet until its network is as declared."""
        return str(SUBNET[self.number + LEASED])

    @property
    def management(self) -> str:
        """A VM's address on the management network."""
        return str(MANAGEMENT[self.number])

    @property
    def management_mac(self) -> str:
        """The MAC address of the VM's management NIC."""
        return _mac(self.number, 0)

    @property
    def leg_macs(self) -> tuple[str, ...]:
        """The MAC addresses of the VM's three NICs, leg 1 first."""
        return tuple(_mac(self.number, leg) for leg in range(1, LEGS + 1))

    @property
    def taps(self) -> tuple[str, ...]:
        """The switch's ends of the VM's cables, leg 1 first."""
        return tuple(f"{self.name}-leg{leg}" for leg in range(1, LEGS + 1))


def machines(control_planes: int = CONTROL_PLANES, workers: int = WORKERS) -> tuple[Machine, ...]:
    """The machines of a lab of that size: cp1 …, then w1 …."""
    if not 1 <= control_planes <= MOST or not 0 <= workers <= MOST:
        why = f"1 to {MOST} control planes and 0 to {MOST} workers fit into {SUBNET}"
        raise LabError(f"{control_planes} control planes and {workers} workers", why)
    return tuple(
        Machine(f"cp{n}", str(_address(10 + n)), ("control-plane", "balancer"))
        for n in range(1, control_planes + 1)
    ) + tuple(Machine(f"w{n}", str(_address(20 + n)), ("worker",)) for n in range(1, workers + 1))


def from_environment(workers: int = WORKERS) -> tuple[Machine, ...]:
    """The machines by HOMELAB_CONTROL_PLANES and HOMELAB_WORKERS, as the inventory has them.

    `workers` counts where the environment says nothing.
    """
    return machines(
        int(os.environ.get("HOMELAB_CONTROL_PLANES") or CONTROL_PLANES),
        int(os.environ.get("HOMELAB_WORKERS") or workers),
    )


def _mac(number: int, port: int) -> str:
    """52:54:00 is QEMU's and libvirt's prefix for NICs that are nobody's."""
    return f"52:54:00:77:{number:02x}:{port:02x}"


def _address(last: int) -> IPv4Address:
    return SUBNET[last]
