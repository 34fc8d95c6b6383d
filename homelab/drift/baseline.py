"""Findings that somebody answers for: a TOML file of ``[[accepted]]`` entries, and what they do.

Each has ``id`` (as reports show it), ``reason``, ``owner`` and ``until``, a date without quotes.
TOML: https://toml.io/en/v1.0.0
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from homelab.drift.catalogue import RULES
from homelab.drift.finding import CLUSTER, Finding
from homelab.drift.history import unread
from homelab.drift.report import Acceptance
from homelab.site.fault import Fault, SiteError

Accepted = tuple[Finding, Acceptance]
Wrong = tuple[str, str]  # the problem, how to mend it


class BaselineError(SiteError):
    """The baseline can't be used; ``faults`` has all that is wrong with it.

    A fault's ``field`` is such as ``accepted[0].until``, its ``machine`` the id of that entry.
    """


def read(file: Path) -> tuple[Acceptance, ...]:
    """The acceptances in the file's order; BaselineError with all its faults."""
    try:
        raw = tomllib.loads(file.read_bytes().decode())
    except OSError as error:
        raise _unusable(
            file, f"can't be read ({error.strerror})", "see to its path and mode"
        ) from None
    except UnicodeDecodeError as error:
        raise _unusable(file, f"is no UTF-8 at byte {error.start}", "save it as UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise _unusable(file, f"is no TOML: {error}", "mend that line") from None
    if faults := [replace(fault, file=str(file)) for fault in _faults(raw)]:
        raise BaselineError(faults)
    return tuple(
        Acceptance(e["id"], _line(e["reason"]), _line(e["owner"]), e["until"])
        for e in raw.get("accepted", [])
    )


def apply(
    findings: Sequence[Finding], accepted: Sequence[Acceptance], today: date
) -> tuple[tuple[Finding, ...], tuple[Accepted, ...]]:
    """What counts, with what is to be said of the baseline itself; and what is accepted.

    What could not be told is never accepted. Of a machine that was not wholly read, nobody knows
    whether an acceptance is still of use: none is called unused.
    """
    in_force = {a.id: a for a in accepted if today <= a.until}
    pairs = [(f, in_force[f.id]) for f in findings if f.id in in_force and f.kind != "unknown"]
    used = {acceptance.id for _, acceptance in pairs}
    unknown = {f.id for f in findings if f.kind == "unknown"}
    counting = [f for f in findings if f.id not in in_force or f.kind == "unknown"]
    not_read = unread(findings)
    for one in accepted:
        if one.id not in in_force:
            limit = f"accepted by {one.owner} until {one.until}"
            counting.append(_said("expired", one, limit, f"today is {today}"))
        elif one.id in unknown - used:
            why = "it could not be told, and that is never accepted"
            counting.append(_said("unused", one, "a finding of this id", why))
        elif one.id not in used and one.id.split("/")[1] not in not_read:
            counting.append(_said("unused", one, "a finding of this id", "there is none"))
    return tuple(counting), tuple(pairs)


def _said(what: str, one: Acceptance, expected: str, actual: str) -> Finding:
    return Finding(f"baseline.{what}", CLUSTER, one.id, expected, actual)


def _unusable(file: Path, problem: str, mend: str) -> BaselineError:
    return BaselineError([Fault("", None, problem, mend, file=str(file))])


def _faults(raw: Mapping[str, Any]) -> Iterator[Fault]:
    mend = "write nothing but [[accepted]] entries"
    yield from (Fault(key, raw[key], "is unknown", mend) for key in raw if key != "accepted")
    entries = raw.get("accepted", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        yield Fault("accepted", entries, "is no list of tables", "write [[accepted]] above each")
        return
    for number, entry in enumerate(entries):
        yield from _entry_faults(f"accepted[{number}].", entry)
    ids = [entry["id"] for entry in entries if isinstance(entry.get("id"), str)]
    for twice in (id for id, times in Counter(ids).items() if times > 1):
        places = [number for number, entry in enumerate(entries) if entry.get("id") == twice]
        mend = f"keep one of accepted{places}"
        yield Fault(f"accepted[{places[-1]}].id", twice, "is accepted more than once", mend)


def _entry_faults(path: str, entry: Mapping[str, Any]) -> Iterator[Fault]:
    name = str(entry.get("id", ""))
    for key in (key for key in entry if key not in CHECKS):
        yield Fault(path + key, entry[key], "is unknown", f"known are {', '.join(CHECKS)}", name)
    for key, check in CHECKS.items():
        wrong = check(entry[key]) if key in entry else ("is missing", f"write {key} = …")
        if wrong:
            yield Fault(path + key, entry.get(key), *wrong, machine="" if key == "id" else name)


def _id(value: Any) -> Wrong | None:
    parts = value.split("/") if isinstance(value, str) else []
    if len(parts) != 3 or not all(parts):
        return "is no id (rule/machine/subject)", "copy it from a report"
    if parts[0] not in RULES:
        return f"there is no rule {parts[0]}", "copy the id from a report, or remove the entry"
    return None


def _text(value: Any) -> Wrong | None:
    if not isinstance(value, str):
        return "is no text", "write it in quotes"
    return None if value.strip() else ("is empty", "write who answers for it, and why")


def _until(value: Any) -> Wrong | None:
    if isinstance(value, date) and not isinstance(value, datetime):
        return None
    return "is no date", "write it as until = 2027-01-31, without quotes and time"


def _line(text: str) -> str:
    return " ".join(text.split())


CHECKS: Mapping[str, Callable[[Any], Wrong | None]] = {
    "id": _id,
    "reason": _text,
    "owner": _text,
    "until": _until,
}
