"""The base of everything that a site file declares.

A person who mistypes three keys wants to hear of all three. So constructing a declaration never
raises: unknown keys, missing keys and wrong types are kept and reported together with all other
faults by :func:`homelab.site.check`.
"""

from __future__ import annotations

import typing
from typing import Any, ClassVar, dataclass_transform


class Missing:
    """The value of a field that was declared neither by the site nor by a default."""

    def __repr__(self) -> str:
        return "(missing)"


MISSING = Missing()


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Declared:
    """A frozen record whose fields are its class annotations; see the module's docstring.

    ``unknown`` maps misspelt keys to their values, for the rules to report.
    """

    unknown: ClassVar[dict[str, Any]]

    def __init__(self, **values: Any) -> None:
        known = fields(type(self))
        for name in known:
            value = values.pop(name, getattr(type(self), name, MISSING))
            if isinstance(value, list):  # frozen all the way down
                value = tuple(value)
            object.__setattr__(self, name, value)
        object.__setattr__(self, "unknown", values)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen: {name} is declared once")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash(repr(self))

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in fields(type(self)))
        return f"{type(self).__name__}({shown})"

    def replace(self, **changes: Any) -> typing.Self:
        """The same declaration with some fields changed, as :func:`dataclasses.replace`."""
        return type(self)(**({name: getattr(self, name) for name in fields(type(self))} | changes))


_fields: dict[type[Any], dict[str, Any]] = {}  # reading annotations is slow


def fields(declared: type[Any]) -> dict[str, Any]:
    """Field name to type hint of a Declared class, in the order of declaration."""
    if declared not in _fields:
        hints = typing.get_type_hints(declared)
        _fields[declared] = {n: h for n, h in hints.items() if typing.get_origin(h) is not ClassVar}
    return _fields[declared]
