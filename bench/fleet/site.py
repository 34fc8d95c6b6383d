"""The fleet as pyinfra's inventory; HOMELAB_FLEET says how many hosts."""

from os import environ as _environ

from bench.fleet import hosts as _fleet
from homelab.lab import paths as _paths
from homelab.site import Api, Kubernetes, Machine, Network, Site, hosts

_count = int(_environ.get("HOMELAB_FLEET") or 1)
_planes = 3 if _count >= 3 else 1

_site = Site(
    name="fleet",
    machines=tuple(
        Machine(
            name=host.name,
            address=host.address,
            roles=("control_plane", "worker") if number < _planes else ("worker",),
            ssh_user="vagrant",
            ssh_key=str(_paths.ssh_key()),
            ssh_host_key="ignore",
            network="foreign",
        )
        for number, host in enumerate(_fleet.hosts(_count))
    ),
    network=Network(
        subnet=str(_fleet.SUBNET), gateway=str(_fleet.SUBNET[1]), dns=(str(_fleet.SUBNET[1]),)
    ),
    api=Api(name="api.fleet.internal", vip=str(_fleet.SUBNET[10])),
    kubernetes=Kubernetes(version="1.20.2", cni="bridge", coredns=False),
    allow_no_ha=_planes == 1,
)

control_plane = hosts(_site, __file__, "control_plane")
worker = hosts(_site, __file__, "worker")
