"""What every fact of this folder gives: a frozen record that goes into JSON as it stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from types import MappingProxyType
from typing import Any, TypeVar

from pyinfra.api.exceptions import FactProcessError

T = TypeVar("T")


def unknown(what: str) -> Mapping[str, str]:
    """The ``unread`` of a fact's default: pyinfra gives that when a command failed or is missing.

    So the default must never look like "there is none" (pyinfra/api/facts.py, ``_get_fact``).
    """
    return MappingProxyType({what: "no answer: the command is missing or has failed"})


@dataclass(frozen=True)
class Record:
    """Base of all records; ``pyinfra INV fact … --json`` prints :meth:`to_json`."""

    def to_json(self) -> dict[str, Any]:
        """Field names to plain values; times as ISO 8601."""
        return {item.name: _plain(getattr(self, item.name)) for item in fields(self)}


@dataclass(frozen=True)
class Reading(Record):
    """A record that knows what could not be read.

    ``unread`` maps each part to the reason (one line); the part's field is then None. A field
    that is empty and not in ``unread`` was read, and there is none.
    """

    unread: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), kw_only=True)


def parsed(name: str, parse: Callable[[list[str]], T], output: list[str]) -> T:
    """``parse(output)``; whatever it trips over becomes a FactProcessError that says so.

    Any other exception in ``process()`` would end the whole run instead of failing one host
    (pyinfra 3.10, seen). Strange but valid JSON is the reason for the long list.
    """
    try:
        return parse(output)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        met = next((line for line in output if line.strip()), "")
        raise FactProcessError(
            f"{name}: {type(error).__name__}: {error}; the output begins {met[:80]!r}"
        ) from error


def _plain(value: Any) -> Any:
    if isinstance(value, Record):
        return value.to_json()
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value
