"""A failed step is followed by what does not hold on its machine; a passed one by nothing."""

from __future__ import annotations

from operations.condition import Condition
from operations.post_mortem import after
from operations.step import script
from tests.unit.operations.room import Machine

HOLDS = Condition("the sun shines", "true", "look up")
BROKEN = Condition("it's quiet", "echo first; echo 'loud: \"$x\" 100 %s'; exit 3", "cat '/x y'")


def test_a_step_that_is_done_says_nothing_more(machine: Machine) -> None:
    said = machine.sh(after(script("cat", "echo done"), [HOLDS, BROKEN]), stdin="given\n")
    assert (said.code, said.out, said.err) == (0, "given\ndone\n", "")


def test_a_failed_step_stops_at_its_first_error_and_is_explained(machine: Machine) -> None:
    machine.write("/var/log/pods/kube-system_etcd-x_1/etcd/0.log", "a\nb\nc\nno space left\n")
    failed = script("echo begun", "echo 'did not join' >&2", "(exit 7)", "echo never")
    said = machine.sh(after(failed, [HOLDS, BROKEN]))
    assert said.code == 7
    assert said.out == "begun\n"
    lines = said.err.splitlines()
    assert lines[0] == "did not join"
    assert lines[1].startswith("post-mortem of ")
    assert lines[2:] == [
        '  not so: it\'s quiet: loud: "$x" 100 %s',
        "    look: cat '/x y'",
        "  etcd said last:",
        "    b",
        "    c",
        "    no space left",
    ]


def test_it_says_so_if_all_holds(machine: Machine) -> None:
    said = machine.sh(after(script("exit 1"), [HOLDS]))
    assert said.err.splitlines()[1:] == ["  all of this holds: the sun shines"]


def test_without_conditions_a_step_is_itself() -> None:
    assert after("true", []) == "true"
