"""LACP's port state, bit by bit (IEEE 802.1AX, 6.4.2.3; include/net/bond_3ad.h of Linux 6.1)."""

from __future__ import annotations

from dataclasses import astuple, dataclass

from facts.record import Record

SILENT = "00:00:00:00:00:00"  # the partner of a port that never heard an LACPDU
LETTERS = "ATGSCDFE"  # of the bits, the lowest first; G is "aggreGation", F is "deFaulted"


@dataclass(frozen=True)
class LacpState(Record):
    """What one side says of one port. The fields stand in the order of the bits, the lowest first.

    ``letters`` is the state for a table: ``ATGSCD`` is a port that carries traffic.
    """

    activity: bool  # sends LACPDUs unasked
    timeout: bool  # wants them every second (short), not every 30 s (long)
    aggregation: bool  # may share an aggregator; False: it is a port of its own
    synchronization: bool  # is in the aggregator that it should be in
    collecting: bool  # takes frames from this port
    distributing: bool  # sends frames to this port
    defaulted: bool  # goes by its own idea of the partner, because it hears none
    expired: bool  # has not heard the partner for longer than the timeout

    @classmethod
    def of(cls, number: int) -> LacpState:
        """From the kernel's number; ValueError unless it is an octet."""
        if not 0 <= number <= 0xFF:
            raise ValueError(f"{number} is no LACP port state")
        return cls(*(bool(number >> bit & 1) for bit in range(8)))

    @property
    def passing(self) -> bool:
        """This side lets traffic through the port."""
        return self.synchronization and self.collecting and self.distributing

    @property
    def letters(self) -> str:
        return "".join(
            letter for letter, is_set in zip(LETTERS, astuple(self), strict=True) if is_set
        )
