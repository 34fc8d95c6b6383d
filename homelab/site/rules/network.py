"""Network: the node subnet, and the networks inside the cluster."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network
from itertools import combinations

from homelab.site import derived
from homelab.site.fault import Fault
from homelab.site.model import Site
from homelab.site.rules import text
from homelab.site.rules.rule import items, machines, roles_are_known, rule

MOST_NAMESERVERS = 3  # resolv.conf(5), MAXNS; kubelet drops the others with a warning


@rule
def cidr_syntax(site: Site) -> Iterator[Fault]:
    """Networks are written as an IPv4 address, a slash and the length of the prefix."""
    for path, cidr in _cidrs(site):
        if text.network(cidr) is None:
            problem = "is no IPv4 network"
            if text.is_ipv6(cidr):
                problem = "is IPv6: this toolkit is IPv4 only"
            yield Fault(path, cidr, problem, "write it like 192.168.0.0/24")


@rule
def cidr_host_bits(site: Site) -> Iterator[Fault]:
    """The address of a network ends with its prefix."""
    for path, cidr in _cidrs(site):
        network = text.network(cidr)
        if network and text.address(cidr.partition("/")[0]) != network.network_address:
            problem = "has bits set after its prefix"
            yield Fault(path, cidr, problem, f'write "{network}" if that is the network you mean')


@rule
def cidr_special(site: Site) -> Iterator[Fault]:
    """Ranges that routers treat in their own way (RFC 6890) are for nobody's machines or pods."""
    for path, cidr in _cidrs(site):
        network = text.network(cidr)
        if network and not path.startswith("network.admin") and _is_special(network):
            problem = "is a loopback, link-local, multicast or reserved range"
            mend = "choose one from 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16"
            yield Fault(path, cidr, problem, mend)


def _is_special(network: IPv4Network) -> bool:
    ranges = ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3")
    return any(network.overlaps(IPv4Network(special)) for special in ranges)


@rule
def cidr_overlap(site: Site) -> Iterator[Fault]:
    """An address is a machine's, a pod's, a Service's or an admin's, never two of them."""
    known = [(path, net) for path, cidr in _cidrs(site) if (net := text.network(cidr))]
    for (first, one), (second, other) in combinations(known, 2):
        outside = all(not path.endswith(("pod_cidr", "service_cidr")) for path in (first, second))
        if one.overlaps(other) and not outside:  # admins may sit on the node subnet
            problem = f"overlaps {first}, {one}"
            yield Fault(second, str(other), problem, "choose ranges that share no address")


@rule
def subnet_too_small(site: Site) -> Iterator[Fault]:
    """The node subnet has room for all machines, the VIP and the gateway."""
    subnet = text.network(site.network.subnet)
    wanted = len(site.machines) + 2
    if subnet and subnet.num_addresses - 2 < wanted:
        problem = f"has {max(subnet.num_addresses - 2, 0)} addresses for {wanted}"
        mend = "choose a shorter prefix: machines, VIP and gateway each need an address"
        yield Fault("network.subnet", site.network.subnet, problem, mend)


@rule
def pod_cidr_too_small(site: Site) -> Iterator[Fault]:
    """Each node has a /24 of it: by its address (``bridge``), or the next free one (Cilium)."""
    pods, subnet = text.network(site.network.pod_cidr), text.network(site.network.subnet)
    roles_are_known(site)
    if not pods or not subnet:
        return
    numbers = [len(derived.nodes(site))]
    if site.kubernetes.cni == "bridge":  # derived.pod_subnet counts from the subnet's first
        for _, machine in machines(site, "address"):
            address = text.address(machine.address)
            if address and address in subnet and set(machine.roles) != {"balancer"}:
                numbers.append(int(address) - int(subnet.network_address) + 1)
    if max(numbers) * 256 > pods.num_addresses:
        why = "numbered by its address" if site.kubernetes.cni == "bridge" else "for each node"
        problem = f"has {pods.num_addresses // 256} blocks of /24, needed are {max(numbers)}, {why}"
        mend = "choose a shorter prefix, e.g. 10.244.0.0/16"
        yield Fault("network.pod_cidr", site.network.pod_cidr, problem, mend)


@rule
def service_cidr_size(site: Site) -> Iterator[Fault]:
    """kubeadm: at most 20 bits of host, and DNS is the tenth address (so /12 to /28).

    cmd/kubeadm/app/apis/kubeadm/validation/validation.go: ValidateServiceSubnetSize,
    ValidateIPNetFromString.
    """
    services = text.network(site.network.service_cidr)
    if services and not 12 <= services.prefixlen <= 28:
        problem = "is too large" if services.prefixlen < 12 else "is too small"
        mend = "kubeadm takes /12 to /28; 10.96.0.0/16 is usual"
        yield Fault("network.service_cidr", site.network.service_cidr, problem, mend)


@rule
def admin_everyone(site: Site) -> Iterator[Fault]:
    """SSH open to the world is what a DMZ host must never have."""
    for path, cidr in items("network.admin_cidrs", site.network.admin_cidrs):
        network = text.network(cidr)
        if network and network.prefixlen < 8:
            problem = "lets the world at SSH of every machine, the router's DMZ host among them"
            mend = "name the networks you sit in; the node subnet may use SSH anyway"
            yield Fault(path, cidr, problem, mend)


@rule
def gateway(site: Site) -> Iterator[Fault]:
    """The gateway is one IPv4 address."""
    if text.address(site.network.gateway) is None:
        problem, mend = text.why_no_address(site.network.gateway)
        yield Fault("network.gateway", site.network.gateway, problem, mend)


@rule
def gateway_outside_subnet(site: Site) -> Iterator[Fault]:
    """The gateway is on the node subnet, and no first or last address of it."""
    subnet, address = text.network(site.network.subnet), text.address(site.network.gateway)
    if subnet and address and address not in subnet:
        problem = f"is outside the node subnet {subnet}"
        mend = "write the router's address on that subnet, or mend network.subnet"
        yield Fault("network.gateway", site.network.gateway, problem, mend)


@rule
def gateway_reserved(site: Site) -> Iterator[Fault]:
    """The first and the last address of a subnet are nobody's."""
    subnet, address = text.network(site.network.subnet), text.address(site.network.gateway)
    if subnet and address in (subnet.network_address, subnet.broadcast_address):
        problem = f"is the network or broadcast address of {subnet}"
        yield Fault("network.gateway", site.network.gateway, problem, "write the router's address")


@rule
def dns_missing(site: Site) -> Iterator[Fault]:
    """A machine that we configure needs a name server."""
    ours = any(machine.network == "networkd" for _, machine in machines(site))
    if ours and not site.network.dns:
        yield Fault("network.dns", (), "is empty", "name one or two, e.g. the router's address")


@rule
def dns_syntax(site: Site) -> Iterator[Fault]:
    """Name servers are asked by address."""
    for path, server in items("network.dns", site.network.dns):
        if text.address(server) is None:
            problem, mend = text.why_no_address(server)
            yield Fault(path, server, problem, mend)


@rule
def dns_too_many(site: Site) -> Iterator[Fault]:
    """The C library reads three name servers; kubelet drops the rest."""
    if len(site.network.dns) > MOST_NAMESERVERS:
        problem = "has more than three name servers, and only three are asked"
        yield Fault("network.dns", site.network.dns, problem, "keep the best three")


@rule
def ntp_syntax(site: Site) -> Iterator[Fault]:
    """Time servers are DNS names or IPv4 addresses."""
    for path, server in items("network.ntp", site.network.ntp):
        as_name = not text.looks_like_address(server) and text.is_domain(server.lower())
        if not as_name and text.address(server) is None:
            problem = "is no DNS name and no IPv4 address"
            yield Fault(path, server, problem, "write it like ntp.example.org or 192.168.0.1")


@rule
def vlan_range(site: Site) -> Iterator[Fault]:
    """IEEE 802.1Q: 12 bits, 0 and 4095 reserved."""
    if site.network.vlan is not None and not 1 <= site.network.vlan <= 4094:
        mend = "use 1 to 4094, or None for untagged"
        yield Fault("network.vlan", site.network.vlan, "is no VLAN id", mend)


@rule
def mtu_range(site: Site) -> Iterator[Fault]:
    """IPv4 needs 68 bytes (RFC 791); x99 NICs and switches end at 9216."""
    if not 68 <= site.network.mtu <= 9216:
        mend = "use 1500, or 9000 where every port and switch has jumbo frames"
        yield Fault("network.mtu", site.network.mtu, "is no MTU between 68 and 9216", mend)


@rule
def mtu_small(site: Site) -> Iterator[Fault]:
    """Cilium's tunnel takes 50 bytes; below 1280 pods' TCP and DNS suffer."""
    if 68 <= site.network.mtu < 1280:
        problem = "leaves pods less than the 1280 bytes that programs count on"
        yield Fault("network.mtu", site.network.mtu, problem, "use 1500")


def _cidrs(site: Site) -> Iterator[tuple[str, str]]:
    for field in ("subnet", "pod_cidr", "service_cidr"):
        if hasattr(site.network, field):
            yield f"network.{field}", getattr(site.network, field)
    yield from items("network.admin_cidrs", site.network.admin_cidrs)
