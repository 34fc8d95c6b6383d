"""The VMs' box: Debian with a kernel, the artefacts, a filled container store; nothing downloaded
but Debian's packages.

What is large lies in the cache once: the box that Vagrant gets is an empty overlay upon it.
"""

import json
import shutil
import tarfile
from dataclasses import dataclass
from pathlib import Path

from homelab.lab import cache, image
from homelab.lab.debian import Apt
from homelab.lab.paths import cache_root
from homelab.lab.plan import MOST, machines
from homelab.lab.progress import step
from homelab.lab.recipes.bundle import Bundle
from homelab.lab.shell import run

FILES = Path(__file__).with_name("guest")
PACKAGES = (*image.PACKAGES, "linux-image-cloud-amd64", "initramfs-tools", "lldpd")
GIB = 12  # the disk's size; a file only has what was written to it
KIND = "box"
DISK, KERNEL, INITRD, BOX = "disk.raw", "vmlinuz", "initrd.img", "homelab.box"
# The root in a mount namespace of its own, where the initial RAM disk finds /proc and /dev.
CHROOT = """
mount -t proc proc "$1/proc"
mount --rbind /dev "$1/dev"
exec chroot "$1" sh -eu -c "$2"
"""


@dataclass(frozen=True)
class Box:
    """A finished box: a folder of the cache."""

    folder: Path

    @property
    def name(self) -> str:
        """As Vagrant knows it; another content is another name."""
        return f"homelab-{self.folder.name.rpartition('-')[2]}"


def base_place(apt: Apt) -> Path:
    """Where in the cache the bare root with a kernel is, or will be."""
    return image.base_place(apt, "vm-base", PACKAGES)


def base(apt: Apt) -> Path:
    """A tar of Debian with the packages of a node and a kernel, and nothing of ours."""
    return image.base(apt, "vm-base", PACKAGES)


def box(bare: Path, bundle: Bundle) -> Box:
    """Make the box, or take it from the cache."""
    public = image.public_key()
    facts = {"base": bare.parent.name, "bundle": bundle.folder.name, "key": public}

    def build(folder: Path) -> None:
        log = cache_root() / "box.log"
        log.unlink(missing_ok=True)
        root = folder / "root"
        root.mkdir()
        with step("put the VMs' root together", usual=60):
            run(["tar", "-C", root, "--numeric-owner", "--xattrs", "-xf", bare])
            image.place(bundle, root)
            (root / "root" / "authorized_keys").write_text(public)
            (root / "root" / "management").write_text(management())
            for script in (image.FILES / "install.sh", FILES / "install.sh"):
                inside = ["unshare", "--mount", "sh", "-euc", CHROOT, "sh"]
                run([*inside, root, script.read_text()], log=log)
            run([image.FILES / "seed.sh", root, bundle.folder / "images"], log=log)
        with step("make the VMs' disk", usual=20):
            for link, name in (("vmlinuz", KERNEL), ("initrd.img", INITRD)):
                shutil.copyfile(root / link, folder / name)
            disk(root, folder / DISK)
            shutil.rmtree(root)
            # Vagrant's box is found by where it will be, not by where it is made.
            pack(folder, wanted / DISK)

    files = [*image.FILES.iterdir(), *FILES.iterdir(), Path(image.__file__), Path(__file__)]
    wanted = cache.place(KIND, cache.key(files, facts))
    return Box(cache.built(wanted, build))


def management() -> str:
    """networkd's file for the management NIC of whichever machine this becomes."""
    macs = " ".join(machine.management_mac for machine in machines(MOST, MOST))
    return (
        f"[Match]\nMACAddress={macs}\n\n[Link]\nRequiredForOnline=no\n\n"
        "[Network]\nDHCP=ipv4\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n\n"
        "[DHCPv4]\nClientIdentifier=mac\nUseDNS=no\nUseRoutes=no\nUseHostname=no\n"
    )


def disk(root: Path, dest: Path) -> None:
    """A file system with all below `root`, in a file with holes; it has no partitions."""
    with dest.open("wb") as file:
        file.truncate(GIB << 30)
    fresh = "assume_storage_prezeroed=1"  # or the guest would write zeros in its first minutes
    options = ["-q", "-F", "-m", "0", "-i", "32768", "-E", fresh, "-L", "root"]
    run(["mkfs.ext4", *options, "-d", root, dest])


def pack(folder: Path, upon: Path) -> None:
    """The box as Vagrant takes it: https://vagrant-libvirt.github.io/vagrant-libvirt/boxes.html."""
    work = folder / "box"
    work.mkdir()
    # -u: what it lies upon is not there yet.
    create = ["qemu-img", "create", "-q", "-u", "-f", "qcow2", "-F", "raw", "-b", str(upon)]
    run([*create, str(work / "box.img"), f"{GIB}G"])
    about = {"provider": "libvirt", "format": "qcow2", "virtual_size": GIB}
    (work / "metadata.json").write_text(json.dumps(about) + "\n")
    (work / "Vagrantfile").write_text("# All settings are in the lab's own Vagrantfile.\n")
    with tarfile.open(folder / BOX, "w") as tar:
        for name in sorted(path.name for path in work.iterdir()):
            tar.add(work / name, name)
    shutil.rmtree(work)
