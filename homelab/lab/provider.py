"""What the machines of a lab are: node containers or VMs, and which of the two serves best here."""

from homelab.lab.access import Settings
from homelab.lab.containers import Containers
from homelab.lab.faults import Lab
from homelab.lab.paths import Paths, default_name
from homelab.lab.vms import accel
from homelab.lab.vms.faults import Vms

PROVIDERS = ("docker", "libvirt")  # as Vagrant calls them


def opened(name: str | None = None) -> Lab:
    """The lab of that name (or HOMELAB_LAB's), by what its machines are; it may be down."""
    settings = Settings.read(Paths(name or default_name()).machines_file)
    if settings and settings.provider == "libvirt":
        return Vms(name)
    return Containers(name)


def best() -> tuple[str, str]:
    """The provider that serves best on this machine, and why, as a sentence for a person.

    With KVM a VM is as fast as a container and shows more. Emulated, a machine takes the time of
    thirty: enough for what needs a kernel of its own, too slow for a cluster and its faults.
    """
    if why_not := accel.why_no_kvm():
        why = f"no KVM here ({why_not})"
        return "docker", f"the machines are node containers: {why}; VMs: --provider libvirt"
    return "libvirt", "the machines are VMs: KVM runs a guest; containers: --provider docker"
