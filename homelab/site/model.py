"""What a site may declare. Every field of every class is documented where it stands.

Values are plain strings and numbers as a person writes them; the rules in ``homelab/site/rules``
say what is allowed, and ``homelab/site/derived.py`` says what follows from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

from homelab.site.declared import Declared

Role = Literal["control_plane", "worker", "balancer"]
NOTHING: Mapping[str, Any] = MappingProxyType({})


class Nic(Declared):
    """One network port of a machine."""

    mac: str  # permanent MAC address, any usual spelling
    bond: str | None = "bond0"  # the bond it is a leg of; None: a port that stays alone
    primary: bool = False  # the preferred leg (active-backup, balance-tlb, balance-alb)
    speed_mbps: int | None = None  # what its link has to have; None: what it negotiates
    wake_on_lan: bool | None = None  # by magic packet; None: as the card has it
    # ethtool -K's short names: {"tso": False}; what is not named stays as the driver has it
    offloads: Mapping[str, bool] = NOTHING
    # the switch's port it is plugged into, "GigabitEthernet0/0/7" or "GE0/0/7"
    port: str | None = None


class Bond(Declared):
    """A bond, on every machine that has legs for it. Options by their names in the kernel's
    document, https://docs.kernel.org/networking/bonding.html; rules/bonds.py knows what goes with
    what."""

    name: str = "bond0"
    mode: str = "802.3ad"
    # what the switch's ports are; None: what the mode needs. "static" is a group without LACP
    switch: Literal["lacp", "static", "none"] | None = None
    lacp_rate: Literal["fast", "slow"] = "fast"  # a silent partner is out after 3 s, or 90 s
    ad_select: Literal["stable", "bandwidth", "count"] = "stable"
    min_links: int = 1
    xmit_hash_policy: str = "layer3+4"
    miimon_ms: int = 100  # 0 only with arp_interval_ms
    up_delay_ms: int = 200
    down_delay_ms: int = 0
    arp_interval_ms: int = 0  # over 0: legs are watched by ARP, not by their link
    arp_targets: tuple[str, ...] = ()  # whom to ask, e.g. the gateway; 16 at most
    arp_validate: Literal["none", "active", "backup", "all"] = "none"
    arp_all_targets: Literal["any", "all"] = "any"
    primary_reselect: Literal["always", "better", "failure"] = "always"
    fail_over_mac: Literal["none", "active", "follow"] = "none"
    resend_igmp: int = 1  # membership reports after a change of the active leg, 0 to 255
    mtu: int | None = None  # of the bond; None: as the network


class Vlan(Declared):
    """A VLAN on the first bond that carries no address of the machine's: for bridges, for pods."""

    id: int
    bridge: str | None = None  # name of a bridge on top of it


class Machine(Declared):
    """One box of the rack, or its stand-in."""

    name: str  # host name and node name (RFC 1123 label)
    address: str  # IPv4 on the node subnet; also where SSH answers
    # where SSH answers until the machine's network is as declared (DHCP's address, a new box)
    first_address: str | None = None
    roles: tuple[Role, ...]
    ssh_user: str = "root"  # needs sudo without a password, if not root
    ssh_port: int = 22
    ssh_key: str | None = None  # private key file; None: the agent or ssh's defaults
    ssh_host_key: Literal["known", "accept-new", "ignore"] = "accept-new"
    nics: tuple[Nic, ...] = ()
    # "networkd": this toolkit configures bond, address and routes;
    # "foreign": somebody else does (DHCP, a hypervisor, Docker): they are checked, never set.
    network: Literal["networkd", "foreign"] = "networkd"
    labels: Mapping[str, str] = NOTHING
    taints: tuple[str, ...] = ()  # "key=value:NoSchedule", or "key:NoSchedule"


class Network(Declared):
    """The network of the machines, and the two that live inside the cluster."""

    subnet: str  # "192.168.0.0/24": all machines and the VIP
    gateway: str
    dns: tuple[str, ...]
    ntp: tuple[str, ...] = ()  # none: Debian's pool
    vlan: int | None = None  # tag of the node subnet on the bond
    bridge: str | None = None  # name of a bridge that has the machines' addresses, on top of all
    vlans: tuple[Vlan, ...] = ()  # beside the node subnet, tagged, without an address
    mtu: int = 1500  # of the node subnet
    bonds: tuple[Bond, ...] = (Bond(),)
    pod_cidr: str = "10.244.0.0/16"
    service_cidr: str = "10.96.0.0/16"
    admin_cidrs: tuple[str, ...] = ()  # who may use SSH, beside the node subnet


class Timings(Declared):
    """How fast a fault is noticed. The defaults are for real hardware on a wired network;
    docs/design.md explains what each second of an outage is made of and what to relax."""

    advert_ms: int = 100  # VRRP version 3 advertisement interval (RFC 5798)
    advert_fall: int = 6  # adverts missed in a row until a backup takes the VIP (the RFC has 3)
    reach_ms: int = 150  # balancers try to reach each control plane's port this often, this long
    reach_fall: int = 8  # failed tries until that machine is out
    check_ms: int = 500  # HAProxy asks each API server this often whether it is ready
    check_timeout_ms: int = 500
    ready_ms: int = 4000  # so long may /readyz take, which asks etcd's quorum over the network
    check_fall: int = 2  # failed checks until a backend is out
    check_rise: int = 2
    etcd_heartbeat_ms: int = 100
    etcd_election_ms: int = 1000
    lease_s: int = 15  # leader election of scheduler and controller manager
    lease_renew_s: int = 10
    lease_retry_s: int = 2
    node_status_s: int = 10  # kubelet's nodeStatusUpdateFrequency
    node_grace_s: int = 40  # a silent node is NotReady after this
    kubelet_ready_s: int = 1  # kubelet asks its API server's readiness this often (kubeadm's 1 s)
    kubelet_figures_s: int = 10  # kubelet reads its containers' figures (cAdvisor's housekeeping)
    gate_s: int = 300  # how long a gate waits before it says what is missing
    # a changed network is proven within this time, or the machine takes the old one again
    network_trial_s: int = 120


class Switch(Declared):
    """The rack's switch, a Huawei with VRP; the ports of its legs are ``Nic.port``. docs/switch.md
    says what is set on it, and that nothing else ever is."""

    address: str  # IPv4, where its SSH answers
    ssh_user: str  # of privilege level 3 or more: it saves and schedules reboots
    ssh_port: int = 22
    ssh_key: str | None = None  # private key file; None: the password
    # "known": its host key is in ~/.ssh/known_hosts; "ignore": any key, for a first look only
    ssh_host_key: Literal["known", "ignore"] = "known"
    # the environment variable that holds the password, which stands nowhere else
    password_variable: str = "SWITCH_PASSWORD"
    platform: Literal["vrp5", "vrp8"] = "vrp5"  # vrp8 (CloudEngine): a change needs a commit
    untagged_vlan: int = 1  # what legs send without a tag belongs to it
    load_balance: Literal["src-dst-ip", "src-dst-mac", "src-ip", "dst-ip", "src-mac", "dst-mac"] = (
        "src-dst-ip"
    )
    first_trunk: int = 1  # new Eth-Trunks take free numbers from here on
    # ports of an LACP group pass frames also while the machine is silent ("lacp force-forward"),
    # so that a box without its bond is reachable by one cable; not every release has it
    lone_legs: bool = False
    reboot_min: int = 10  # so long after the first line it reboots, unless the change is proven


class Api(Declared):
    """The one address of the cluster's API."""

    name: str  # DNS name, also a SAN of the API's certificate
    vip: str  # virtual IP address on the node subnet
    vrrp_id: int = 51  # VRRP virtual router id, unique on that subnet
    # Where HAProxy and keepalived run: on the control planes (VIP:8443), or on machines with
    # the role "balancer" (VIP:6443).
    balancers: Literal["control_planes", "machines"] = "control_planes"
    # Without etcd quorum no API server is ready. "closed": the balancer then answers 503/closes,
    # so a client fails at once; "open": it keeps any API server that is alive (stale reads).
    without_quorum: Literal["closed", "open"] = "closed"


class Ingress(Declared):
    """The way in for the world: the router's DMZ host and what it forwards to."""

    dmz: str  # name of the balancer (or control plane) that is the consumer router's DMZ host
    router: str | None = None  # the router's WAN name or address, for the docs and the probe
    http_node_port: int = 30080
    https_node_port: int = 30443


class Kubernetes(Declared):
    """The cluster itself."""

    version: str  # "1.36.4"
    runtime: Literal["containerd", "cri-o"] = "containerd"
    cni: Literal["cilium", "bridge"] = "cilium"
    kube_proxy: bool = True  # False: Cilium replaces it
    hubble: bool = False
    coredns: bool = True
    dns_domain: str = "cluster.local"
    audit_log: bool = True
    encrypt_secrets: bool = True
    image_repository: str | None = None  # None: kubeadm's default for this version


class Artefacts(Declared):
    """Where binaries, images and charts come from; see docs/artefacts.md."""

    source: Literal["upstream", "mirror", "bundle"] = "upstream"
    # mirror: "http://mirror.lan/homelab"; bundle: a folder on the controller
    base: str | None = None


class Site(Declared):
    """Everything. Declared once; all else is derived from it or compared with it."""

    name: str  # RFC 1123 label; kubeadm's clusterName
    machines: tuple[Machine, ...]
    network: Network
    api: Api
    kubernetes: Kubernetes
    artefacts: Artefacts = Artefacts()
    ingress: Ingress | None = None
    switch: Switch | None = None
    timings: Timings = Timings()
    allow_no_ha: bool = False  # one control plane, on purpose
    disk_p99_ms: float = 10.0  # bar for the fdatasync p99 of the disk under etcd
    disk_strict: bool = True  # False: a slow disk is a warning with the figure
