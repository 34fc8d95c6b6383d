"""A site file: loaded once, validated whole, and refused with a line and never a traceback."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from homelab.site import SiteError, hosts, load_site, refuse

REPO = Path(__file__).resolve().parents[3]
HEAD = "from tests.unit.site.example_site import changed\n"
GROUP = '\nworker = hosts(_site, __file__, "worker")\n'
VALID = f"{HEAD}from homelab.site import hosts\n_site = changed({{}})\n{GROUP}"
FAULTY = VALID.replace("{}", '{"api.vrrp_id": 0, "api.vip": "x"}')


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "site_file.py"


def refusal(file: Path) -> list[str]:
    with pytest.raises(SiteError) as caught:
        load_site(file)
    return str(caught.value).splitlines()


def test_a_valid_file_gives_its_site(file: Path) -> None:
    file.write_text(VALID)
    assert load_site(file).name == "rack"
    assert load_site(str(file)) is load_site(file)


def test_an_edited_file_is_read_again(file: Path) -> None:
    file.write_text(VALID)
    before = load_site(file)
    file.write_text(VALID.replace("{}", '{"name": "other"}'))
    os.utime(file, ns=(1, 1))
    assert load_site(file).name == "other"
    assert before.name == "rack"


def test_the_environment_is_part_of_the_question(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text(f'import os\n{HEAD}_site = changed({{"name": os.environ["HOMELAB_LAB"]}})\n')
    for name in ("one", "two", "one"):
        monkeypatch.setenv("HOMELAB_LAB", name)
        assert load_site(file).name == name


def test_all_faults_are_in_the_error(file: Path) -> None:
    file.write_text(FAULTY)
    with pytest.raises(SiteError) as caught:
        load_site(file)
    assert [fault.rule for fault in caught.value.faults] == ["vip", "vrrp-id"]
    assert all(str(file) in line for line in str(caught.value).splitlines())


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("\nimport nowhere\n", "at line 2: ModuleNotFoundError: No module named 'nowhere'"),
        ("_site = (\n", "at line 1: SyntaxError: '(' was never closed"),
        ("\n\nx = 1 / 0\n", "at line 3: ZeroDivisionError: division by zero"),
        ("raise SystemExit(3)\n", "at line 1: SystemExit: 3"),
        ("raise ValueError('a\\nb')\n", "at line 1: ValueError: a b"),
        ("def f():\n    1 / 0\nf()\n", "at line 2: ZeroDivisionError"),
        ("x = 1\n", "declares no _site"),
        ("_site = {}\n", "declares a _site that is a dict, no Site"),
        ("", "declares no _site"),
        ("\0", "SyntaxError"),
    ],
)
def test_a_file_that_does_not_run_is_one_line(file: Path, text: str, what: str) -> None:
    file.write_text(text)
    (line,) = refusal(file)
    assert line.startswith(f"{file}: ")
    assert what in line


def test_a_file_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    assert "can't be read (No such file" in refusal(tmp_path / "none.py")[0]
    assert len(refusal(tmp_path)) == 1
    (tmp_path / "latin.py").write_bytes(b"# \xff\n")
    assert len(refusal(tmp_path / "latin.py")) == 1


def test_loading_leaves_the_module_path_as_it_was(file: Path) -> None:
    file.write_text("import sys\nsys.path.insert(0, '/nowhere')\n")
    before = sys.path[:]
    refusal(file)
    assert sys.path == before


def test_hosts_exits_with_2_and_all_faults(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(FAULTY.replace(GROUP, ""))
    names: dict[str, object] = {"__file__": str(file)}
    exec(file.read_text(), names)
    with pytest.raises(SystemExit) as caught:
        hosts(names["_site"], str(file), "worker")  # type: ignore[arg-type]
    assert caught.value.code == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    assert lines[-1] == f"{file}: 2 faults; nothing was connected to"


def test_refuse_looks_at_site_files_only(tmp_path: Path, file: Path) -> None:
    (tmp_path / "deploy.py").write_text("1 / 0\n")
    file.write_text(VALID)
    refuse(["pyinfra", str(file), str(tmp_path / "deploy.py"), "--dry", "/nowhere.py", "a\0.py"])
    file.write_text(FAULTY)
    with pytest.raises(SystemExit) as caught:
        refuse(["pyinfra", "--dry", str(file)])
    assert caught.value.code == 2
