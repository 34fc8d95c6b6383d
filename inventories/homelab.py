"""The rack: four x99 boxes, one switch, a consumer router.

This is the file to edit. `nox -s check -- inventories/homelab.py` prints what follows from it, or
every fault at once, and touches nothing. Every key is explained in homelab/site/model.py. Names
here start with `_`, because pyinfra takes every other list of this file for a group of hosts.
"""

from homelab.site import (
    Api,
    Artefacts,
    Ingress,
    Kubernetes,
    Machine,
    Network,
    Nic,
    Site,
    hosts,
)

_site = Site(
    name="homelab",
    machines=(
        # Three control planes: one may die, or be rebooted, and nobody notices. They run pods too;
        # leave "worker" out to keep them for the control plane alone.
        #
        # mac: the sticker on the box, or `ip -br link` on it. All ports of a machine are legs of
        # bond0; write Nic(mac=…, bond=None) if there is a single port.
        Machine(
            name="x99-1",
            address="192.168.10.11",
            roles=("control_plane", "worker"),
            ssh_user="admin",  # needs sudo without a password
            nics=(
                Nic(mac="0c:c4:7a:10:00:11"),
                Nic(mac="0c:c4:7a:10:00:12"),
                Nic(mac="0c:c4:7a:10:00:13"),
            ),
        ),
        Machine(
            name="x99-2",
            address="192.168.10.12",
            roles=("control_plane", "worker"),
            ssh_user="admin",
            nics=(
                Nic(mac="0c:c4:7a:10:00:21"),
                Nic(mac="0c:c4:7a:10:00:22"),
                Nic(mac="0c:c4:7a:10:00:23"),
            ),
        ),
        Machine(
            name="x99-3",
            address="192.168.10.13",
            roles=("control_plane", "worker"),
            ssh_user="admin",
            nics=(
                Nic(mac="0c:c4:7a:10:00:31"),
                Nic(mac="0c:c4:7a:10:00:32"),
                Nic(mac="0c:c4:7a:10:00:33"),
            ),
        ),
        # Workers: as many as you like. Labels and taints are what kubectl would show.
        Machine(
            name="x99-4",
            address="192.168.10.14",
            roles=("worker",),
            ssh_user="admin",
            nics=(
                Nic(mac="0c:c4:7a:10:00:41"),
                Nic(mac="0c:c4:7a:10:00:42"),
                Nic(mac="0c:c4:7a:10:00:43"),
            ),
            labels={"homelab/disk": "large"},
        ),
    ),
    # The switch has one LACP group for each machine's three ports (802.3ad, fast). Cables may be
    # pulled one by one. bonds=(Bond(mode="active-backup"),) is for a switch without LACP.
    network=Network(
        subnet="192.168.10.0/24",
        gateway="192.168.10.1",  # the router
        dns=("192.168.10.1",),
        ntp=("0.debian.pool.ntp.org", "1.debian.pool.ntp.org"),
        # vlan=10,   # if the switch hands the node subnet out tagged
        # mtu=9000,  # if every port, switch and machine of this subnet has jumbo frames
        pod_cidr="10.244.0.0/16",  # both inside the cluster only; they may not overlap your LAN's
        service_cidr="10.96.0.0/16",
        # The node subnet may use SSH anyway; beside it, e.g. a VPN. Never the world.
        admin_cidrs=("10.8.0.0/24",),
    ),
    # A Huawei with VRP gets these groups from here, once each Nic has its port="GE0/0/1":
    # switch=Switch(address="192.168.10.2", ssh_user="admin"),  # docs/switch.md
    #
    # One name and one address for the API, whichever machine is alive. A free address outside the
    # router's DHCP range. api.homelab.home.arpa needs no DNS: the deploy writes /etc/hosts.
    api=Api(
        name="api.homelab.home.arpa",
        vip="192.168.10.10",
        vrrp_id=51,  # unique among all VRRP users (routers!) of this subnet
    ),
    # Cilium in place of kube-proxy; Hubble shows who talks to whom.
    kubernetes=Kubernetes(
        version="1.36.4",
        runtime="containerd",
        cni="cilium",
        kube_proxy=False,
        hubble=True,
    ),
    # source="mirror", base="http://mirror.lan/homelab", or source="bundle", base="/srv/bundle"
    # for a rack without the internet.
    artefacts=Artefacts(source="upstream"),
    # The world's way in: make x99-1 the router's DMZ host ("exposed host"), and forward one port,
    # 8443/tcp, to the VIP. Nothing else of any machine answers the world.
    ingress=Ingress(dmz="x99-1"),
)

control_plane = hosts(_site, __file__, "control_plane")
worker = hosts(_site, __file__, "worker")
balancer = hosts(_site, __file__, "balancer")
