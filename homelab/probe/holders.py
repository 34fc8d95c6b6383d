"""Who holds the VIP: asks the whole segment by ARP and counts the machines that answer.

A switch or a neighbour table knows one holder, the last that spoke. Only asking everybody shows
two at once (RFC 826; every Linux machine that has the address answers for it).
"""

from __future__ import annotations

import json
import select
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Iterator, Sequence
from typing import IO

from homelab.probe.attempt import Attempt, write

ETHERTYPE_ARP = 0x0806
HEADER = struct.Struct("!6s6sH")  # to, from, type
ARP = struct.Struct("!HHBBH6s4s6s4s")  # RFC 826: hardware, protocol, lengths, what, who, whom
REQUEST = 1
BROADCAST = b"\xff" * 6
NOBODY = bytes.fromhex("02a11ba5e000")  # locally administered
SOL_PACKET, ADD_MEMBERSHIP, MR_PROMISC = 263, 1, 1  # linux/if_packet.h


def question(wanted: str) -> bytes:
    """The frame that asks everybody who has ``wanted``, as duplicate detection does (RFC 5227).

    It comes from no address and from a MAC that nobody has. So neither those who answer nor our
    own kernel learn anything from it: asking must not repair what it measures.
    """
    return HEADER.pack(BROADCAST, NOBODY, ETHERTYPE_ARP) + ARP.pack(
        1, 0x0800, 6, 4, REQUEST, NOBODY, bytes(4), bytes(6), _packed(wanted)
    )


def claimant(frame: bytes, wanted: str) -> str | None:
    """The MAC that says ``wanted`` is its own, by an answer or an announcement; else None."""
    if len(frame) < HEADER.size + ARP.size or HEADER.unpack_from(frame)[2] != ETHERTYPE_ARP:
        return None
    fields = ARP.unpack_from(frame, HEADER.size)
    if fields[6] != _packed(wanted):
        return None
    return str(fields[5].hex(":"))


def keep_asking(vip: str, every: float, out: IO[str]) -> None:
    """One round of question and answers every ``every`` seconds until SIGTERM; needs root.

    A round is ``ok`` if anybody answered; it ``said`` the MACs, separated by blanks.
    """
    stopping: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: stopping.append(number))
    with _listening(interface_to(vip)) as raw:
        ask = question(vip)
        due = time.monotonic()
        while not stopping:
            start = time.monotonic()
            raw.send(ask)
            due = max(due + every, start)
            macs = {mac for frame in _frames(raw, due) if (mac := claimant(frame, vip))}
            write(out, Attempt(start, time.monotonic(), bool(macs), vip, " ".join(sorted(macs))))


def who_have(addresses: Sequence[str], wait: float = 0.15) -> dict[str, set[str]]:
    """The MACs that answer for each address within ``wait`` seconds, asked twice; needs root."""
    macs: dict[str, set[str]] = {address: set() for address in addresses}
    with _listening(interface_to(addresses[0])) as raw:
        for _ in range(2):
            for address in addresses:
                raw.send(question(address))
            for frame in _frames(raw, time.monotonic() + wait):
                for address in addresses:
                    mac = claimant(frame, address)
                    if mac:
                        macs[address].add(mac)
    return macs


def interface_to(address: str) -> str:
    """The interface that leads to ``address``."""
    argv = ["ip", "-json", "route", "get", address]
    answer = json.loads(subprocess.run(argv, capture_output=True, check=True).stdout)
    return str(answer[0]["dev"])


def _listening(interface: str) -> socket.socket:
    """A socket that hears all ARP on the segment, also what is sent to NOBODY (packet(7))."""
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETHERTYPE_ARP))
    raw.bind((interface, ETHERTYPE_ARP))
    everything = struct.pack("iHH8s", socket.if_nametoindex(interface), MR_PROMISC, 0, bytes(8))
    raw.setsockopt(SOL_PACKET, ADD_MEMBERSHIP, everything)
    return raw


def _frames(raw: socket.socket, until: float) -> Iterator[bytes]:
    while (left := until - time.monotonic()) > 0:
        readable, _, _ = select.select([raw], [], [], left)
        if readable:
            yield raw.recv(128)


def _packed(address: str) -> bytes:
    return socket.inet_aton(address)
