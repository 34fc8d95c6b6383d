"""The commands' words, and what becomes of them."""

import sys
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from homelab.lab import Lab, LabError, deploy, plan
from homelab.lab import __main__ as command
from homelab.lab.access import Settings
from homelab.lab.paths import Paths
from homelab.lab.provider import opened


@pytest.fixture(autouse=True)
def no_lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A repository and a state folder in which there is no lab yet."""
    monkeypatch.setattr("homelab.lab.paths.REPO", tmp_path)
    monkeypatch.setenv("HOMELAB_STATE_DIR", str(tmp_path / "state"))
    for name in ("HOMELAB_LAB", "HOMELAB_WORKERS", "HOMELAB_CONTROL_PLANES", "DOCKER_HOST"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("words", ["--name blue up", "up --name blue"])
def test_options_stand_before_or_after_the_command(words: str) -> None:
    args = command.parser().parse_args(words.split())
    assert (args.name, args.command, args.workers) == ("blue", "up", None)


def test_no_command_is_up_and_deploy_of_the_default_lab(monkeypatch: pytest.MonkeyPatch) -> None:
    args = command.parser().parse_args([])
    assert (args.command, args.name, args.control_planes) == (None, "lab", None)
    monkeypatch.setenv("HOMELAB_LAB", "green")
    assert command.parser().parse_args(["status"]).name == "green"


def test_size_is_by_option_else_as_the_lab_is_else_by_environment_else_by_plan(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parse = command.parser().parse_args
    assert command.wanted(parse(["up"])) == (plan.machines(3, 2), False)
    monkeypatch.setenv("HOMELAB_WORKERS", "0")
    assert command.wanted(parse(["up"])) == (plan.machines(3, 0), False)
    Settings("image", plan.machines(1, 4), "bundle", True).write(Paths("lab").machines_file, {})
    assert command.wanted(parse(["up"])) == (plan.machines(1, 4), True)
    assert command.wanted(parse(["up", "--workers=1"])) == (plan.machines(1, 1), True)
    assert command.wanted(parse(["up", "--daemon=own"])) == (plan.machines(1, 4), False)


def test_words_after_a_machine_are_the_machines_own() -> None:
    args = command.parser().parse_args(["ssh", "cp1", "ls", "-l", "--name"])
    assert (args.machine, args.words) == ("cp1", ["ls", "-l", "--name"])
    args = command.parser().parse_args(["run", "--", "ping", "-c1", "10.77.0.11"])
    assert args.words[-3:] == ["ping", "-c1", "10.77.0.11"]


def test_every_fault_is_a_command() -> None:
    for name in command.FAULTS:
        assert command.parser().parse_args([name, "cp2"]).machine == "cp2"
        assert callable(getattr(Lab, name.replace("-", "_")))
    for name in command.LEG_FAULTS:
        assert command.parser().parse_args([name, "cp2", "3"]).leg == 3
        assert callable(getattr(Lab, name.replace("-", "_")))
    assert command.parser().parse_args(["set-clock", "cp2", "-3600"]).seconds == -3600


def test_a_lab_that_is_not_there_is_one_clear_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert command.main(["status"]) == 1
    assert capsys.readouterr().err == "lab: there is no lab 'lab'; make one with `lab up`\n"


def test_without_root_it_starts_again_by_sudo(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr("os.execvp", lambda program, argv: started.append(argv))
    monkeypatch.setenv("HOMELAB_LAB", "green")
    command.as_root(["status"])
    (argv,) = started
    assert argv[:2] == ["sudo", "env"]
    assert "HOMELAB_LAB=green" in argv
    assert argv[-4:] == [sys.executable, "-m", "homelab.lab", "status"]


def test_a_command_in_the_labs_network_finds_the_labs_inventory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Settings("image", plan.machines(1, 2), "/cache/b").write(Paths("lab").machines_file, {})
    given: dict[str, str] = {}

    def run(argv: list[str], env: dict[str, str], check: bool) -> CompletedProcess[str]:
        given.update(env)
        return CompletedProcess(argv, 0)

    monkeypatch.setattr("subprocess.run", run)
    assert command.act(command.parser().parse_args(["run", "--", "pyinfra"])) == 0
    assert given["HOMELAB_WORKERS"] == "2"
    assert given["HOMELAB_BUNDLE"] == "/cache/b"
    assert given["DOCKER_HOST"].endswith("/lab/docker.sock")


def test_the_forecast_of_a_deploy_is_the_last_one_on_the_same_machines(tmp_path: Path) -> None:
    kept = tmp_path / "timings.json"
    assert deploy.forecast(kept, 0) == deploy.ON_FRESH_MACHINES
    kept.write_text('{"phases": [], "total": 151.2}')
    assert deploy.forecast(kept, 0) == "the last one took 151 s"
    made_later = kept.stat().st_mtime + 1
    assert deploy.forecast(kept, made_later) == deploy.ON_FRESH_MACHINES
    kept.write_text('{"phases"')
    assert deploy.forecast(kept, 0) == deploy.ON_FRESH_MACHINES


def test_an_unknown_machine_is_told_with_the_known_ones() -> None:
    Settings("image", plan.machines(1, 1), "").write(Paths("lab").machines_file, {})
    with pytest.raises(LabError, match="no machine 'cp7'; it has cp1, w1"):
        opened().machine("cp7")


def test_ssh_and_the_deploy_run_in_the_labs_network() -> None:
    Settings("image", plan.machines(1, 1), "/cache/b").write(Paths("lab").machines_file, {})
    lab = opened()
    enter = ["nsenter", "--net=/run/netns/homelab-lab", "--"]
    assert lab.ssh_argv("cp1", "true")[:4] == [*enter, "ssh"]
    assert lab.ssh_argv("cp1", "true")[-2:] == ["vagrant@10.77.0.11", "true"]
    argv = deploy.pyinfra(lab, "deploys/cluster.py", "--dry")
    assert argv[:3] == enter
    assert argv[-4:] == ["inventories/lab.py", "deploys/cluster.py", "-y", "--dry"]
    assert argv[3].endswith("pyinfra") or argv[3] == sys.executable
    environment = deploy.environment(lab)
    assert environment["HOMELAB_CONTROL_PLANES"] == environment["HOMELAB_WORKERS"] == "1"
    assert environment["HOMELAB_BUNDLE"] == "/cache/b"
