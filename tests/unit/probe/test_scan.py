"""Segments and checksums as the RFCs have them."""

from __future__ import annotations

import socket
import struct

from hypothesis import given
from hypothesis import strategies as st

from homelab.probe.scan import ACK, SOURCE_PORT, SYN, TCP, accepted, checksum, segment

IP = bytes.fromhex("45000028000040004006") + bytes(2) + bytes([10, 77, 0, 11, 10, 77, 0, 1])


def answer(port: int, flags: int, to: int = SOURCE_PORT) -> bytes:
    return IP + TCP.pack(port, to, 0, 2, 5 << 4, flags, 1024, 0, 0)


@given(st.integers(1, 65535))
def test_a_segment_checks_to_zero(port: int) -> None:
    whole = segment("10.77.0.1", "10.77.0.11", port)
    pseudo = socket.inet_aton("10.77.0.1") + socket.inet_aton("10.77.0.11")
    assert checksum(pseudo + struct.pack("!HH", 6, len(whole)) + whole) == 0
    assert TCP.unpack(whole)[1] == port


def test_the_checksum_of_the_rfcs_example() -> None:
    # RFC 1071, section 3: 0001 f203 f4f5 f6f7 sums to ddf2
    assert checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0xFFFF - 0xDDF2


def test_only_an_accepted_connection_of_ours_counts() -> None:
    assert accepted(answer(6443, SYN | ACK)) == 6443
    assert accepted(answer(6443, 0x14)) is None  # reset
    assert accepted(answer(6443, SYN | ACK, to=22)) is None
    assert accepted(answer(6443, SYN | ACK)[:30]) is None
