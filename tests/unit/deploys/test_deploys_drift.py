"""``python -m deploys.drift``: options, exit codes, what is kept, sent and mended."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from deploys.drift import mend
from deploys.drift.ask import first, second
from deploys.drift.options import options
from deploys.drift.show import main
from homelab.drift.finding import Finding
from homelab.drift.report import Report
from homelab.drift.view import Facts, Told, View
from homelab.preflight.survey import Survey
from homelab.site import load_site
from homelab.site.model import Site
from tests.unit.documents.document_sites import lab
from tests.unit.drift.drift_views import member, view

REPO = Path(__file__).resolve().parents[3]
RACK = str(REPO / "inventories/homelab.py")
Asked = Callable[[Site, Any], View]


def machines(change: Callable[[Told], Told] = lambda told: told) -> Asked:
    """Every machine of the site is a member that has nothing to tell but its survey."""

    def ask(site: Site, hosts: Any) -> View:
        assert {name for name, _ in hosts} == {machine.name for machine in site.machines}
        told = (Told(m, Facts(survey=member(site))) for m in site.machines)
        return View(site, tuple(map(change, told)), datetime.now(UTC))

    return ask


def unfinished(told: Told) -> Told:
    """One machine that has not got to the end of its deploy: a finding of high severity."""
    if told.name != load_site(RACK).machines[0].name:
        return told
    survey = member(lab(), claim={"site": load_site(RACK).name, "phase": "joining"})
    return replace(told, facts=Facts(survey=survey))


def silent(told: Told) -> Told:
    return replace(told, silent="no route to host", facts=Facts())


def test_clean_drift_and_unknown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([RACK], machines()) == 0
    assert main([RACK], machines(unfinished)) == 2
    assert main([RACK, "--fail-on", "critical"], machines(unfinished)) == 0
    assert main([RACK], machines(silent)) == 1
    assert "could not be told" in capsys.readouterr().out


def test_a_form_on_standard_output_is_alone_there(capsys: pytest.CaptureFixture[str]) -> None:
    main([RACK, "--json", "-"], machines(unfinished))
    said = capsys.readouterr()
    found = json.loads(said.out)
    assert found["schema"] == "homelab-drift/1"
    assert "host.member" in {finding["rule"] for finding in found["findings"]}
    assert found["verdict"] in said.err.replace("\n", " ")


def test_forms_go_into_files(tmp_path: Path) -> None:
    words = [w for f in ("html", "junit", "sarif", "markdown", "prometheus")
             for w in (f"--{f}", str(tmp_path / f))]  # fmt: skip
    main([RACK, *words], machines(unfinished))
    assert all((tmp_path / form).stat().st_size for form in ("html", "junit", "sarif", "markdown"))


def test_runs_are_kept_and_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keep = ["--history", str(tmp_path), "--json", "-"]
    main([RACK, *keep], machines(unfinished))
    capsys.readouterr()
    main([RACK, *keep], machines(unfinished))
    (again,) = [f for f in json.loads(capsys.readouterr().out)["findings"]
                if f["rule"] == "host.member"]  # fmt: skip
    assert again["status"] == "still there"
    assert again["first_seen"]
    main([RACK, *keep], machines())
    assert again["id"] in json.loads(capsys.readouterr().out)["gone"]


def test_a_bad_baseline_is_told_before_anything_is_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "accepted.toml"
    file.write_text('[[accepted]]\nid = "no.rule/x/y"\n')

    def never(site: Site, hosts: Any) -> View:
        raise AssertionError("asked")

    assert main([RACK, "--baseline", str(file)], never) == 1
    assert "no.rule" in capsys.readouterr().err


def test_a_command_gets_what_is_new_and_only_that(tmp_path: Path) -> None:
    words = [RACK, "--history", str(tmp_path / "h"), "--notify", f"tee {tmp_path / 'got'}"]
    main(words, machines(unfinished))
    assert json.loads((tmp_path / "got").read_text())["findings"]
    (tmp_path / "got").unlink()
    main(words, machines(unfinished))  # still there: no news
    assert not (tmp_path / "got").exists()


def test_what_is_accepted_is_no_news_in_the_next_run(tmp_path: Path) -> None:
    first = load_site(RACK).machines[0].name
    file = tmp_path / "accepted.toml"
    entry = f'id = "host.member/{first}/{first}"\nreason = "later"\nowner = "me"\n'
    file.write_text(f"[[accepted]]\n{entry}until = 2999-01-01\n")
    words = [RACK, "--history", str(tmp_path / "h"), "--baseline", str(file)]
    assert main(words, machines(unfinished)) == 0
    main([*words, "--notify", f"tee {tmp_path / 'got'}"], machines(unfinished))
    assert not (tmp_path / "got").exists()


def test_a_report_that_cannot_be_written_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert main([RACK, "--html", str(tmp_path / "file" / "x.html")], machines()) == 1
    assert "Traceback" not in capsys.readouterr().err


def test_metrics_can_be_read_by_another_user(tmp_path: Path) -> None:
    words = [RACK, "--prometheus", str(tmp_path / "p"), "--html", str(tmp_path / "h")]
    main(words, machines())
    modes = [(tmp_path / name).stat().st_mode & 0o777 for name in ("p", "h")]
    assert modes == [0o644, 0o600]


def test_a_watch_reads_again_until_somebody_ends_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr("deploys.drift.show.time.sleep", pause)
    assert main([RACK, "--watch", "15m"], machines(unfinished)) == 2
    assert pauses == [900, 900]
    assert capsys.readouterr().err.count("reading") == 2


DOCUMENTED = [
    shlex.split(line.removeprefix("./nox -s drift -- "), comments=True)
    for page in ("README.md", "docs/drift.md")
    for line in (REPO / page).read_text(encoding="utf-8").splitlines()
    if line.startswith("./nox -s drift -- ")
]


@pytest.mark.parametrize("words", DOCUMENTED, ids=" ".join)
def test_the_options_of_the_docs_are_taken(words: list[str]) -> None:
    assert options(words).inventory == "inventories/homelab.py"


@pytest.mark.parametrize(
    "words",
    [[], [RACK, "--fail-on", "awful"], [RACK, "--watch", "soon"], [RACK, "--since", "2026-01-01"],
     [RACK, "--watch", "1h", "--mend"]],
)  # fmt: skip
def test_what_makes_no_sense_could_not_be_told(words: list[str]) -> None:
    with pytest.raises(SystemExit) as end:
        options(words)
    assert end.value.code == 1


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("90s", 90), ("15m", 900), ("1h", 3600)])
def test_intervals(text: str, seconds: int) -> None:
    assert options([RACK, "--watch", text]).watch == seconds


HAND = Finding("access.uid-0", "cp1", "toor", "none", "uid 0", "undeclared")
DEPLOY = Finding("haproxy.file", "cp1", "/etc/haproxy/haproxy.cfg", "a", "b")
NETWORK = Finding("network.bond", "cp1", "bond0", "a", "b")
UNREAD = Finding("read.fact", "cp1", "sshd", "a", "b", "unknown")


def test_the_plan_is_by_deploy_and_by_hand() -> None:
    by_deploy, by_hand = mend.plan([HAND, DEPLOY, NETWORK, UNREAD])
    assert by_deploy == {"deploys/cluster.py": [DEPLOY], "deploys/network.py": [NETWORK]}
    assert by_hand == [HAND, UNREAD]


def report(*findings: Finding) -> Report:
    return Report("lab", datetime.now(UTC), 1.0, (), findings)


@pytest.mark.parametrize(
    ("answer", "found", "ran"),
    [("no", [DEPLOY], []), ("y", [DEPLOY], []), ("yes", [HAND], []),
     ("yes", [DEPLOY, NETWORK], ["deploys/cluster.py"]),
     ("yes", [NETWORK], ["deploys/network.py"])],
)  # fmt: skip
def test_only_yes_is_a_yes(
    answer: str, found: list[Finding], ran: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[list[str]] = []

    class Done:
        returncode = 0

    def run(words: list[str], **_: Any) -> Done:
        calls.append(words)
        return Done()

    monkeypatch.setattr(mend.subprocess, "run", run)  # type: ignore[attr-defined]
    assert mend.mend("inventories/x.py", report(*found), lambda _: answer) == bool(ran)
    assert [words[-2] for words in calls] == ran


def test_nobody_is_asked_what_he_does_not_have() -> None:
    site = lab()
    bare = Survey(virt="docker")
    plane, worker = site.machines[0], site.machines[3]
    assert set(second(site, plane, bare, [], speaker=True)) == {"layers", "kernel"}
    full = second(site, plane, member(site), [], speaker=True)
    assert {"etcd", "kubeadm", "nodes", "rbac", "configz", "stored", "haproxy"} <= set(full)
    assert not {"etcd", "haproxy", "nodes"} & set(second(site, worker, member(site), [], False))
    assert "clock" in second(site, worker, member(site, virt="none"), [], False)
    known = set(Facts.__dataclass_fields__)
    assert {*first(site), *full} <= known
    assert view().of("cp1").facts.survey
