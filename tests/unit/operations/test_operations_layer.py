"""Layers are applied by their real script on a machine of their own, and looked at by the fact."""

from __future__ import annotations

import grp
import pwd
import subprocess
import tarfile
from base64 import b64decode
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facts.layer import Layers, LayerState, differences
from homelab.documents.document import Document, Layer
from operations.layer import apply_script, pack
from tests.unit.operations.room import Machine, Said

PLAIN = Document("/etc/app/app.conf", "colour = blue\n")
SECRET = Document("/etc/app/key", "hush\n", mode=0o600, secret=True)


def layer(*documents: Document, **settings: object) -> Layer:
    return Layer("app", documents or (PLAIN, SECRET), **settings)  # type: ignore[arg-type]


def apply(machine: Machine, wanted: Layer) -> Said:
    """As the operation does it."""
    return machine.sh(apply_script(wanted), stdin=pack(wanted.documents))


def look(machine: Machine, wanted: Layer) -> list[str]:
    """Why it must be applied, as the deploy asks it."""
    lines = machine.does(Layers().command([wanted])).splitlines()
    return differences(wanted, Layers().process(lines)[wanted.name])


def test_a_bare_machine_gets_the_files_and_is_then_as_declared(machine: Machine) -> None:
    wanted = layer(activate="cat /etc/app/app.conf > /run/active", absent=("/etc/app.d",))
    machine.write("/etc/app.d/old")
    assert look(machine, wanted) == [
        "/etc/app/app.conf is missing",
        "/etc/app/key is missing",
        "/etc/app.d should not be there",
    ]
    assert apply(machine, wanted).code == 0
    assert machine.read("/run/active") == PLAIN.text
    assert machine.files("/etc/app", "/etc/app.d") == {PLAIN.path, SECRET.path}
    assert machine.path(SECRET.path).stat().st_mode & 0o777 == 0o600
    assert machine.path(PLAIN.path).stat().st_mode & 0o777 == 0o644
    assert machine.path("/etc/app").stat().st_mode & 0o777 == 0o755
    assert look(machine, wanted) == []


def test_the_machine_remembers_what_was_written(machine: Machine) -> None:
    """So that a hand's change can be told from the site's."""
    wanted = layer()
    assert apply(machine, wanted).code == 0
    machine.does("echo x >> /etc/app/app.conf")
    state = Layers().process(machine.does(Layers().command([wanted])).splitlines())["app"]
    assert state.applied == wanted.digest
    assert state.applied_at > 0
    assert {path: now.sha256 for path, now in state.written.items()} == {
        document.path: document.sha256 for document in wanted.documents
    }
    assert state.files[PLAIN.path] != state.written[PLAIN.path]
    assert state.files[SECRET.path] == state.written[SECRET.path]


def test_nothing_is_left_of_the_staging(machine: Machine) -> None:
    assert apply(machine, layer()).code == 0
    assert machine.files("/run") == {"/run/homelab-step.lock"}
    assert [f for f in machine.files("/etc/app") if f.endswith("-new")] == []


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        ("echo x >> /etc/app/app.conf", "/etc/app/app.conf differs"),
        ("rm /etc/app/app.conf", "/etc/app/app.conf is missing"),
        ("chmod 0640 /etc/app/key", "/etc/app/key is 640 root:root, not 600 root:root"),
        ("mkdir /etc/app.d", "/etc/app.d should not be there"),
        ("rm -r /var/lib/homelab/applied", "not brought into force yet"),
        ("rm /run/active", "what runs is not what is declared"),
    ],
)
def test_drift_is_seen_and_mended(machine: Machine, spoil: str, reason: str) -> None:
    wanted = layer(activate="touch /run/active", live="test -e /run/active", absent=("/etc/app.d",))
    apply(machine, wanted)
    machine.does(spoil)
    assert look(machine, wanted) == [reason]
    assert apply(machine, wanted).code == 0
    assert look(machine, wanted) == []


def test_what_its_checker_refuses_changes_nothing(machine: Machine) -> None:
    good = layer(check="grep -q blue $STAGE/etc/app/app.conf", activate="echo x >> /run/active")
    apply(machine, good)
    bad = layer(Document(PLAIN.path, "colour = \n"), check=good.check, activate=good.activate)
    said = apply(machine, bad)
    assert said.code == 1
    assert "refused by its checker: app" in said.err
    assert machine.read(PLAIN.path) == PLAIN.text
    assert machine.read("/run/active") == "x\n"
    assert look(machine, good) == []


def test_a_run_killed_before_the_restart_is_finished_by_the_next(machine: Machine) -> None:
    """The files are there, but were not brought into force."""
    wanted = layer(activate="test -e /run/can-start")
    assert apply(machine, wanted).code == 1
    assert machine.read(PLAIN.path) == PLAIN.text
    assert look(machine, wanted) == ["not brought into force yet"]
    machine.write("/run/can-start")
    assert apply(machine, wanted).code == 0
    assert look(machine, wanted) == []


def test_another_way_to_activate_is_a_difference(machine: Machine) -> None:
    apply(machine, layer(activate="true"))
    assert look(machine, layer(activate="true; true")) == ["not brought into force yet"]


def test_a_full_disk_is_an_error_and_is_not_recorded_as_done(machine: Machine) -> None:
    """The disk takes the staged files, but not the last one."""
    machine.path("/etc/app").mkdir()
    machine.room.run("mount", "-t", "tmpfs", "-o", "size=64k", "none", f"{machine.root}/etc/app")
    wanted = layer(Document("/etc/app/large", "x" * 200_000), activate="touch /run/active")
    said = apply(machine, wanted)
    assert said.code != 0
    assert "No space left" in said.err
    assert machine.files("/var/lib/homelab") == set()
    assert not machine.path("/run/active").exists()


def test_a_mounted_file_is_written_in_place(machine: Machine) -> None:
    """Docker mounts /etc/hosts; it can't be replaced by a rename."""
    machine.write("/root/hosts", "old\n")
    machine.write("/etc/hosts", "")
    machine.room.run("mount", "--bind", f"{machine.root}/root/hosts", f"{machine.root}/etc/hosts")
    wanted = layer(Document("/etc/hosts", "10.0.0.1 cp1\n"))
    assert apply(machine, wanted).code == 0
    assert machine.read("/root/hosts") == "10.0.0.1 cp1\n"
    assert look(machine, wanted) == []


def test_a_daemon_does_not_inherit_the_lock(machine: Machine) -> None:
    """Else the next step would wait for it for ever."""
    assert apply(machine, layer(activate="sleep 60 >/dev/null 2>&1 &")).code == 0
    assert machine.does("flock -n /run/homelab-step.lock echo free") == "free\n"


def test_an_owner_is_set(machine: Machine) -> None:
    if machine.room.user:
        pytest.skip("only root may give files away")
    user, group = pwd.getpwuid(1).pw_name, grp.getgrgid(1).gr_name
    wanted = layer(Document("/etc/app/his", "x\n", owner=user, group=group))
    assert apply(machine, wanted).code == 0
    assert machine.path("/etc/app/his").stat().st_uid == 1
    assert look(machine, wanted) == []


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=400)
PATHS = st.from_regex(r"(/[a-z][a-z0-9._-]{0,9}){1,4}", fullmatch=True)


@given(st.dictionaries(PATHS, TEXTS, max_size=4))
def test_what_is_packed_is_unpacked(texts: dict[str, str]) -> None:
    packed = pack(tuple(Document(path, text, mode=0o640) for path, text in texts.items()))
    with tarfile.open(fileobj=BytesIO(b64decode(packed))) as archive:
        entries = {f"/{entry.name}": entry for entry in archive.getmembers()}
        assert set(entries) == set(texts)
        for path, entry in entries.items():
            file = archive.extractfile(entry)
            assert file
            assert file.read().decode() == texts[path]
            assert (entry.mode, entry.uname, entry.gname) == (0o640, "root", "root")


def test_nothing_of_a_secret_is_in_the_script() -> None:
    assert "hush" not in apply_script(layer())
    assert "hush" not in repr(layer())
    assert subprocess.run(["sh", "-n", "-c", apply_script(layer())], check=True).returncode == 0


def test_the_fact_of_a_machine_that_says_nothing() -> None:
    assert Layers.default() == {}
    assert differences(layer(), LayerState())[0] == "/etc/app/app.conf is missing"
