"""From an inventory's name to the drawn report and its exit code."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console

from deploys.report.read import read
from facts.bonds import BondList
from homelab.network.drawing import drawn
from homelab.network.report import UNREAD, exit_code, reports
from homelab.site import SiteError, bind, load_site
from homelab.site.early import tell

USAGE = "usage: python -m deploys.report INVENTORY, e.g. inventories/homelab.py"
Ask = Callable[[Iterable[tuple[str, dict[str, Any]]]], Mapping[str, BondList | str]]


def main(arguments: Sequence[str], ask: Ask = read) -> int:
    """Read every machine of the site by ``ask`` and print; the exit code (homelab.network.report).

    Faults of the site go to stderr, and nothing is connected to.
    """
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print(USAGE, file=sys.stderr)
        return UNREAD
    try:
        site = load_site(arguments[0])
    except SiteError as error:
        tell(error)
        return UNREAD
    groups = bind(site, arguments[0])
    hosts = {name: data for group in groups.values() for name, data in group}
    print(f"reading {len(hosts)} machines", file=sys.stderr)
    found = reports(site, ask(hosts.items()))
    Console().print(drawn(found))
    return exit_code(found)
