"""From a site file to its validated :class:`Site`."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path
from typing import Any

from homelab.site.fault import Fault, SiteError
from homelab.site.model import Site
from homelab.site.validate import check

REPO = Path(__file__).resolve().parents[2]
EXAMPLE = "see inventories/homelab.py for a whole one"

# True while load_site executes a file: groups.hosts() then leaves the validation to load_site.
loading: ContextVar[bool] = ContextVar("loading", default=False)


def load_site(path: Path | str) -> Site:
    """The site that the file at ``path`` declares as ``_site``, valid by all rules.

    Raises SiteError with all faults; a file that does not run is one fault with its line.
    Answers from memory while the file and the HOMELAB_* environment are the same.
    """
    file = Path(path)
    try:
        stamp = file.stat().st_mtime_ns
    except OSError as error:
        raise SiteError([_broken(file, f"can't be read ({error.strerror})", EXAMPLE)]) from None
    settings = tuple(sorted((k, v) for k, v in os.environ.items() if k.startswith("HOMELAB_")))
    return _load(file.resolve(), str(file), (stamp, settings, os.environ.get("XDG_CACHE_HOME")))


@lru_cache(maxsize=32)
def _load(file: Path, shown: str, _inputs: object) -> Site:
    site = execute(file, shown).get("_site")
    if not isinstance(site, Site):
        found = "no _site" if site is None else f"a _site that is a {type(site).__name__}, no Site"
        mend = f"write _site = Site(…); {EXAMPLE}"
        raise SiteError([_broken(Path(shown), f"declares {found}", mend)])
    faults = check(site, shown)
    if faults:
        raise SiteError(faults)
    return site


def execute(file: Path, shown: str) -> dict[str, Any]:
    """The names that the file binds. It runs as pyinfra runs it, but for the validation."""
    names: dict[str, Any] = {"__file__": str(file), "__name__": file.stem}
    try:
        with _repository_first(), _quiet():
            exec(compile(file.read_text(encoding="utf-8"), str(file), "exec"), names)
    except (Exception, SystemExit) as error:
        raise SiteError([_crash(file, shown, error)]) from None
    return names


def _crash(file: Path, shown: str, error: BaseException) -> Fault:
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(file)]
    line = error.lineno if isinstance(error, SyntaxError) else (lines[-1] if lines else None)
    what = error.msg if isinstance(error, SyntaxError) else str(error)
    where = f" at line {line}" if line else ""
    problem = f"does not run{where}: {type(error).__name__}: {' '.join(what.split())}"
    return _broken(Path(shown), problem, "mend that line")


def _broken(file: Path, problem: str, mend: str) -> Fault:
    return Fault("", None, problem, mend, file=str(file), rule="file")


@contextmanager
def _repository_first() -> Iterator[None]:
    before = sys.path[:]
    sys.path.insert(0, str(REPO))
    try:
        yield
    finally:
        sys.path[:] = before


@contextmanager
def _quiet() -> Iterator[None]:
    token = loading.set(True)
    try:
        yield
    finally:
        loading.reset(token)
