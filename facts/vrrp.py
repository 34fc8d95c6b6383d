"""Who holds the virtual address, and how keepalived is.

keepalived tells its VRRP state by signal and file only (SIGUSR1, SIGUSR2), which would disturb it;
the address on an interface is what counts, and asks nobody.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from pyinfra.api.facts import FactBase

from facts.links import links
from facts.questions import answers, questions
from facts.record import Reading, parsed, unknown
from facts.units import Unit, unit_question, units


@dataclass(frozen=True)
class VrrpState(Reading):
    """``holds`` is None if the addresses could not be read."""

    vip: str | None = None
    holds: bool | None = None
    interface: str | None = None  # that has the VIP here
    keepalived: Unit | None = None
    transition: str | None = None  # "MASTER", "BACKUP", "FAULT": the last that it logged since boot


def parse(output: list[str]) -> VrrpState:
    """Output of :class:`Vrrp`'s command; ValueError and the like on garbage."""
    asked = answers(output)
    if not asked:
        return Vrrp.default()
    unread = {name: answer.failure for name, answer in asked.items() if answer.failure}
    vip = asked["vip"].output.strip()
    held: bool | None = None
    interface: str | None = None
    if "links" not in unread:
        holders = [
            link.name
            for link in links(asked["links"].json())
            if vip in {address.local for address in link.addresses}
        ]
        held, interface = bool(holders), next(iter(holders), None)
    transitions = re.findall(r"Entering ([A-Z]+) STATE", asked["log"].output)
    return VrrpState(
        vip=vip,
        holds=held,
        interface=interface,
        keepalived=None if "keepalived" in unread else units(asked["keepalived"])[0],
        transition=transitions[-1] if transitions else None,
        unread=unread,
    )


class Vrrp(FactBase[VrrpState]):
    """Whether this machine holds ``vip``, and the state of its keepalived.

    .. code:: python

        host.get_fact(Vrrp, vip="192.168.0.10").holds
    """

    def command(self, vip: str) -> str:
        return questions(
            {
                "vip": f"echo {shlex.quote(vip)}",
                "links": "ip -j addr show",
                "keepalived": unit_question("keepalived.service"),
                "log": "journalctl -q -b -u keepalived -n 50 -o cat",
            }
        )

    @staticmethod
    def default() -> VrrpState:
        return VrrpState(unread=unknown("vrrp"))

    def process(self, output: list[str]) -> VrrpState:
        return parsed("vrrp", parse, output)
