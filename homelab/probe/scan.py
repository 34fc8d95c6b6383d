"""Which TCP ports of a machine answer, all 65,535 of them, by half-open connections.

A firewall that drops lets an ordinary connection wait for a second or more; here nothing waits:
one raw socket sends SYNs and hears the answers (RFC 9293; the kernel resets what it never asked
for). Each SYN that a firewall on the way forwards costs an entry of its connection tracking for
two minutes, so one source must not scan more than a few machines.
"""

from __future__ import annotations

import json
import select
import socket
import struct
import subprocess
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress

EVERY_PORT = range(1, 65536)
TCP = struct.Struct(
    "!HHLLBBHHH"
)  # ports, sequence, acknowledged, offset, flags, window, sum, urgent
SYN, ACK = 0x02, 0x10
OFFSET = 5 << 4  # a header of five words
BATCH = 200  # so many SYNs, then the answers so far
PAUSE_S = 0.004  # about 30,000 a second: virtual switches drop what comes in larger bursts
LAST_ANSWERS_S = 1.0
SOURCE_PORT = 61_999  # above the ephemeral ports: nobody else's connection


def open_ports(address: str, ports: Sequence[int] = EVERY_PORT) -> list[int]:
    """The ports of ``address`` that accept connections; asked twice, as packets get lost."""
    found: set[int] = set()
    source = _source(address)
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP) as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        raw.connect((address, 0))  # hears only this machine
        for _ in range(2):
            found |= _ask(raw, source, address, [p for p in ports if p not in found])
    return sorted(found)


def segment(source: str, address: str, port: int) -> bytes:
    """The TCP segment that asks ``port`` of ``address`` for a connection."""
    base = TCP.pack(SOURCE_PORT, port, 1, 0, OFFSET, SYN, 1024, 0, 0)
    pseudo = socket.inet_aton(source) + socket.inet_aton(address) + struct.pack("!HH", 6, TCP.size)
    return base[:16] + struct.pack("!H", checksum(pseudo + base)) + base[18:]


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071) of an even number of bytes."""
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def accepted(packet: bytes) -> int | None:
    """The port that an IPv4 packet accepts our connection from; None if it does not."""
    start = (packet[0] & 0x0F) * 4
    if len(packet) < start + TCP.size:
        return None
    fields = TCP.unpack_from(packet, start)
    both = SYN | ACK
    if fields[1] != SOURCE_PORT or fields[5] & both != both:
        return None
    return int(fields[0])


def _ask(raw: socket.socket, source: str, address: str, ports: Iterable[int]) -> set[int]:
    found: set[int] = set()
    for number, port in enumerate(ports):
        with suppress(ConnectionRefusedError):  # an ICMP answer to an earlier one
            raw.send(segment(source, address, port))
        if number % BATCH == BATCH - 1:
            found |= _answers(raw, time.monotonic() + PAUSE_S)
    return found | _answers(raw, time.monotonic() + LAST_ANSWERS_S)


def _answers(raw: socket.socket, until: float) -> set[int]:
    found = set()
    while (left := until - time.monotonic()) > 0:
        readable, _, _ = select.select([raw], [], [], left)
        if readable:
            port = accepted(raw.recv(256))
            if port is not None:
                found.add(port)
    return found


def _source(address: str) -> str:
    argv = ["ip", "-json", "route", "get", address]
    answer = json.loads(subprocess.run(argv, capture_output=True, check=True).stdout)
    return str(answer[0]["prefsrc"])
