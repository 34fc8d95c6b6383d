"""Make the VMs: what they are, for the Vagrantfile, and Vagrant to bring them up."""

import contextlib
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from homelab.lab import processes
from homelab.lab.access import Settings
from homelab.lab.errors import LabError
from homelab.lab.machines import vagrant, wait_for_ssh
from homelab.lab.paths import Paths, ssh_key
from homelab.lab.plan import MANAGEMENT, Machine
from homelab.lab.progress import step
from homelab.lab.vms.box import BOX, INITRD, KERNEL, Box
from homelab.lab.vms.faults import Vms
from homelab.lab.vms.libvirt import NETWORK, POOL
from homelab.lab.vms.logs import console

CPUS = 2
MEMORY_MIB = 2560
SSH_PATIENCE = 600.0  # seconds, for many emulated machines on few cores
# libvirt knows two ways to say "all that this can do".
CPU_MODES = {"kvm": "host-passthrough", "tcg": "maximum"}
DRIVERS = {"kvm": "kvm", "tcg": "qemu"}
# Of the 29 CPU seconds that an emulated boot to SSH takes, the second line saves five.
QUICK = (
    "quiet mitigations=off fsck.mode=skip "
    "nokaslr init_on_alloc=0 cryptomgr.notests no_timer_check rcupdate.rcu_expedited=1"
)
# Go asks for the time without end. An emulated CPU does not promise a constant TSC, so the kernel
# takes the HPET: a system call and a way into QEMU each time. QEMU's TSC is the host's, the same
# for all CPUs.
CLOCKS = {"kvm": "", "tcg": " tsc=reliable"}
# No card fills in checksums on this way; and 802.3ad takes no leg of unknown speed.
NIC = "speed=1000,duplex=full,csum=off,gso=off,guest_csum=off,host_tso4=off,host_tso6=off"


def describe(lab: Vms, settings: Settings, box: Box) -> None:
    """Write machines.json."""
    paths = lab.paths
    libvirt = {
        "box_url": f"file://{box.folder / BOX}",
        "kernel": str(box.folder / KERNEL),
        "initrd": str(box.folder / INITRD),
        "driver": DRIVERS[settings.accel],
        "cpu_mode": CPU_MODES[settings.accel],
        "cpus": CPUS,
        "memory": MEMORY_MIB,
        "network": NETWORK,
        "network_address": str(MANAGEMENT),
        "boot_timeout": round(SSH_PATIENCE),
        "machines": {
            machine.name: one(lab, settings.accel, machine) for machine in settings.machines
        },
    }
    settings.write(paths.machines_file, {"private_key": str(ssh_key()), "libvirt": libvirt})


def one(lab: Vms, accel: str, machine: Machine) -> dict[str, object]:
    """What is different from VM to VM."""
    return {
        "address": machine.management,
        "mac": machine.management_mac,
        "console": str(console(lab, machine.name)),
        "cmd_line": command_line(accel, machine),
        "qemu_args": qemu_args(lab, machine),
    }


def command_line(accel: str, machine: Machine) -> str:
    """The kernel's."""
    quick = f"{QUICK}{CLOCKS[accel]}"
    return f"root=/dev/vda rw console=ttyS0 {quick} systemd.hostname={machine.name}"


def qemu_args(lab: Vms, machine: Machine) -> list[str]:
    """What libvirt has no words for: legs with a speed, on taps that are there already; and a
    socket of our own."""
    words = ["-qmp", f"unix:{lab.libvirt.monitor(machine.name)},server=on,wait=off"]
    for leg, (tap, mac) in enumerate(zip(machine.taps, machine.leg_macs, strict=True), start=1):
        words += ["-netdev", f"tap,id=leg{leg},ifname={tap},script=no,downscript=no"]
        # A slot that libvirt does not give to its own: QEMU makes ours before those.
        words += ["-device", f"virtio-net-pci,netdev=leg{leg},addr=0x1{leg},mac={mac},{NIC}"]
    return words


def bring_up(lab: Vms) -> None:
    """Make the missing machines with Vagrant, switch on those that are off, wait for SSH."""
    forget_killed(lab)
    states = {machine.name: lab.state(machine.name) for machine in lab.machines()}
    made = [name for name, state in states.items() if state == "missing"]
    if made:
        with step(f"make {', '.join(made)} with Vagrant", usual=20 + 10 * len(made)):
            vagrant(lab, "up", "--provider", "libvirt", *made)
        for name in made:
            whole(lab.paths, name).mkdir(parents=True)
    for name, state in states.items():
        if state == "off":
            lab.start(name)
    asked = [name for name, state in states.items() if state != "frozen"]
    with step("wait for SSH on every machine"), ThreadPoolExecutor() as pool:
        for wait in [pool.submit(wait_for_ssh, lab, name, SSH_PATIENCE) for name in asked]:
            wait.result()


def whole(paths: Paths, name: str) -> Path:
    """A folder that is there when Vagrant has made a machine and it answered."""
    return paths.state / "made" / name


def forget_killed(lab: Vms) -> None:
    """End and remove what a killed `up` left half done, and machines nobody wants any more."""
    home = lab.paths.state / "vagrant"
    processes.end(lambda pid: processes.started_for(pid, home))
    wanted = {machine.name for machine in lab.machines()}
    defined = (lab.paths.libvirt / "etc/qemu").glob(f"{lab.libvirt.domain('*')}.xml")
    names = {file.stem.removeprefix(lab.libvirt.domain("")) for file in defined}
    for name in names:
        if name not in wanted or not whole(lab.paths, name).is_dir():
            remove(lab, name)


def remove(lab: Vms, name: str) -> None:
    """Throw a machine away, its disk as well."""
    domain = lab.libvirt.domain(name)
    for words in (("destroy", domain), ("undefine", domain)):
        with contextlib.suppress(LabError):  # it is off; or it was never whole
            lab.libvirt.virsh(*words)
    with contextlib.suppress(LabError):
        lab.libvirt.virsh("vol-delete", "--pool", POOL, f"{domain}.img")
    shutil.rmtree(whole(lab.paths, name), ignore_errors=True)
    known = lab.paths.state / "vagrant" / lab.name / "machines" / name
    shutil.rmtree(known, ignore_errors=True)
