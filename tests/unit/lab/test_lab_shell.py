"""Programs that the lab runs: what they printed, and one line when they fail."""

from pathlib import Path

import pytest

from homelab.lab.errors import LabError
from homelab.lab.shell import run


def test_what_it_printed() -> None:
    assert run(["cat"], stdin="to cat") == "to cat"
    assert run(["sh", "-c", "echo $MORE"], env={"MORE": "env"}) == "env\n"


def test_failure_is_one_line_with_the_last_words() -> None:
    with pytest.raises(LabError) as told:
        run(["sh", "-c", "echo first >&2; echo last >&2; exit 3"], then="look there")
    assert str(told.value) == "sh failed (rc 3): first last; look there"


def test_log_holds_commands_and_output_and_is_named_on_failure(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "a.log"
    run(["echo", "one two"], log=log)
    with pytest.raises(LabError, match=f"broken; read {log}"):
        run(["sh", "-c", "echo broken >&2; exit 1"], log=log)
    assert log.read_text().splitlines()[:2] == ["$ echo 'one two'", "one two"]


def test_a_log_of_several_is_told_by_its_end(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("x" * 5000)
    with pytest.raises(LabError) as told:
        run(["sh", "-c", "echo why; exit 1"], log=log)
    assert len(str(told.value)) < 500
    assert "why" in str(told.value)
