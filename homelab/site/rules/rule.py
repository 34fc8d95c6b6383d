"""What a rule is, and the helpers that keep rules short."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from typing import Any, TypeVar

from homelab.site.declared import MISSING
from homelab.site.fault import Fault
from homelab.site.model import Machine, Site

Rule = Callable[[Site], Iterator[Fault]]
Item = TypeVar("Item")


class Unsure(Exception):
    """A rule can't judge, because what it asks for is faulty itself and told by another rule."""


def rule(function: Rule) -> Rule:
    """Mark a function as a rule; its name with dashes is the rule's id.

    A rule yields faults without file, rule id and machine name (``check`` adds them). It never
    sees an ill-typed value: such a field holds its default, or is absent if it has none (the
    AttributeError ends the rule). Malformed text (no address, no number) is for it to pass over.
    """
    function.__dict__["is_rule"] = True
    return function


def rule_from(source: str) -> Callable[[Rule], Rule]:
    """As :func:`rule`, for what somebody else decides: its faults name the document."""

    def mark(function: Rule) -> Rule:
        function.__dict__["source"] = source
        return rule(function)

    return mark


def source_of(function: Rule) -> str:
    return str(function.__dict__.get("source", ""))


def rules_of(module: object) -> list[Rule]:
    """The rules of a module, in the order of their definition."""
    return [value for value in vars(module).values() if getattr(value, "is_rule", False)]


def rule_id(function: Rule) -> str:
    return function.__name__.replace("_", "-")


def machines(site: Site, *needs: str) -> Iterator[tuple[str, Machine]]:
    """Path and machine, of those whose fields ``needs`` are well-typed."""
    for path, machine in items("machines", site.machines):
        if all(hasattr(machine, field) for field in needs):
            yield path, machine


def items(path: str, values: Iterable[Item]) -> Iterator[tuple[str, Item]]:
    """``dns[0]``, value; ill-typed ones are passed over and keep their number."""
    for number, value in enumerate(values):
        if value is not MISSING:
            yield f"{path}[{number}]", value


def roles_are_known(site: Site) -> None:
    """Raise Unsure if a machine's roles are faulty: nobody can count roles then."""
    for machine in site.machines:
        roles: tuple[object, ...] = getattr(machine, "roles", ())
        if not roles or any(role is MISSING for role in roles):
            raise Unsure


def nearest(name: str, known: Iterable[str]) -> str:
    """`did you mean "…"?`, or the list of what there is."""
    known = [str(item) for item in known]
    lower = {item.lower(): item for item in known}
    close = get_close_matches(name.lower(), lower, n=1, cutoff=0.5)
    if close:
        return f'did you mean "{lower[close[0]]}"?'
    return f"there is {', '.join(known)}" if known else "there is none"


def repeated(values: Iterable[tuple[str, str, Any]]) -> Iterator[tuple[str, str, Any]]:
    """Of (path, key, value): those whose key was there before, with the first one's path."""
    first: dict[str, str] = {}
    for path, key, value in values:
        if key in first:
            yield path, first[key], value
        else:
            first[key] = path
