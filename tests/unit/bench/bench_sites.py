"""A site as small as bench needs it: three control planes, a worker."""

from homelab.documents.traits import Traits
from homelab.site import Api, Kubernetes, Machine, Network, Site

NODES = {"cp-1": 11, "cp-2": 12, "cp-3": 13, "w1": 21}
SITE = Site(
    name="measured",
    machines=tuple(
        Machine(
            name=name,
            address=f"10.9.0.{last}",
            roles=("worker",) if name == "w1" else ("control_plane",),
            ssh_user="vagrant",
            ssh_key="/keys/id",
            ssh_host_key="ignore",
            network="foreign",
        )
        for name, last in NODES.items()
    ),
    network=Network(subnet="10.9.0.0/24", gateway="10.9.0.1", dns=("10.9.0.1",)),
    api=Api(name="api.measured.internal", vip="10.9.0.10"),
    kubernetes=Kubernetes(version="1.20.2", cni="bridge", coredns=False),
)
TRAITS = {name: Traits(container=True, sys_resource=False) for name in NODES}
