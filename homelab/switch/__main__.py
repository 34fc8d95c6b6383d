"""``python -m homelab.switch INVENTORY``: what the switch has against what the site wants.

Exit code 0: as wanted, or applied; 1: failed; 2: it differs, or the site or a machine is not ready.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from homelab.site import Site, SiteError, load_site
from homelab.site.early import tell
from homelab.switch import cabling, machines, parse, plan, reading
from homelab.switch.apply import Failed, Timing, apply
from homelab.switch.session import Session, SwitchError, password
from homelab.switch.wanted import Wanted, wanted


def main(arguments: Sequence[str]) -> int:
    """Show, apply, or look at the cables; the exit code."""
    given = parser().parse_args(arguments)
    try:
        site = load_site(given.inventory)
    except SiteError as error:
        tell(error)
        return 2
    if site.switch is None:
        print(f"{given.inventory}: no switch is declared: Site(switch=Switch(…))", file=sys.stderr)
        return 2
    try:
        session = Session(site.switch, password(site.switch, os.environ))
        try:
            return _run(given, site, session)
        finally:
            session.close()
    except (plan.Refused, machines.Unasked) as error:
        print(error, file=sys.stderr)
        return 2
    except (Failed, SwitchError) as error:
        print(f"switch {site.switch.address}: {error}", file=sys.stderr)
        return 1


def _run(given: argparse.Namespace, site: Site, session: Session) -> int:
    assert site.switch is not None
    want = wanted(site) if given.machine is None else wanted(site).of(given.machine)
    if not want.plugs:
        raise plan.Refused([f"no port is declared of {given.machine or 'any machine'}: Nic.port"])
    if given.cables:
        return _cables(given.inventory, want, session)

    def ask() -> tuple[machines.Leg, ...]:
        return tuple(machines.legs(machines.ask(given.inventory, "facts.bonds.Bonds")))

    found = reading.switch(session, site.switch.platform)
    print(reading.ports(want, found))
    steps = plan.plan(want, found, site.switch.first_trunk, ask())
    print(reading.typed(steps))
    if not given.apply:
        return 2 if steps else 0
    prove = reading.prover(session, want, ask)
    apply(
        session, steps, prove, Timing(site.switch.reboot_min), lambda line: print(line, flush=True)
    )
    return 0


def _cables(inventory: str, want: Wanted, session: Session) -> int:
    if not parse.running(session.running()).lldp:
        print("LLDP is off on the switch: `lldp enable` in its system view", file=sys.stderr)
    heard = cabling.heard(machines.ask(inventory, "facts.lldp.Lldp"))
    said = parse.neighbours(session.read("display lldp neighbor brief"))
    found = list(cabling.problems(want, heard, said))
    print("\n".join(found) or f"all {len(want.plugs)} cables are where the site says")
    return 2 if found else 0


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="python -m homelab.switch", description=__doc__)
    made.add_argument("inventory", metavar="INVENTORY")
    made.add_argument("--machine", metavar="NAME", help="its ports only; default: all machines'")
    what = made.add_mutually_exclusive_group()
    what.add_argument("--dry", action="store_true", help="show the difference only (default)")
    what.add_argument("--apply", action="store_true", help="change it, prove it, save it")
    what.add_argument("--cables", action="store_true", help="is each leg in its port? (LLDP)")
    return made


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
