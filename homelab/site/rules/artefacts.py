"""Artefacts: where binaries, images and charts come from."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from homelab.site.fault import Fault
from homelab.site.model import Site
from homelab.site.rules.rule import rule

MANIFEST = "manifest.json"


@rule
def base_missing(site: Site) -> Iterator[Fault]:
    """A mirror has a URL, a bundle a folder."""
    source, base = site.artefacts.source, site.artefacts.base
    if source != "upstream" and not base:
        what = "the mirror's URL" if source == "mirror" else "the bundle's folder"
        yield Fault("artefacts.base", base, f"is empty: a {source} has one", f"write {what}")


@rule
def base_superfluous(site: Site) -> Iterator[Fault]:
    """Upstream's addresses are known."""
    if site.artefacts.source == "upstream" and site.artefacts.base is not None:
        mend = 'remove it, or write source="mirror" or "bundle"'
        problem = 'is not used by source="upstream"'
        yield Fault("artefacts.base", site.artefacts.base, problem, mend)


@rule
def mirror_url(site: Site) -> Iterator[Fault]:
    """A mirror is a plain file server."""
    base = site.artefacts.base
    if site.artefacts.source == "mirror" and base and not _is_url(base):
        mend = "write it like http://mirror.lan/homelab, without query, user or password"
        yield Fault("artefacts.base", base, "is no URL of a file server", mend)


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:  # a port that is no number, a bracket too few
        return False
    extra = parts.query or parts.fragment or "@" in parts.netloc or re.search(r"\s", text)
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not extra and port != 0


@rule
def bundle_missing(site: Site) -> Iterator[Fault]:
    """A bundle is a folder on the machine that runs pyinfra."""
    base = site.artefacts.base
    if site.artefacts.source == "bundle" and base and not _is(Path.is_dir, base):
        mend = "make it with `nox -s bundle -- INVENTORY` (the lab's: `nox -s lab -- up`)"
        yield Fault("artefacts.base", base, "is no folder here", mend)


@rule
def bundle_incomplete(site: Site) -> Iterator[Fault]:
    """A bundle without its table of checksums was never finished."""
    base = site.artefacts.base if site.artefacts.source == "bundle" else None
    if base and _is(Path.is_dir, base) and not _is(Path.is_file, base, MANIFEST):
        problem = f"is no finished bundle: it has no {MANIFEST}"
        yield Fault("artefacts.base", base, problem, "make the bundle again")


def _is(test: Callable[[Path], bool], *parts: str) -> bool:
    try:
        return test(Path(*parts).expanduser())
    except (OSError, ValueError, RuntimeError):  # too long, a NUL in it, no such ~user
        return False
