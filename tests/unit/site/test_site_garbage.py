"""Whatever a site file holds: check() answers with faults, and never fails itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from homelab.site import Api, Kubernetes, Machine, Network, Nic, Site, check
from homelab.site.declared import MISSING, Declared, fields
from tests.unit.site.example_site import changed, example, put

WORDS = st.sampled_from(
    [
        "",
        "n1",
        "192.168.10.11",
        "192.168.10.0/24",
        "0.0.0.0/0",
        "fd00::1",
        "bond0",
        "a:b",
        "=:",
        "1.2",
    ]
)
TEXT = st.one_of(WORDS, st.text(max_size=20))
NUMBERS = st.one_of(st.integers(), st.floats(), st.just(10**400), st.just(-(10**400)))
PLAIN = st.one_of(st.none(), st.booleans(), NUMBERS, TEXT, st.binary(max_size=5), st.just(MISSING))
KINDS: list[Any] = [Site, Machine, Nic, Network, Api, Kubernetes]
THINGS = st.sampled_from([object(), print, *KINDS, *(kind(odd=1) for kind in KINDS)])
ANYTHING = st.recursive(
    PLAIN | THINGS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(inner, inner),
        st.dictionaries(TEXT | st.integers(), inner, max_size=2),
    ),
    max_leaves=5,
)


def paths(thing: Any, prefix: str = "") -> Iterator[str]:
    """Every field and every element of a declaration."""
    if isinstance(thing, Declared):
        for name in fields(type(thing)):
            yield f"{prefix}{name}"
            yield from paths(getattr(thing, name), f"{prefix}{name}.")
    elif isinstance(thing, tuple):
        for number, item in enumerate(thing):
            yield f"{prefix[:-1]}[{number}]"
            yield from paths(item, f"{prefix[:-1]}[{number}].")


PATHS = list(paths(example()))


def told(site: Any) -> list[str]:
    return [str(fault) for fault in check(site, "site.py")]


@settings(deadline=None)
@given(st.sampled_from(PATHS), ANYTHING)
def test_anything_in_any_field(path: str, value: Any) -> None:
    told(changed({path: value}))


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PATHS), TEXT | NUMBERS), max_size=4))
def test_odd_text_and_numbers_in_several_fields(changes: list[tuple[str, Any]]) -> None:
    site: Any = example()
    for path, value in changes:
        try:
            site = put(site, path, value)
        except (AttributeError, TypeError, IndexError):  # an earlier change took the field away
            continue
    told(site)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from([*fields(Site), "odd"]), ANYTHING))
def test_a_site_of_anything(values: dict[str, Any]) -> None:
    assert told(Site(**values))


@given(ANYTHING)
def test_what_is_no_site_at_all(value: Any) -> None:
    assert told(value) or isinstance(value, Site)
