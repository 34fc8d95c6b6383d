"""Where artefacts come from. One rule for all three: url = base + relative path."""

from __future__ import annotations

import urllib.error
import urllib.request
from functools import lru_cache
from pathlib import Path

from homelab.artefacts import manifest as manifests
from homelab.artefacts.artefact import Artefact
from homelab.artefacts.errors import ArtefactError
from homelab.artefacts.manifest import Manifest
from homelab.site.model import Site

UPSTREAM = "https://"
TIMEOUT = 15.0  # seconds without an answer of a mirror


def folder(site: Site) -> Path | None:
    """The bundle's folder, absolute; None where artefacts are not in a bundle."""
    if site.artefacts.source != "bundle":
        return None
    return Path(_declared(site)).expanduser().resolve()


def base(site: Site) -> str:
    """What comes before the relative path; ends so that the path can follow."""
    if site.artefacts.source == "upstream":
        return UPSTREAM
    where = folder(site)
    return f"{where.as_uri() if where else _declared(site).rstrip('/')}/"


def url(site: Site, artefact: Artefact) -> str:
    """Where to fetch the artefact from: ``https://…``, ``http://mirror…`` or ``file:///…``.

    ValueError for an image from upstream: a registry has no such file, ask it for
    ``artefact.reference``.
    """
    if artefact.kind == "image" and site.artefacts.source == "upstream":
        raise ValueError(f"upstream has {artefact.reference} in a registry, not as a file")
    return base(site) + artefact.path


def manifest(site: Site) -> Manifest:
    """What the bundle or mirror says it has; empty for upstream and for a bare mirror.

    ArtefactError if it is not there (bundle), does not answer (mirror) or is malformed.
    """
    where = folder(site)
    if where:
        return _read(where, _stamp(where / manifests.NAME))
    return _once(base(site)) if site.artefacts.source == "mirror" else manifests.EMPTY


def checksum(site: Site, artefact: Artefact, manifest_: Manifest | None = None) -> str:
    """The SHA-256 that the file must have; see :func:`agreed`."""
    return agreed(artefact, manifest(site) if manifest_ is None else manifest_)


def agreed(artefact: Artefact, manifest_: Manifest) -> str:
    """The table's SHA-256 or the manifest's; ArtefactError if they differ or both are missing."""
    entry = manifest_.get(artefact.path)
    if artefact.sha256 and entry and entry.sha256 != artefact.sha256:
        why = f"{manifest_.where} says {entry.sha256}, the table {artefact.sha256}"
        raise ArtefactError(f"{artefact.path} is refused", why, manifests.MEND)
    known = artefact.sha256 or (entry.sha256 if entry else None)
    if known is None:
        label = f"{artefact.name} {artefact.version}"
        mend = "choose a version of homelab/artefacts/checksums.py, or a bundle that has this one"
        raise ArtefactError(f"no SHA-256 is known for {label}", artefact.why, mend)
    return known


def ask(base_: str) -> Manifest:
    """The manifest below a base; empty where a server has none. ArtefactError: no answer."""
    where = base_ + manifests.NAME
    try:
        with urllib.request.urlopen(where, timeout=TIMEOUT) as answer:
            return manifests.parse(answer.read(), where)
    except urllib.error.HTTPError as error:
        with error:
            if error.code == 404:
                return manifests.EMPTY
        raise ArtefactError(f"the mirror refuses {where}", f"HTTP {error.code}") from None
    except OSError as error:
        why = str(getattr(error, "reason", error))
        raise ArtefactError(f"{where} can't be read", why, "check artefacts.base") from None


def _declared(site: Site) -> str:
    if not site.artefacts.base:
        what = f"artefacts.source is {site.artefacts.source!r} and artefacts.base is missing"
        raise ArtefactError(what, mend="say where it is: a URL, or a folder")
    return site.artefacts.base


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        stat = path.stat()
    except OSError:
        return ()
    return stat.st_size, stat.st_mtime_ns, stat.st_ino


_once = lru_cache(maxsize=8)(ask)  # a mirror, once for each run


@lru_cache(maxsize=8)
def _read(where: Path, stamp: tuple[int, ...]) -> Manifest:
    del stamp  # only tells one state of the file from the next
    return manifests.read(where)
