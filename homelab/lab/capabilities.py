"""The capabilities a node container gets: those this machine has, less those that reach the host.

`--privileged` asks for all and fails where the machine itself lacks one.
"""

from pathlib import Path

# In the order of their numbers: include/uapi/linux/capability.h. Docker 20.10 knows
# none of the later ones (PERFMON, BPF, CHECKPOINT_RESTORE), which SYS_ADMIN includes.
NAMES = (
    *("CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID"),
    *("SETPCAP", "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW"),
    *("IPC_LOCK", "IPC_OWNER", "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT"),
    *("SYS_ADMIN", "SYS_BOOT", "SYS_NICE", "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD"),
    *("LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP", "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG"),
    *("WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ"),
)
# Kernel modules, the clock and the power switch are the host's alone.
WITHHELD = {"SYS_MODULE", "SYS_TIME", "SYS_BOOT"}


def bounding(status: str) -> int:
    """The bounding set out of the text of /proc/self/status."""
    (line,) = (line for line in status.splitlines() if line.startswith("CapBnd:"))
    return int(line.split()[1], 16)


def granted(mask: int) -> list[str]:
    """The names to pass to Docker."""
    has = [name for bit, name in enumerate(NAMES) if mask >> bit & 1]
    return [name for name in has if name not in WITHHELD]


def of_this_machine() -> list[str]:
    """The names to pass to Docker on this machine."""
    return granted(bounding(Path("/proc/self/status").read_text()))
