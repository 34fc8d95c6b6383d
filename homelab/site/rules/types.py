"""Keys and types: what every declaration has to be before anything else can be said of it.

The annotations in ``model.py`` are the only source: no rule repeats a field's type.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any

from homelab.site.declared import MISSING, Declared, fields
from homelab.site.fault import Fault, shown
from homelab.site.model import Site
from homelab.site.rules.rule import nearest

RULES = ("unknown-key", "missing-key", "wrong-type", "unknown-choice")

PLAIN = {
    str: ("text", 'write it in quotes, "like this"'),
    int: ("a whole number", "write a number without quotes and without a point"),
    float: ("a number", "write a number without quotes"),
    bool: ("True or False", "write True or False, without quotes"),
}
DICTS = {
    str: ("text to text", 'write both in quotes, {"key": "value"}'),
    bool: ("text to True or False", 'write {"key": True}, the key in quotes'),
}


def faults(value: Any, hint: Any = Site, path: str = "") -> Iterator[Fault]:
    """All faults of keys and types in ``value``, which ought to be a ``hint``."""
    origin = typing.get_origin(hint)
    if value is MISSING:
        name = path.rpartition(".")[2]
        yield Fault(path, value, "is not declared", f"add {name}=…", rule="missing-key")
    elif origin in (typing.Union, types.UnionType):
        if value is not None:
            yield from faults(value, _without_none(hint), path)
    elif isinstance(hint, type) and issubclass(hint, Declared):
        yield from _record(value, hint, path)
    elif origin is tuple:
        yield from _sequence(value, typing.get_args(hint)[0], path)
    elif origin is typing.Literal:
        yield from _choice(value, typing.get_args(hint), path)
    elif origin is Mapping:
        yield from _mapping(value, typing.get_args(hint)[1], path)
    elif not _is_plain(value, hint):
        what, mend = PLAIN[hint]
        yield _wrong(path, value, what, mend)


def sound(value: Any, hint: Any = Site) -> Any:
    """A copy that only holds what is well typed.

    Elsewhere it holds the default, or nothing where there is no default; an element of a tuple
    becomes MISSING, so that the others keep their numbers.
    """
    origin = typing.get_origin(hint)
    if isinstance(hint, type) and issubclass(hint, Declared):
        copy = hint.__new__(hint)
        for name, part in fields(hint).items() if isinstance(value, hint) else ():
            kept = sound(getattr(value, name), part)
            if kept is not MISSING:
                object.__setattr__(copy, name, kept)
        return copy
    if origin is tuple and isinstance(value, tuple):
        return tuple(sound(element, typing.get_args(hint)[0]) for element in value)
    if origin in (typing.Union, types.UnionType) and value is not None:
        return sound(value, _without_none(hint))
    return value if next(faults(value, hint), None) is None else MISSING


def _record(value: Any, hint: type[Declared], path: str) -> Iterator[Fault]:
    if not isinstance(value, hint):
        yield _wrong(path, value, f"a {hint.__name__}", f"write {hint.__name__}(…)")
        return
    prefix = f"{path}." if path else ""
    known = fields(hint)
    for name, odd in value.unknown.items():
        mend = nearest(name, known)
        problem = f"{hint.__name__} has no such key"
        yield Fault(f"{prefix}{name}", odd, problem, mend, rule="unknown-key")
    for name, part in known.items():
        yield from faults(getattr(value, name), part, f"{prefix}{name}")


def _sequence(value: Any, element: Any, path: str) -> Iterator[Fault]:
    if not isinstance(value, tuple):
        mend = f"write ({shown(value)},)" if isinstance(value, str) else "write (…, …)"
        yield _wrong(path, value, "a list or tuple", mend)
        return
    for number, item in enumerate(value):
        yield from faults(item, element, f"{path}[{number}]")


def _choice(value: Any, choices: tuple[Any, ...], path: str) -> Iterator[Fault]:
    if not isinstance(value, str):
        yield _wrong(path, value, "text", f"write one of {', '.join(map(repr, choices))}")
    elif value not in choices:
        problem = f"is not one of {', '.join(map(repr, choices))}"
        yield Fault(path, value, problem, nearest(value, choices), rule="unknown-choice")


def _mapping(value: Any, element: type, path: str) -> Iterator[Fault]:
    what, mend = DICTS[element]
    if not isinstance(value, Mapping):
        yield _wrong(path, value, f"a dict of {what}", mend)
        return
    for key, item in value.items():
        if not isinstance(key, str) or not _is_plain(item, element):
            yield _wrong(f"{path}[{shown(key)}]", item, what, mend)


def _wrong(path: str, value: Any, wanted: str, mend: str) -> Fault:
    given = "None" if value is None else f"a {type(value).__name__}"
    return Fault(path, value, f"is {given} where {wanted} belongs", mend, rule="wrong-type")


def _is_plain(value: Any, hint: type) -> bool:
    if isinstance(value, bool):  # Python counts True as 1: a slip in a site file
        return hint is bool
    return isinstance(value, (int, float) if hint is float else hint)


def _without_none(hint: Any) -> Any:
    (kept,) = (part for part in typing.get_args(hint) if part is not types.NoneType)
    return kept
