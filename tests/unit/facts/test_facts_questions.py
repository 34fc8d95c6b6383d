"""Several commands, one round trip: run for real in this machine's shell."""

from __future__ import annotations

import subprocess

import pytest

from facts.questions import Answer, answers, questions


def ask(commands: dict[str, str], seconds: int = 10) -> dict[str, Answer]:
    script = questions(commands, seconds)
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return answers(done.stdout.splitlines())


def test_each_question_has_its_own_verdict() -> None:
    asked = ask({"good": "echo yes; echo really", "bad": "echo half; echo why >&2; exit 3"})
    assert asked["good"] == Answer("yes\nreally", 0, "")
    assert asked["good"].failure is None
    assert asked["bad"] == Answer("half", 3, "why")
    assert asked["bad"].failure == "exit code 3: why"


def test_a_missing_program_says_so() -> None:
    failure = ask({"x": "no-such-program"})["x"].failure or ""
    assert failure.startswith("exit code 127")
    assert "no-such-program: not found" in failure


def test_a_command_that_hangs_is_ended() -> None:
    assert ask({"x": "sleep 30"}, seconds=1)["x"].failure == "exit code 124: timed out"


def test_a_silent_failure_is_a_failure() -> None:
    assert ask({"x": "false"})["x"].failure == "exit code 1: it said nothing"


def test_output_without_an_end_of_line_is_whole() -> None:
    assert ask({"x": "printf '{}'"})["x"].json() == {}


def test_an_empty_answer_is_no_failure() -> None:
    assert ask({"x": "true"})["x"] == Answer("", 0, "")


def test_a_command_cannot_eat_the_rest_of_the_script() -> None:
    assert ask({"x": "cat", "y": "echo still here"})["y"].output == "still here"


def test_quotes_reach_the_command_as_they_are() -> None:
    assert ask({"x": """echo "it's" '"quoted"' $((1+1))"""})["x"].output == 'it\'s "quoted" 2'


def test_long_errors_end_in_one_line_that_says_it() -> None:
    command = (
        'for i in $(seq 200); do echo \'{"level":"warn"}\' >&2; done; echo the end >&2; exit 1'
    )
    assert ask({"x": command})["x"].error == "the end"


@pytest.mark.parametrize(
    "output",
    [
        ["@@ask x", "half"],
        ["@@ask x", "@@ask y", "@@answer 0 "],
        ["@@answer 0 "],
        ["sudo: a password is required"],
    ],
)
def test_output_that_is_no_answer_is_refused(output: list[str]) -> None:
    with pytest.raises(ValueError, match=r"answer|expected"):
        answers(output)
