"""Whatever a machine says, preflight answers with problems and not with a traceback."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from homelab.preflight.conditions import problems
from homelab.preflight.survey import Survey, parse
from homelab.preflight.view import Problem
from homelab.site.model import Site
from tests.unit.documents.document_sites import lab, rack
from tests.unit.preflight.surveys import bare

WORDS = st.text(st.characters(exclude_categories=["Z", "C"]), min_size=1, max_size=12)
NUMBERS = st.integers(-1, 10**12).map(str)
ANYTHING = st.one_of(
    WORDS,
    NUMBERS,
    st.sampled_from(["", "nan", "inf", "[]", "{}", "[[]]", '{"site": 1}', "6.1", "debian"]),
)
SITES = st.sampled_from([rack(), lab()])


@st.composite
def surveys(draw: st.DrawFn) -> tuple[Site, dict[str, Survey]]:
    """Every machine's lines with a few of them replaced; lines that can't be read are dropped."""
    site = draw(SITES)
    found = {}
    for machine in site.machines:
        lines = bare(site, machine)
        for at in draw(st.lists(st.integers(0, len(lines) - 1), max_size=4)):
            tag = lines[at].split(" ")[0]
            lines[at] = " ".join([tag, *draw(st.lists(ANYTHING, max_size=2))])
        found[machine.name] = parse([line for line in lines if _readable(line)])
    return site, found


def _readable(line: str) -> bool:
    try:
        parse([line])
    except ValueError:
        return False
    return True


@given(surveys())
@settings(max_examples=60, deadline=None)
def test_problems_of_any_parsed_survey(given: tuple[Site, dict[str, Survey]]) -> None:
    site, found = given
    for problem in problems(site, found):
        assert isinstance(problem, Problem)
        assert problem.machine in found
        assert str(problem)


values: dict[str, st.SearchStrategy[Any]] = {
    "str": WORDS,
    "bool": st.booleans(),
    "int": st.integers(0, 10**9),
    "float": st.floats(),
    "float | None": st.none() | st.floats(),
    "list[str]": st.lists(WORDS, max_size=2),
    "dict[str, str]": st.dictionaries(WORDS, WORDS, max_size=2),
    "dict[str, int]": st.dictionaries(WORDS, st.integers(), max_size=2),
    "dict[int, str]": st.dictionaries(st.sampled_from([22, 80, 2379, 6443]), WORDS, max_size=2),
}


@given(st.builds(Survey, **{item.name: values[str(item.type)] for item in fields(Survey)}))
@settings(max_examples=60, deadline=None)
def test_problems_of_any_record(survey: Survey) -> None:
    site = rack()
    assert problems(site, {machine.name: survey for machine in site.machines})
