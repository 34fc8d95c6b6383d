"""Many facts in one round trip, asked of a real shell."""

from __future__ import annotations

import subprocess

import pytest

from facts import batch

MARK = "mark1a2b"


def asked(commands: dict[str, str], seconds: int = 5) -> list[str]:
    script = batch.script(commands, MARK, seconds)
    done = subprocess.run(
        ["sh"], input=script, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_each_answer_is_its_own_whatever_is_in_it() -> None:
    commands = {
        "plain": "echo one; echo; echo ' two'",
        "nothing": "true",
        "quotes": """printf '%s\\n' "it's" '$HOME' '`id`' 'a\\b'""",
        "no-end-of-line": "printf here",
        "marks": "echo '@@answer 0'; echo 'mark begin x'",
    }
    found = batch.parts(asked(commands), MARK)
    assert [part.failure for part in found.values()] == [""] * 5
    assert found["plain"].lines == ("one", "", " two")
    assert found["nothing"].lines == ()
    assert found["quotes"].lines == ("it's", "$HOME", "`id`", "a\\b")
    assert found["no-end-of-line"].lines == ("here",)
    assert found["marks"].lines == ("@@answer 0", "mark begin x")


def test_a_command_that_fails_hangs_or_reads_its_input_hurts_no_other() -> None:
    commands = {"fails": "echo half; exit 3", "hangs": "echo half; sleep 60", "reads": "cat",
                "last": "echo well"}  # fmt: skip
    output = asked(commands, seconds=1)
    found = batch.parts(output, MARK)
    assert found["fails"] == batch.Part(("half",), "exit code 3")
    assert found["hangs"] == batch.Part(("half",), "timed out")
    assert found["reads"] == batch.Part(())
    assert found["last"] == batch.Part(("well",))
    assert batch.complete(output, MARK)


def test_a_program_that_never_stops_talking_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "LIMIT", 2000)
    found = batch.parts(asked({"talks": "yes", "last": "echo well"}), MARK)
    assert found["talks"].failure == batch.BROKEN
    assert found["last"] == batch.Part(("well",))


def test_an_answer_that_breaks_off_is_said_to() -> None:
    output = asked({"first": "echo one", "second": "echo two; echo three"})
    cut = output[: output.index("two") + 1]
    found = batch.parts(cut, MARK)
    assert found["first"] == batch.Part(("one",))
    assert found["second"].failure == batch.BROKEN
    assert not batch.complete(cut, MARK)


def test_what_stands_outside_of_the_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="sudo: a password is required"):
        batch.parts(["sudo: a password is required"], MARK)
