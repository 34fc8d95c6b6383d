"""The contract of ``facts/``, held against every fact there is (rule 7 of the house)."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import re
import typing
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyinfra.api.exceptions import FactProcessError
from pyinfra.api.facts import FactBase

import facts
from facts.record import Reading
from tests.unit.facts.fact_captures import CAPTURES, FOLDER, all_captures, capture

Fact = type[FactBase[Any]]


def all_facts() -> list[Fact]:
    modules = [
        importlib.import_module(f"facts.{module.name}")
        for module in pkgutil.iter_modules(facts.__path__)
    ]
    return [
        value
        for module in modules
        for value in vars(module).values()
        if inspect.isclass(value)
        and issubclass(value, FactBase)
        and value.__module__ == module.__name__
    ]


FACTS = all_facts()
# Those two belong to the deploy and are tested with it; their results are not Readings.
OTHERS = {"facts.layer.Layers", "facts.survey.MachineSurvey"}
OURS = [fact for fact in FACTS if f"{fact.__module__}.{fact.__name__}" not in OTHERS]

every_fact = pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.__name__)
our_facts = pytest.mark.parametrize("fact", OURS, ids=lambda fact: fact.__name__)
every_capture = pytest.mark.parametrize(("fact", "name"), all_captures(), ids=lambda v: str(v))

GARBAGE = {
    "prose": ["bash: something is wrong here"],
    "html": ["<html><body>502 Bad Gateway</body></html>"],
    "json": ['{"items": [{}]}'],
    "binary": ["\x7fELF\x02\x01\x01\x00", "\ufffd\ufffd"],
}


@every_fact
def test_a_fact_is_typed(fact: Fact) -> None:
    (base,) = [b for b in getattr(fact, "__orig_bases__", ()) if typing.get_origin(b) is FactBase]
    (result,) = typing.get_args(base)
    assert result is not Any
    assert not isinstance(result, typing.TypeVar)


@every_fact
def test_a_fact_shows_how_it_is_used(fact: Fact) -> None:
    assert fact.__doc__
    assert re.search(r"\.\. code:: python\n\n +\S", fact.__doc__)
    assert f"get_fact({fact.__name__}" in fact.__doc__


@every_fact
def test_a_fact_has_a_default_of_its_own(fact: Fact) -> None:
    assert "default" in vars(fact)
    assert fact.default() is not None


@our_facts
def test_the_default_says_that_nothing_was_read(fact: Fact) -> None:
    default = fact.default()
    assert isinstance(default, Reading)
    assert default.unread
    values = [getattr(default, f.name) for f in fields(default) if f.name != "unread"]
    assert set(values) == {None}


@our_facts
def test_a_result_is_frozen(fact: Fact) -> None:
    default = fact.default()
    with pytest.raises(AttributeError):
        default.unread = {}


@every_fact
def test_no_output_is_nothing_known(fact: Fact) -> None:
    assert fact().process([]) == fact.default()


@every_fact
@pytest.mark.parametrize("output", GARBAGE.values(), ids=GARBAGE)
def test_garbage_is_refused_with_what_was_met(fact: Fact, output: list[str]) -> None:
    with pytest.raises(FactProcessError) as refusal:
        fact().process(output)
    assert output[0][:20] in str(refusal.value) or repr(output[0])[1:20] in str(refusal.value)


@our_facts
def test_a_fact_has_captures(fact: Fact) -> None:
    prefixes = CAPTURES[fact]
    assert len([path for path in FOLDER.glob("*.txt") if path.name.startswith(prefixes)]) >= 2


def test_every_capture_belongs_to_one_fact() -> None:
    names = [name for _, name in all_captures()]
    assert sorted(names) == sorted(path.stem for path in FOLDER.glob("*.txt"))


@every_capture
def test_a_capture_becomes_json(fact: Fact, name: str) -> None:
    result = fact().process(capture(name))
    assert set(json.loads(json.dumps(result.to_json()))) == {f.name for f in fields(result)}


# Questions whose failure is no loss: a daemon that is not the one in charge, and which tool it was.
FORGIVEN = {"timesync", "chrony", "source", "vip"}


@every_capture
def test_a_command_that_fails_is_never_silent(fact: Fact, name: str) -> None:
    lines = capture(name)
    questions = [line.removeprefix("@@ask ") for line in lines if line.startswith("@@ask ")]
    for question in set(questions) - FORGIVEN:
        start = lines.index(f"@@ask {question}")
        end = next(i for i in range(start, len(lines)) if lines[i].startswith("@@answer"))
        failed = [*lines[: start + 1], "@@answer 1 it broke", *lines[end + 1 :]]
        assert "it broke" in fact().process(failed).unread[question]


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@pytest.mark.parametrize(("fact", "name"), all_captures(), ids=lambda v: str(v))
@given(data=st.data())
def test_damage_is_refused_or_read_and_never_ends_the_run(
    fact: Fact, name: str, data: st.DataObject
) -> None:
    lines = capture(name)
    place = data.draw(st.integers(0, len(lines) - 1))
    line = lines[place]
    values: list[list[str]] = [[], ["null"], ["[]"], ["{}"], ["[null]"], ['{"items": 1}'],
                               [line[: len(line) // 2]], [line, line]]  # fmt: skip
    damaged = [*lines[:place], *data.draw(st.sampled_from(values)), *lines[place + 1 :]]
    try:
        json.dumps(fact().process(damaged).to_json())
    except FactProcessError as refusal:
        assert str(refusal)  # noqa: PT017  refusing is one of the two right answers
