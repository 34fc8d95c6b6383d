"""Steps: at the first error they stop, and never does one run beside another."""

from __future__ import annotations

import threading

from operations.step import script
from tests.unit.operations.room import Machine, eventually


def test_it_stops_at_the_first_error(machine: Machine) -> None:
    said = machine.sh(script("echo one", "false", "echo two"))
    assert (said.code, said.out) == (1, "one\n")


def test_a_name_that_is_not_set_is_an_error(machine: Machine) -> None:
    said = machine.sh(script("rm -rf /etc/$nothing"))
    assert said.code == 2
    assert "nothing" in said.err
    assert machine.path("/etc/passwd").exists()


def test_the_next_run_waits_for_what_a_dead_one_left_running(machine: Machine) -> None:
    """The controller died; its script goes on, and the next one begins when it ends."""
    first = threading.Thread(
        target=machine.does,
        args=[script("echo begin >> /run/log; until [ -e /run/go ]; do sleep 0.05; done",
                     "echo end >> /run/log")],
    )  # fmt: skip
    first.start()
    eventually(lambda: machine.path("/run/log").exists(), "the first script has begun")
    second = threading.Thread(target=machine.does, args=[script("echo next >> /run/log")])
    second.start()
    eventually(lambda: "flock" in machine.does("ps -eo args"), "the second one waits")
    assert machine.read("/run/log") == "begin\n"
    machine.write("/run/go")
    first.join()
    second.join()
    assert machine.read("/run/log") == "begin\nend\nnext\n"
