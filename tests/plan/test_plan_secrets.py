"""Secrets pass through a run and are printed nowhere, not even with ``-vvv``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.plan import answers, plans
from tests.plan.cli import Ran
from tests.plan.conftest import Shared

TOKEN_SECRET = (answers.TOKEN_HEX * 9)[:16]
SECRETS = {
    "bootstrap token": TOKEN_SECRET,
    "encryption key": answers.KEY,
    "authorities": answers.AUTHORITIES,
    "admin kubeconfig": answers.KUBECONFIG.split()[-1],
}


@pytest.fixture
def run(shared: Shared) -> Ran:
    return shared("lab-run", lambda folder: plans.bare("lab", folder, "-y", "-vvv"))


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_it_is_not_printed(secret: str, run: Ran) -> None:
    assert run.code == 0, run.err
    assert len(run.steps) > 40
    assert secret not in run.err
    assert secret not in run.out


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_it_is_in_no_command_that_a_machine_is_given(secret: str, run: Ran) -> None:
    """``ps`` shows arguments to everybody; secrets go by standard input."""
    assert [c for commands in run.executed.values() for c in commands if secret in c] == []


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_it_is_not_in_the_plan(secret: str, shared: Shared) -> None:
    planned = shared("lab-bare", lambda folder: plans.bare("lab", folder))
    assert secret not in planned.out + planned.err


def test_they_did_pass_through_the_run(run: Ran, common: Path) -> None:
    """Else the tests above prove nothing: the kubeconfig was kept, the token's id is public."""
    kept = common / "lab-run/.homelab/lab/admin.conf"
    assert kept.read_text() == answers.KUBECONFIG
    assert kept.stat().st_mode & 0o777 == 0o600
    assert kept.parent.stat().st_mode & 0o777 == 0o700
    assert f"bootstrap-token-{answers.TOKEN_HEX}" in "".join(run.executed["cp1"])
    assert any("tar -c -C /etc/kubernetes/pki" in c for c in run.executed["cp1"])


def test_only_the_kubeconfig_is_left_on_the_controller(run: Ran, common: Path) -> None:
    assert run.code == 0
    texts = {
        file.name: file.read_text()
        for file in (common / "lab-run").rglob("*")
        if file.is_file() and file.name not in ("plan.json", "ran.json", "admin.conf")
    }
    assert set(texts) >= {"executed.json", "timings.json"}
    for secret in SECRETS.values():
        assert [name for name, text in texts.items() if secret in text] == []
