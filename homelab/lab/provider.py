"""What the machines of a lab are: node containers or VMs."""

from homelab.lab.access import Settings
from homelab.lab.containers import Containers
from homelab.lab.faults import Lab
from homelab.lab.paths import Paths, default_name
from homelab.lab.vms.faults import Vms

PROVIDERS = ("docker", "libvirt")  # as Vagrant calls them


def opened(name: str | None = None) -> Lab:
    """The lab of that name (or HOMELAB_LAB's), by what its machines are; it may be down."""
    settings = Settings.read(Paths(name or default_name()).machines_file)
    if settings and settings.provider == "libvirt":
        return Vms(name)
    return Containers(name)
