"""One leg that loses frames as a bad cable does: counted by its driver, unseen by its link.

A packet filter (`Vms.loss`) drops what the driver has delivered, so no card counts it. XDP drops
inside of the driver: virtio_net counts that under rx_dropped (``receive_mergeable`` in
drivers/net/virtio_net.c).
"""

from __future__ import annotations

import shlex
import struct

from tests.e2e.support.rig import Rig

PIN = "/sys/fs/bpf/one-in-a-hundred"
XDP_DROP, XDP_PASS, RANDOM = 1, 2, 7  # include/uapi/linux/bpf.h


def _instruction(code: int, offset: int = 0, value: int = 0) -> bytes:
    return struct.pack("<BBhi", code, 0, offset, value)


ONE_IN_A_HUNDRED = b"".join(
    [
        _instruction(0x85, value=RANDOM),  # r0 = bpf_get_prandom_u32()
        _instruction(0x94, value=100),  # r0 %= 100
        _instruction(0x55, offset=2),  # if r0 != 0, skip two
        _instruction(0xB7, value=XDP_DROP),
        _instruction(0x95),  # return r0
        _instruction(0xB7, value=XDP_PASS),
        _instruction(0x95),
    ]
)
# bpf(2) by hand: a node has no compiler and no bpftool, and Perl is in every Debian.
LOAD = """
my ($text, $pin, $license, $log) = (pack("H*", $ARGV[0]), "$ARGV[1]\\0", "GPL\\0", "\\0" x 4096);
my $program = pack("LLppLLpL", 6, length($text) / 8, $text, $license, 1, length($log), $log, 0);
my $fd = syscall(321, 5, $program . "\\0" x 64, length($program) + 64);
$fd >= 0 or die "BPF_PROG_LOAD: $!: ", $log =~ s/\\0//gr;
my $object = pack("pLL", $pin, $fd, 0);
syscall(321, 6, $object, length($object)) == 0 or die "BPF_OBJ_PIN: $!";
"""


def begin(rig: Rig, machine: str, leg: str) -> None:
    """From here on one frame in a hundred that arrives on ``leg`` is lost."""
    load = f"perl -e {shlex.quote(LOAD)} {ONE_IN_A_HUNDRED.hex()} {PIN}"
    mounted = "mountpoint -q /sys/fs/bpf || mount -t bpf bpf /sys/fs/bpf"
    rig.root(machine, f"{mounted}; {load} && ip link set {leg} xdp pinned {PIN}")


def end(rig: Rig, machine: str, leg: str) -> None:
    """Nothing is lost any more."""
    rig.root(machine, f"ip link set {leg} xdp off; rm -f {PIN}")
