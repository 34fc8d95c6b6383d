"""Whether KVM runs a guest here. The device's existence proves nothing: a guest is booted."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from homelab.lab import debian

DEVICE = Path("/dev/kvm")
QEMU = "qemu-system-x86_64"
PATIENCE = 10.0  # seconds; where KVM works, the guest ends within one
CODE = 0x2A
# A boot sector in 16-bit code that writes CODE to isa-debug-exit's port, by which QEMU ends:
#   mov al, CODE;  out 0xf4, al;  halt: hlt;  jmp halt
SECTOR = bytes((0xB0, CODE, 0xE6, 0xF4, 0xF4, 0xEB, 0xFD)).ljust(510, b"\0") + b"\x55\xaa"
EXIT = CODE << 1 | 1  # hw/misc/debugexit.c


def why_no_kvm() -> str:
    """Why KVM can't run a guest on this machine; empty if it just ran one."""
    if not DEVICE.exists():
        return f"there is no {DEVICE}"
    if not os.access(DEVICE, os.R_OK | os.W_OK):
        return f"{DEVICE} may not be used"
    if shutil.which(QEMU) is None:
        debian.install_needed(("qemu-system-x86",))
    return boot("kvm")


def boot(accel: str, patience: float = PATIENCE) -> str:
    """Boot a guest of one sector and no more; say what went wrong, or nothing."""
    with tempfile.NamedTemporaryFile(prefix="homelab-boot-") as disk:
        disk.write(SECTOR)
        disk.flush()
        try:
            done = subprocess.run(
                argv(accel, disk.name),
                capture_output=True,
                text=True,
                timeout=patience,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"a guest hung for {patience:g} s"
        except OSError as error:
            return str(error)
    if done.returncode == EXIT:
        return ""
    said = done.stderr.strip().partition("\n")[0].removeprefix(f"{QEMU}: ")
    return f"a guest ended with {done.returncode}: {said}"


def argv(accel: str, disk: str) -> list[str]:
    """QEMU with nothing but a disk and the port that ends it, and with the CPU that the VMs get.

    A paravirtual KVM has been seen to run this guest on QEMU's plain CPU (in seven seconds), but to
    hang when a kernel began, and to fail with the host's CPU on a register that it lacks.
    """
    return [
        *(QEMU, "-nodefaults", "-display", "none", "-machine", "pc", "-m", "16"),
        *("-accel", accel, "-cpu", "max", "-drive", f"file={disk},format=raw,if=ide,snapshot=on"),
        *("-device", "isa-debug-exit,iobase=0xf4,iosize=0x01"),
    ]
