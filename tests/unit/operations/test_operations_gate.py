"""Gates: asked in one round trip, passed at once or in time, or told with all that helps."""

from __future__ import annotations

import time

import pytest
from pyinfra.api.exceptions import FactProcessError

from operations.condition import Condition
from operations.gate import Met, wait_script
from tests.unit.operations.room import Machine

THERE = Condition("the file is there", "cat /run/file", "ls -l /run")
TRUE = Condition("always", "echo yes", "true")


def met(machine: Machine, *conditions: Condition) -> bool:
    return Met().process(machine.does(Met().command(list(conditions))).splitlines())


def test_whether_it_is_met_now(machine: Machine) -> None:
    assert met(machine, TRUE)
    assert not met(machine, TRUE, THERE)
    machine.write("/run/file")
    assert met(machine, TRUE, THERE)


def test_it_passes_at_once(machine: Machine) -> None:
    begin = time.monotonic()
    assert machine.does(wait_script("first", [TRUE], 60)) == ""
    assert time.monotonic() - begin < 30


def test_it_passes_as_soon_as_it_holds(machine: Machine) -> None:
    machine.does("(sleep 1; touch /run/file) >/dev/null 2>&1 &")
    assert machine.sh(wait_script("first", [TRUE, THERE], 60)).code == 0


def test_it_says_which_condition_its_last_value_and_where_to_look(machine: Machine) -> None:
    loud = Condition("it's quiet", "echo first; echo 'loud: \"$x\" 100 %s'; exit 3", "cat '/x y'")
    said = machine.sh(wait_script("the others'", [TRUE, THERE, loud], 0))
    assert said.code == 1
    lines = said.err.splitlines()
    assert lines[0].startswith("gate the others' on ")
    assert lines[0].endswith(": not passed within 0 s")
    assert lines[1:] == [
        "  not met: the file is there: cat: /run/file: No such file or directory",
        "    look: ls -l /run",
        '  not met: it\'s quiet: loud: "$x" 100 %s',
        "    look: cat '/x y'",
    ]
    assert "always" not in said.err


def test_the_value_is_the_last_one(machine: Machine) -> None:
    machine.write("/run/count", "")
    count = Condition("count", "echo x >> /run/count; wc -l < /run/count; exit 1", "true")
    said = machine.sh(wait_script("counting", [count], 1))
    value = int(said.err.split("not met: count: ")[1].split()[0])
    assert value == machine.read("/run/count").count("x") > 1


@pytest.mark.parametrize("output", [[], ["bash: timeout: not found"], ["met", "met"], ["MET"]])
def test_another_answer_is_refused(output: list[str]) -> None:
    with pytest.raises(FactProcessError, match="expected met or open"):
        Met().process(output)
    assert Met.default() is False
