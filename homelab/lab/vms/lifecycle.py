"""`up` and `down` of VMs: from nothing to machines that answer SSH, and back to nothing."""

from homelab.lab import debian, netns, processes
from homelab.lab.access import Settings
from homelab.lab.errors import LabError
from homelab.lab.paths import Paths, state_root
from homelab.lab.plan import Machine
from homelab.lab.progress import say
from homelab.lab.vms import accel, machines
from homelab.lab.vms.box import Box
from homelab.lab.vms.faults import Vms

NEEDED = (
    *("qemu-system-x86", "qemu-utils", "openvswitch-switch", "dnsmasq-base", "ethtool"),
    *("libvirt-daemon-system", "libvirt-clients", "vagrant-libvirt", "iptables", "iputils-ping"),
)


def accelerator() -> str:
    """What runs the VMs here: "kvm", or "tcg", which is QEMU's emulation."""
    if debian.architecture() != "amd64":
        raise LabError("the VMs are for amd64", f"this is {debian.architecture()}")
    if why_not := accel.why_no_kvm():
        say(f"the VMs are emulated, some five to thirty times slower: {why_not}")
        return "tcg"
    say("the VMs run with KVM")
    return "kvm"


def up(paths: Paths, wanted: tuple[Machine, ...], box: Box, bundle: str) -> Vms:
    """Bring the VMs up, or what is missing of them; return the lab ready for SSH."""
    before = Settings.read(paths.machines_file)
    used = before.accel if before else accelerator()
    netns.create(paths.netns)
    settings = Settings(box.name, wanted, bundle, provider="libvirt", accel=used)
    lab = Vms(paths.name)
    machines.describe(lab, settings, box)
    lab = Vms(paths.name)
    keep(paths, box)
    lab.switch.start(wanted)
    lab.libvirt.start(kvm=used == "kvm")
    machines.bring_up(lab)
    return lab


def keep(paths: Paths, box: Box) -> None:
    """Say that this lab's disks lie upon a box, and maybe upon that of an earlier `up` as well."""
    link = paths.state / "boxes" / box.folder.name
    link.parent.mkdir(parents=True, exist_ok=True)
    if not link.is_symlink():
        link.symlink_to(box.folder)


def boxes_in_use() -> set[str]:
    """The folders of the cache that a lab's disks lie upon."""
    return {link.name for link in state_root().glob("*/boxes/*")}


def end(lab: Vms) -> None:
    """End everything that runs in the lab's network, found by that and by its name alone."""
    home = lab.paths.state / "vagrant"  # of an `up` that was killed
    processes.end(lambda pid: processes.started_for(pid, home))
    lab.libvirt.stop()
    lab.switch.stop()
