"""``python -m homelab.artefacts INVENTORY``: collect or verify a site's bundle.

Exit codes: 0 the bundle is whole; 1 something could not be fetched; 2 the site or the bundle is
at fault. Faults go to stderr, one line each, the folder to stdout.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from homelab.artefacts import bundle, location
from homelab.artefacts import manifest as manifests
from homelab.artefacts.bundle import Incomplete
from homelab.artefacts.errors import ArtefactError
from homelab.site import SiteError, load_site
from homelab.site.derived import out_folder
from homelab.site.load import execute
from homelab.site.model import Site

OURS = {"bundle-missing", "bundle-incomplete"}  # homelab/site/rules/artefacts.py


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; the exit code."""
    parser = argparse.ArgumentParser(prog="homelab.artefacts", description=__doc__)
    parser.add_argument("inventory", type=Path, help="the site's file, inventories/homelab.py")
    parser.add_argument("--into", type=Path, help="the bundle's folder")
    parser.add_argument(
        "--from",
        dest="base",
        default=location.UPSTREAM,
        metavar="BASE",
        help="a mirror's URL or another bundle's folder; else upstream",
    )
    parser.add_argument("--verify", action="store_true", help="only look, fetch nothing")
    parser.add_argument("--full", action="store_true", help="read files that did not change, too")
    chosen = parser.parse_args(arguments)
    try:
        site = _site(chosen.inventory)
    except SiteError as error:
        return _fail(2, [str(fault) for fault in error.faults])
    folder = chosen.into or location.folder(site) or out_folder(site) / "bundle"
    try:
        if not chosen.verify:
            bundle.collect(site, folder, _base(chosen.base))
        faults = _faults(site, folder, chosen.full)
    except Incomplete as error:
        return _fail(1, [*error.failures, str(error)])
    except OSError as error:
        return _fail(1, [f"{folder}: {error}"])
    except KeyboardInterrupt:
        return _fail(130, ["interrupted; what arrived is kept, the same command goes on there"])
    except ArtefactError as error:
        return _fail(2 if chosen.verify else 1, [str(error)])
    if faults:
        return _fail(2, faults)
    print(folder)
    return 0


def _site(inventory: Path) -> Site:
    """The site, valid but for its bundle: that is what this command is there to make or judge."""
    try:
        return load_site(inventory)
    except SiteError as error:
        if {fault.rule for fault in error.faults} - OURS:
            raise
        site: Site = execute(inventory.resolve(), str(inventory))["_site"]
        return site


def _faults(site: Site, folder: Path, full: bool) -> list[str]:
    wanted = bundle.everything(site, manifests.read(folder))
    return bundle.verify(folder, wanted, full=full, quiet=False)


def _base(base: str) -> str:
    """A folder or a URL as a base."""
    url = base if "://" in base else Path(base).resolve().as_uri()
    return url if url == location.UPSTREAM else url.rstrip("/") + "/"


def _fail(code: int, lines: list[str]) -> int:
    for line in lines:
        print(f"✗ {line}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
