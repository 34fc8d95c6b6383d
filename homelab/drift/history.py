"""The reports of earlier runs: kept in a folder, found again, and laid beside today's.

One file a run, ``drift-<UTC yyyymmddThhmmssZ>.json`` (``…Z-2.json`` for a second in that second),
of which only this is read: ``{"schema": …, "at": ISO time, "site": name, "findings": [{"id": …,
"first_seen": ISO time or null}, …], "accepted": [{"finding": {the same}}, …]}``. Times have a zone.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from homelab.drift.finding import Finding

SCHEMA = "homelab-drift/1"
STAMP = "%Y%m%dT%H%M%SZ"
NAME = re.compile(r"drift-([0-9]{8}T[0-9]{6}Z)(?:-([0-9]+))?\.json")


@dataclass(frozen=True)
class Run:
    """``first_seen`` has all ids that were found then; None: nobody knows since when."""

    site: str
    at: datetime
    first_seen: Mapping[str, datetime | None]


Found = tuple[Run | None, tuple[str, ...]]


def keep(folder: Path, text: str) -> Path:
    """Store a run's JSON; where it is now. ValueError: it is no report; OSError: no disk for it."""
    stamp = parse(text).at.strftime(STAMP)
    file, number = folder / f"drift-{stamp}.json", 1
    while file.exists():  # of another site, perhaps
        number += 1
        file = folder / f"drift-{stamp}-{number}.json"
    # A lone surrogate becomes \udc80: what JSON would write.
    write(file, text.encode(errors="backslashreplace"))
    return file


def last(folder: Path, site: str) -> Found:
    """The newest run of that site, None without one; and a warning for each file not readable."""
    return since(folder, site, datetime.max.replace(tzinfo=UTC))


def since(folder: Path, site: str, moment: datetime) -> Found:
    """The newest run of that site at ``moment`` (aware) or before; otherwise as :func:`last`."""
    warnings = []
    try:
        files = _newest_first(folder, moment)
    except FileNotFoundError:
        return None, ()
    except OSError as error:
        return None, (f"{folder}: can't be read ({error.strerror}); left out",)
    for file in files:
        try:
            run = parse(file.read_bytes().decode())
        except OSError as error:
            warnings.append(f"{file}: can't be read ({error.strerror}); left out")
        except ValueError as error:
            warnings.append(f"{file}: is no report ({error}); left out")
        else:
            if run.site == site and run.at <= moment:
                return run, tuple(warnings)
    return None, tuple(warnings)


def compare(
    findings: Iterable[Finding], before: Run | None
) -> tuple[Mapping[str, str], tuple[str, ...]]:
    """Each id of ``findings`` as "new" or "still there"; and the ids of ``before`` that are gone.

    Not gone is what was found on a machine that could not be wholly read now. Both are empty
    without a run before.
    """
    if before is None:
        return MappingProxyType({}), ()
    findings = tuple(findings)
    known = before.first_seen
    now = {f.id: "still there" if f.id in known else "new" for f in findings}
    untold = unread(findings)
    gone = tuple(id for id in known if id not in now and id.split("/")[1] not in untold)
    return MappingProxyType(now), gone


def unread(findings: Iterable[Finding]) -> frozenset[str]:
    """The machines of which not all could be read: what is not found there may still be there."""
    reading = ("read.machine", "read.fact")
    return frozenset(f.machine for f in findings if f.rule in reading and f.kind == "unknown")


def parse(text: str) -> Run:
    """A run's JSON; ValueError in words says what is wrong with it."""
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("no JSON") from None
    if not isinstance(raw, dict) or raw.get("schema") != SCHEMA:
        raise ValueError(f"its schema is not {SCHEMA}")
    site, findings = raw.get("site"), raw.get("findings")
    if not isinstance(site, str) or not isinstance(findings, list):
        raise ValueError("no site, or no findings")
    # an accepted one is known as well, or each run would call it new
    accepted = raw.get("accepted") or []
    if not isinstance(accepted, list) or not all(isinstance(one, dict) for one in accepted):
        raise ValueError("accepted findings that are none")
    everything = [*findings, *(one.get("finding") for one in accepted)]
    return Run(site, _time(raw.get("at")), MappingProxyType(dict(map(_finding, everything))))


def _finding(raw: Any) -> tuple[str, datetime | None]:
    id = raw.get("id") if isinstance(raw, dict) else None
    if not isinstance(id, str) or id.count("/") != 2:
        raise ValueError("a finding without an id")
    seen = raw.get("first_seen")
    return id, None if seen is None else _time(seen)


def _time(raw: Any) -> datetime:
    try:
        time = datetime.fromisoformat(raw)
        if time.tzinfo:
            return time.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise ValueError("a time that is none") from None
    raise ValueError("a time without a zone")


def _newest_first(folder: Path, moment: datetime) -> Iterator[Path]:
    """By their names: thousands of later runs need not be read. OSError."""
    limit = moment.astimezone(UTC).strftime(STAMP)
    named = [(match, file) for file in folder.iterdir() if (match := NAME.fullmatch(file.name))]
    dated = [(m[1], int(m[2] or 1), file) for m, file in named if m[1] <= limit]
    return (file for *_, file in sorted(dated, reverse=True))


def write(file: Path, content: bytes, mode: int = 0o600) -> None:
    """Put a file, private if not said otherwise, in its place, whole or not at all; OSError.

    Its folder is made with 0700; one that is there keeps its mode, as it may be anybody's.
    """
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, part = tempfile.mkstemp(dir=file.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as out:
            os.fchmod(handle, mode)
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        Path(part).replace(file)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise
    names = os.open(file.parent, os.O_RDONLY)  # without this, a crash may forget the new name
    try:
        os.fsync(names)
    finally:
        os.close(names)
