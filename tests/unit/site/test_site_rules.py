"""Each rule: the example site broken in one way has that fault, at that field, and no other."""

from __future__ import annotations

import pytest

from homelab.site import Site, check
from homelab.site.validate import IDS, RULES
from tests.unit.site.cases import (
    api,
    artefacts,
    bonds,
    ingress,
    kubernetes,
    labels,
    machines,
    network,
    nics,
    switch,
    timings,
    types,
    vlans,
)
from tests.unit.site.cases.case import Case
from tests.unit.site.example_site import changed, example

SUBJECTS = (
    types,
    machines,
    nics,
    labels,
    network,
    bonds,
    vlans,
    switch,
    api,
    ingress,
    kubernetes,
    artefacts,
    timings,
)
ALONE: list[Case] = [case for subject in SUBJECTS for case in subject.CASES]
TOGETHER: list[Case] = [c for s in SUBJECTS for c in getattr(s, "TOGETHER", [])]


def found(site: Site) -> set[tuple[str, str]]:
    return {(fault.rule, fault.field) for fault in check(site, "site.py")}


def test_the_example_is_valid() -> None:
    assert check(example(), "site.py") == []


@pytest.mark.parametrize(("rule", "field", "changes"), ALONE)
def test_one_slip_is_one_fault(rule: str, field: str, changes: dict[str, object]) -> None:
    assert found(changed(changes)) == {(rule, field)}


@pytest.mark.parametrize(("rule", "field", "changes"), TOGETHER)
def test_all_faults_of_a_slip_are_told(rule: str, field: str, changes: dict[str, object]) -> None:
    faults = found(changed(changes))
    assert (rule, field) in faults
    assert len(faults) > 1


@pytest.mark.parametrize("case", [*ALONE, *TOGETHER])
def test_a_fault_is_one_line_that_says_where_what_and_how(case: Case) -> None:
    for fault in check(changed(case[2]), "site.py"):
        assert fault.problem
        assert fault.mend
        assert str(fault).startswith(f"site.py: {fault.field}")
        assert "\n" not in str(fault)
        assert len(str(fault)) < 400


def test_every_rule_has_a_case() -> None:
    assert {rule for rule, _, _ in [*ALONE, *TOGETHER]} == IDS


def test_there_are_more_than_fifty_rules_and_each_says_what_it_is() -> None:
    assert len(IDS) >= 60
    assert [name for name, rule in RULES.items() if not rule.__doc__] == []
