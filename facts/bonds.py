"""Bonds as the kernel runs them: what was negotiated with the switch, not what was configured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from pyinfra.api.facts import FactBase

from facts.bond import Bond
from facts.bond_files import bonds_of, drivers_of, options_of
from facts.links import Link, links
from facts.questions import answers, questions
from facts.record import Reading, parsed, unknown
from homelab.site.bonding import OPTIONS

# The shell reads each itself, so no process is started for them.
FILES = (*(option.kernel for option in OPTIONS), "primary", "lacp_active")

PROC = """for f in /proc/net/bonding/*; do
  [ -e "$f" ] || continue
  echo "==> ${f##*/}"; cat "$f" || exit 1
done"""
SYS = f"""for d in /sys/class/net/*/bonding; do
  [ -d "$d" ] || continue
  n=${{d%/bonding}}; echo "==> ${{n##*/}}"
  for f in {" ".join(FILES)}; do
    [ -r "$d/$f" ] || continue
    v=; read -r v < "$d/$f"; printf '%s %s\\n' "$f" "$v"
  done
done"""
DRIVERS = """for d in /sys/class/net/*/device/driver; do
  [ -L "$d" ] || continue
  n=${d%/device/driver}; t=$(readlink "$d") && printf '%s %s\\n' "${n##*/}" "${t##*/}"
done; true"""


@dataclass(frozen=True)
class BondList(Reading):
    """``bonds`` is () on a machine whose kernel has no bond; ``links`` are all interfaces."""

    bonds: tuple[Bond, ...] | None = None
    links: tuple[Link, ...] | None = None

    def bond(self, name: str) -> Bond | None:
        return next((bond for bond in self.bonds or () if bond.name == name), None)


@dataclass(frozen=True)
class _Known:
    """What is told of each interface beside the bond's own file."""

    options: Mapping[str, Mapping[str, str]]
    drivers: Mapping[str, str]
    links: Mapping[str, Link]

    def add(self, bond: Bond) -> Bond:
        legs = tuple(
            replace(leg, driver=self.drivers.get(leg.name), link=self.links.get(leg.name))
            for leg in bond.legs
        )
        found = self.options.get(bond.name)
        return replace(bond, legs=legs, options=found, link=self.links.get(bond.name))


def parse(output: list[str]) -> BondList:
    """Output of :class:`Bonds`' command; ValueError and the like on garbage."""
    asked = answers(output)
    if not asked:
        return Bonds.default()
    unread = {name: answer.failure for name, answer in asked.items() if answer.failure}
    read = {name: asked[name] for name in asked if name not in unread}
    found = links(read["links"].json()) if "links" in read else None
    if "bonds" in unread:
        return BondList(links=found, unread=unread)
    known = _Known(
        options=options_of(read["options"].output) if "options" in read else {},
        drivers=drivers_of(read["drivers"].output) if "drivers" in read else {},
        links={link.name: link for link in found or ()},
    )
    bonds = tuple(map(known.add, bonds_of(asked["bonds"].output)))
    return BondList(bonds=bonds, links=found, unread=unread)


class Bonds(FactBase[BondList]):
    """Every bond with its legs, and what LACP made of them.

    .. code:: python

        bond = host.get_fact(Bonds).bond("bond0")
        bond.one_aggregator, bond.bandwidth_mbps, [leg.partner_state for leg in bond.legs]
    """

    def command(self) -> str:
        return questions(
            {
                "bonds": PROC,
                "options": SYS,
                "drivers": DRIVERS,
                "links": "ip -j -d -s addr show",
            }
        )

    @staticmethod
    def default() -> BondList:
        return BondList(unread=unknown("bonds"))

    def process(self, output: list[str]) -> BondList:
        return parsed("bonds", parse, output)
