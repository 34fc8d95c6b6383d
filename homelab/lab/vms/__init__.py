"""VMs: machines with a kernel, a disk, a clock and three NICs of their own, on an LACP switch."""
