"""Drift on a bad day: what cannot be read is said, what is hostile is harmless, nothing changes."""

from __future__ import annotations

import json
import random
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.e2e.support import fingerprint, sites
from tests.e2e.support.drift import Seen, drift, until_clean
from tests.e2e.support.drifts import DRIFTS, Drift
from tests.e2e.support.drifts.drift import ETCDCTL
from tests.e2e.support.health import wait_until_healthy
from tests.e2e.support.pyinfra import deploy
from tests.e2e.support.rig import Rig

SETTLED_S = 120.0
# What a running cluster writes by itself: leases, events, its nodes' heartbeats.
ITSELF = ("/registry/leases/", "/registry/events/", "/registry/minions/", "/registry/masterleases/")
TIMES = "find /etc /usr/local /var/lib/homelab -xdev -printf '%p %T@ %C@\\n' | sort"
PROGRAM = "/usr/local/sbin"  # the first folder of sudo's secure_path


def test_reading_changes_nothing(rig: Rig) -> None:
    """Not a file or its times, not a process, not a key of etcd that the cluster leaves alone."""
    before = everything(rig)
    assert drift(rig).code == 0
    after = everything(rig)
    assert fingerprint.changed(before, after) == {}


def everything(rig: Rig) -> dict[str, set[str]]:
    found = {name: set(rig.root(name, TIMES, 120).splitlines()) for name in rig.nodes}
    for name, lines in fingerprint.running(rig).items():
        found[name] |= lines
    keys = json.loads(rig.root("cp1", f"{ETCDCTL} get / --prefix --keys-only -w json"))["kvs"]
    named = {b64decode(item["key"]).decode(): item["mod_revision"] for item in keys}
    found["etcd"] = {f"{k} {v}" for k, v in named.items() if not k.startswith(ITSELF)}
    return found


@contextmanager
def program(rig: Rig, machine: str, name: str, text: str) -> Iterator[None]:
    """Another program of that name, found first by root."""
    path = f"{PROGRAM}/{name}"
    rig.root(machine, f"printf '%s' '#!/bin/sh\n{text}\n' > {path}; chmod 755 {path}")
    try:
        yield
    finally:
        rig.root(machine, f"rm -f {path}")


def unknown(seen: Seen) -> dict[str, set[str]]:
    """Subjects that were not read, by machine."""
    found: dict[str, set[str]] = {}
    for finding in seen.findings:
        if finding["kind"] == "unknown":
            found.setdefault(finding["machine"], set()).add(finding["subject"])
    return found


def test_a_machine_that_is_off_hides_no_other_ones_drift(rig: Rig) -> None:
    (other,) = [d for d in DRIFTS if d.name == "hosts-edited"]
    rig.root(other.machine, other.inject)
    rig.lab.kill("w2")
    try:
        seen = drift(rig)
    finally:
        rig.lab.start("w2")
        rig.root(other.machine, other.heal)
    assert seen.code == 1
    assert unknown(seen) == {"w2": {"w2"}}
    assert [f for f in seen.findings if f["id"].startswith(other.finding)]
    wait_until_healthy(rig)
    assert until_clean(rig, SETTLED_S).ids == set()


def test_a_command_that_hangs(rig: Rig) -> None:
    with program(rig, "w1", "sysctl", "sleep 1000"):
        seen = drift(rig)
    assert seen.code == 1
    assert set(unknown(seen)) == {"w1"}
    assert {f["machine"] for f in seen.findings} == {"w1"}


@pytest.mark.parametrize(
    "garbage",
    [
        pytest.param("yes", marks=pytest.mark.long),  # every question until its time is over
        "head -c 300000 /dev/urandom",
        "echo \\033[2J\\033[31m",
    ],
)
def test_a_command_that_prints_garbage(rig: Rig, garbage: str) -> None:
    with program(rig, "w1", "ip", garbage):
        seen = drift(rig)
    assert seen.code == 1
    assert set(unknown(seen)) == {"w1"}
    assert "\x1b[2J" not in seen.stderr


def test_a_command_that_is_missing(rig: Rig) -> None:
    with program(rig, "w1", "ip", "exit 127"):
        seen = drift(rig)
    assert (seen.code, set(unknown(seen))) == (1, {"w1"})


HOSTILE = "\\033]0;x\\007<script>alert(1)</script>|`[x](y)"


def test_hostile_content_is_harmless_in_every_form(rig: Rig) -> None:
    forms = {
        name: rig.folder / f"hostile.{name}" for name in ("html", "markdown", "junit", "sarif")
    }
    rig.root("w1", f"cp -p /etc/hosts /root/h; printf '%b\\n' '{HOSTILE}' >> /etc/hosts")
    try:
        options = [word for name, file in forms.items() for word in (f"--{name}", str(file))]
        seen = drift(rig, *options)
    finally:
        rig.root("w1", "cat /root/h > /etc/hosts; touch -r /root/h /etc/hosts; rm /root/h")
    (finding,) = seen.findings
    assert "\\x1b]0;x\\x07<script>" in finding["diff"]
    for file in forms.values():
        text = file.read_text()
        assert "\x1b" not in text
        assert "alert(1)" in text
    assert "<script>alert" not in forms["html"].read_text()
    assert "\x1b]" not in seen.stderr


def test_a_full_disk_keeps_nothing_from_being_read(rig: Rig) -> None:
    """Reading writes nothing, so it needs no room."""
    rig.lab.fill_disk("cp3")
    try:
        seen = drift(rig)
    finally:
        rig.lab.free_disk("cp3")
    assert unknown(seen) == {}
    wait_until_healthy(rig)
    assert until_clean(rig, SETTLED_S).ids == set()


def test_what_the_site_says_anew_is_not_applied_yet(rig: Rig) -> None:
    change = "timings=_lab.timings.replace(check_ms=600), name=_lab.name"
    inventory = sites.changed(rig, "not-applied", change)
    seen = drift(rig, inventory=str(inventory))
    assert {(f["rule"], f["kind"], f["machine"]) for f in seen.findings} == {
        ("haproxy.file", "not-yet-applied", name) for name in rig.control_planes
    }


MENDED = ("hosts-edited", "sysctl-live", "haproxy-edited", "keepalived-stopped", "firewall-gone",
          "containerd-edited", "kubelet-config-edited", "manifest-edited", "tainted")  # fmt: skip


def test_the_deploy_mends_what_the_report_says_it_does(rig: Rig) -> None:
    """All of them at once; then a hand undoes what the report leaves to a hand, and no more."""
    chosen = [d for d in DRIFTS if d.name in MENDED]
    for one in chosen:
        rig.root(one.machine, f"set -e\n{one.inject}")
    by_hand = {f["id"] for f in drift(rig).findings if f["deploy"] is None}
    run = deploy(rig, "mend")
    for one in chosen:
        if any(identity.startswith(one.finding) for identity in by_hand):
            rig.root(one.machine, f"set -e\n{one.heal}")
        rig.root(one.machine, "rm -rf /root/drift-kept")
    assert run.returncode == 0, run.output[-3000:]
    assert by_hand
    assert until_clean(rig, SETTLED_S).ids == set()


PAIRS, SEED = 20, random.randrange(10**6)


@pytest.mark.long
@pytest.mark.parametrize("number", range(PAIRS))
def test_two_drifts_at_once_are_both_found(rig: Rig, number: int) -> None:
    """On two machines, so that neither undoes what the other has kept of a file."""
    chance, quick = random.Random(SEED + number), [d for d in DRIFTS if not d.patience]
    one = chance.choice(quick)
    two = (one, chance.choice([d for d in quick if d.machine != one.machine]))
    print(f"seed {SEED + number}: {two[0].name} and {two[1].name}")
    done: list[Drift] = []
    try:
        for one in two:
            rig.root(one.machine, f"set -e\n{one.inject}")
            done.append(one)
        seen = drift(rig)
    finally:
        for one in reversed(done):
            rig.root(one.machine, f"set -e\n{one.heal}")
    for one in two:
        assert [i for i in seen.ids if i.startswith(one.finding)], (one.name, seen.ids)
    assert until_clean(rig, SETTLED_S).ids == set()
