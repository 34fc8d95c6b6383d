"""Preflight refuses: everything that is wrong is told at once, and no machine is touched."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from homelab.preflight.survey import SCRIPT
from tests.plan import answers, plans
from tests.plan.cli import Ran


def changed(name: str, lines: dict[str, list[str]]) -> answers.Answers:
    """Bare machines of the site, whose surveys end with other lines."""
    found = answers.bare(plans.site(name))
    for machine, more in lines.items():
        found[machine] = [
            (part, "\n".join([str(said), *more]) if part == answers.SURVEY else said)
            for part, said in found[machine]
        ]
    return found


def touched(ran: Ran) -> dict[str, list[str]]:
    """What the machines were given beside the one survey of each."""
    return {
        m: [c for c in commands if not c.endswith(SCRIPT)] for m, commands in ran.executed.items()
    }


def test_all_problems_of_all_machines_are_told_and_nothing_is_done(tmp_path: Path) -> None:
    """With ``-y``: this is the run itself, not its plan."""
    unsound = changed(
        "lab",
        {
            "cp1": ["@os debian 11", "@listens 6443 nginx"],
            "cp2": ['@claim {"site": "barn", "phase": "member"}', "@ca 0A:1B"],
            "cp3": ["@user vagrant 1000"],
            "w1": ["@free /var/lib/containerd 1048576"],
            "w2": ["@began 1795000600.0", "@time 1795000600.5"],
        },
    )
    ran = plans.plan("lab", tmp_path, unsound, "-y")
    assert ran.code == 1
    told = [line for line in ran.errors if "problems" not in line]
    # How long the answers took is taken off, and that is never the same.
    assert [re.sub(r"\+(599|600)\.\d s", "+600 s", line) for line in told] == [
        "cp1: operating system: debian 11. Install Debian 12 or 13.",
        "cp1: port 6443 for kube-apiserver: held by nginx. "
        "Stop it, or move it (sudo ss -ltnp 'sport = :6443').",
        "cp2: another cluster: it serves the site 'barn'; its CA is SHA-256 0A:1B. "
        "Nothing of it is overwritten. Take it apart there first, or, if it is dead for certain: "
        "kubeadm reset, and empty /var/lib/etcd.",
        "cp3: root: commands run as 'vagrant'. "
        "Let the ssh_user use sudo without a password, or log in as root.",
        "w1: free disk for /var/lib/containerd: 1024 MiB. "
        "Free at least 4096 MiB there (sudo df -h /var/lib/containerd).",
        "w2: clock: +600 s from the other machines. "
        "Start time sync: timedatectl set-ntp true; chronyc makestep.",
    ]
    assert "6 problems, see above; nothing was changed" in ran.err
    assert "Traceback" not in ran.err
    assert ran.steps == []
    assert touched(ran) == {machine: [] for machine in ("cp1", "cp2", "cp3", "w1", "w2")}


def test_a_part_of_a_site_is_not_deployed(tmp_path: Path) -> None:
    """The machines that are left out might be the cluster, and this would found a second one."""
    ran = plans.plan("lab", tmp_path, answers.bare(plans.site("lab")), "-y", "--limit", "cp1")
    assert ran.code == 1
    (problem,) = [line for line in ran.errors if "problems" not in line]
    assert problem.startswith("cp2, cp3, w1, w2: left out of this run")
    assert ran.steps == []
    assert set(ran.executed.get("cp1", [])) == set()


def test_a_machine_that_answers_nonsense_is_named(tmp_path: Path) -> None:
    ran = plans.plan(
        "lab", tmp_path, {**answers.bare(plans.site("lab")), "w1": [("", "oops")]}, "-y"
    )
    assert ran.code == 1
    assert "unreadable line 'oops'" in ran.err
    assert "[w1]" in ran.err
    assert "Traceback" not in ran.err
    assert ran.steps == []
    assert set(map(len, touched(ran).values())) == {0}


def test_a_bundle_with_a_flipped_byte_is_refused_by_name(
    tmp_path: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "bundle"
    shutil.copytree(bundle, own)
    kubelet = own / "dl.k8s.io/release/v1.20.2/bin/linux/amd64/kubelet"
    content = bytearray(kubelet.read_bytes())
    content[7] ^= 1
    kubelet.write_bytes(content)
    monkeypatch.setenv("HOMELAB_BUNDLE", str(own))
    ran = plans.plan("lab", tmp_path, answers.bare(plans.site("lab")), "-y")
    assert ran.code == 1
    (problem,) = [line for line in ran.errors if "problems" not in line]
    assert "linux/amd64/kubelet: its SHA-256 is" in problem
    assert ran.steps == []
    assert set(map(len, touched(ran).values())) == {0}
