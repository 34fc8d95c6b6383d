"""The lab: the machines that stand in for the rack, as `nox -s lab -- up` makes them.

Settings come from the environment, so that one command can ask for another lab:
HOMELAB_LAB (its name), HOMELAB_CONTROL_PLANES (3), HOMELAB_WORKERS (2), HOMELAB_SSH_KEY,
HOMELAB_BUNDLE (a folder; the newest in the cache, if not given), HOMELAB_PROVIDER ("libvirt": VMs
with three NICs each, whose network is ours to set up) and HOMELAB_SLOW (they are emulated).
"""

from os import environ as _environ

from homelab.lab import paths as _paths
from homelab.lab import plan as _plan
from homelab.site import (
    Api,
    Artefacts,
    Ingress,
    Kubernetes,
    Machine,
    Network,
    Nic,
    Site,
    Timings,
    hosts,
)
from homelab.site import Role as _Role

_control_planes = int(_environ.get("HOMELAB_CONTROL_PLANES") or _plan.CONTROL_PLANES)
_workers = int(_environ.get("HOMELAB_WORKERS") or _plan.WORKERS)
_key = _environ.get("HOMELAB_SSH_KEY") or str(_paths.ssh_key())
_bundles = sorted(_paths.cache_root().glob("bundle-*"), key=lambda folder: folder.stat().st_mtime)
_bundle = _environ.get("HOMELAB_BUNDLE") or str(
    _bundles[-1] if _bundles else _paths.cache_root() / "bundle"
)
_vms = _environ.get("HOMELAB_PROVIDER") == "libvirt"
# docs/design.md, "Timings": the column for slow machines.
_slow = Timings(
    advert_ms=1000,
    advert_fall=6,
    reach_ms=500,
    reach_fall=8,
    check_ms=5000,
    check_timeout_ms=5000,
    ready_ms=20000,
    check_fall=3,
    check_rise=2,
    etcd_heartbeat_ms=500,
    etcd_election_ms=5000,
    lease_s=60,
    lease_renew_s=40,
    lease_retry_s=5,
    node_status_s=10,
    node_grace_s=120,
    kubelet_ready_s=30,
    kubelet_figures_s=60,
    gate_s=1800,
    network_trial_s=300,
)


def _roles(control_plane: bool) -> tuple[_Role, ...]:
    """Without workers the control planes run pods as well."""
    if not control_plane:
        return ("worker",)
    return ("control_plane",) if _workers else ("control_plane", "worker")


_site = Site(
    name=_paths.default_name(),
    machines=tuple(
        Machine(
            name=machine.name,
            address=machine.address,
            roles=_roles("control-plane" in machine.roles),
            ssh_user="vagrant",
            ssh_key=_key,
            ssh_host_key="ignore",  # machines that live for minutes, in a namespace of their own
            # Docker's; or three NICs in an LACP group, which ask for an address until they are one
            network="networkd" if _vms else "foreign",
            nics=tuple(Nic(mac=mac, speed_mbps=1000) for mac in machine.leg_macs) if _vms else (),
            first_address=machine.leased if _vms else None,
        )
        for machine in _plan.machines(_control_planes, _workers)
    ),
    network=Network(
        subnet=str(_plan.SUBNET),
        gateway=str(_plan.GATEWAY),
        dns=(str(_plan.GATEWAY),),
        admin_cidrs=(str(_plan.MANAGEMENT),) if _vms else (),
    ),
    api=Api(name="api.lab.internal", vip=str(_plan.VIP)),
    kubernetes=Kubernetes(
        version="1.20.2",  # the one whose source Debian has
        cni="bridge",  # Cilium's and CoreDNS's images can't be built from Debian's packages
        coredns=False,
        image_repository="k8s.gcr.io",
    ),
    artefacts=Artefacts(source="bundle", base=_bundle),
    ingress=Ingress(dmz="cp1"),
    timings=_slow if _environ.get("HOMELAB_SLOW") else Timings(),
    allow_no_ha=_control_planes == 1,
    disk_strict=False,  # the disk is the host's: its figure is told, not judged
)

control_plane = hosts(_site, __file__, "control_plane")
worker = hosts(_site, __file__, "worker")
balancer = hosts(_site, __file__, "balancer")
