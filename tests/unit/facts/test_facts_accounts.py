"""Accounts, keys and sudo's files: a bad day's, and the commands run for real."""

from __future__ import annotations

import base64
import os
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facts.account_questions import COMMANDS
from facts.accounts import Account, Accounts, People, parse
from facts.authorized_keys import public_key
from facts.questions import questions
from facts.sudoers import effective
from tests.unit.facts.fact_captures import capture

needs_root = pytest.mark.skipif(os.getuid() != 0, reason="the fact answers root only")
ADMIN = "SHA256:Co1UrsOu27xg1FVgJaDbptbtG9gE1HC+gKj2BxDThQ4"  # as ssh-keygen -l has said
BACKUP = "SHA256:cMXBRbMNSS6ExQq3TnkTSX1MH5Q3K+F4rwppO+k24Uo"
LINE = next(line for line in capture("accounts-lab") if "ssh-ed25519" in line).removeprefix("| ")


def bad_day() -> Accounts:
    return parse(capture("accounts-bad-day"))


def test_a_machine_of_the_lab() -> None:
    found = parse(capture("accounts-lab"))
    assert not found.unread
    assert [user.name for user in found.users or ()] == ["root", "sync", "vagrant"]
    assert [(key.user, key.fingerprint) for key in found.keys or ()] == [("vagrant", ADMIN)]
    assert [file.path for file in found.key_files or ()] == ["/home/vagrant/.ssh/authorized_keys"]
    assert {file.path for file in found.sudoers or ()} == {
        "/etc/sudoers", "/etc/sudoers.d/README", "/etc/sudoers.d/vagrant",
    }  # fmt: skip


def test_accounts_and_who_needs_no_password() -> None:
    users = {user.name: user for user in bad_day().users or ()}
    assert users["toor"] == Account("toor", 0, "/root", "/bin/sh", "L")
    assert users["bob"].password == "NP"
    assert "www-data" not in users


def test_members_are_listed_or_have_the_group_as_their_first() -> None:
    assert bad_day().groups == {
        "root": ("root", "toor"), "disk": ("ci",), "kmem": (), "sudo": ("bob",), "shadow": (),
    }  # fmt: skip


def test_keys_of_every_home_with_all_that_is_known_of_them() -> None:
    keys = [(key.user, key.file.rpartition("/")[2]) for key in bad_day().keys or ()]
    assert keys == [
        ("root", "authorized_keys"), ("root", "authorized_keys2"),
        ("www-data", "authorized_keys"), ("vagrant", "authorized_keys"),
        ("vagrant", "authorized_keys"), ("toor", "authorized_keys"), ("toor", "authorized_keys2"),
    ]  # fmt: skip
    backup = next(key for key in bad_day().keys or () if key.comment == "backup@example")
    assert backup.fingerprint == BACKUP
    assert backup.options == (
        'from="10.0.0.0/8",environment="",command="/usr/bin/rsync --server"'
    )  # fmt: skip


def test_no_secret_has_left_the_machine() -> None:
    text = "\n".join(capture("accounts-bad-day"))
    assert "hush" not in text  # the value of environment="TOKEN=…"
    assert "PRIVATE KEY" not in text  # pasted into authorized_keys
    assert "$y$" not in text


def test_a_line_that_is_no_key_is_told_and_the_others_are_read() -> None:
    assert bad_day().unread == {
        "/root/.ssh/authorized_keys line 4": "holds no public key",
        "/root/.ssh/authorized_keys line 5": "holds a key that is no ssh-ed25519",
    }


def test_sudos_files_with_what_counts_in_them() -> None:
    files = {file.path: file for file in bad_day().sudoers or ()}
    assert "/etc/sudoers.d/bob.bak" not in files  # sudo passes over it
    ci = files["/etc/sudoers.d/ci"]
    assert (ci.mode, ci.owner) == (0o664, "root")
    assert ci.sha256.startswith("35e413371d57")
    assert ci.lines == (
        "ci ALL=(root) NOPASSWD: /usr/bin/apt-get, /usr/bin/dpkg",
        "#1000 ALL=(ALL) ALL",
        "#include /srv/more",
        "Defaults:ci !authenticate",
    )


@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        (["# a comment \\", "bob ALL=ALL"], ["bob ALL=ALL"]),
        (["bob\tALL =  ALL# why"], ["bob ALL = ALL"]),
        (["bob ALL=\\", "  ALL"], ["bob ALL= ALL"]),
        (["bob ALL=\\"], ["bob ALL="]),
        (["#-1 ALL=ALL", "#includedir /x"], ["#-1 ALL=ALL", "#includedir /x"]),
        (["#included is this not", r"bob ALL=/bin/a \#b"], [r"bob ALL=/bin/a \#b"]),
    ],
)
def test_lines_of_sudoers(lines: list[str], wanted: list[str]) -> None:
    assert effective(lines) == tuple(wanted)


@pytest.mark.parametrize(
    ("before", "after", "options", "comment"),
    [
        ("", "", "", "admin@example"),
        ("  restrict ", "  ", "restrict", "admin@example"),
        ('command="a \\"b\\" c",no-pty\t', " of two words", 'command="a \\"b\\" c",no-pty',
         "admin@example of two words"),
    ],
)  # fmt: skip
def test_a_line_of_authorized_keys(before: str, after: str, options: str, comment: str) -> None:
    found = public_key(before + LINE + after)
    assert found.fingerprint == ADMIN
    assert (found.options, found.comment) == (options, comment)


@given(st.text(max_size=80))
def test_any_line_is_a_key_or_refused(line: str) -> None:
    with suppress(ValueError):
        assert public_key(line).fingerprint.startswith("SHA256:")


@given(st.binary(max_size=60))
def test_a_key_says_its_own_type(blob: bytes) -> None:
    with pytest.raises(ValueError, match="holds"):
        public_key(f"ssh-dss {base64.b64encode(b'x' + blob).decode()}")


@pytest.mark.parametrize(
    "damage", [("user root:0:", "user root:1:"), ("state root L", "state root X")]
)
def test_nonsense_is_refused(damage: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match=r"root|met"):
        parse([line.replace(*damage) for line in capture("accounts-lab")])


def run(tmp_path: Path, *users: str) -> Accounts:
    """The commands on ``tmp_path`` in place of the root, with these lines of passwd(5)."""
    tools = tmp_path / "bin"
    tools.mkdir(exist_ok=True)
    (tmp_path / "passwd").write_text("\n".join(users) + "\n")
    for name, text in {
        "getent": f'[ "$1" = group ] && exec echo sudo:x:27:bob; cat {tmp_path}/passwd',
        "passwd": "echo root P 2026-11-26 0 99999 7 -1",
    }.items():
        (tools / name).write_text(f"#!/bin/sh\n{text}\n")
        (tools / name).chmod(0o755)
    command = People().command().replace("/etc/sudoers", f"{tmp_path}/etc/sudoers")
    path = f"{tools}:{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-c", command], env={"PATH": path}, capture_output=True, check=True
    )
    return parse(done.stdout.decode().splitlines())  # strict UTF-8, as pyinfra


@needs_root
def test_the_commands_find_homes_with_spaces_and_strange_bytes(tmp_path: Path) -> None:
    homes = tmp_path / "a home", tmp_path / "other"
    for home, name in zip(homes, ("authorized_keys", "authorized_keys2"), strict=True):
        (home / ".ssh").mkdir(parents=True)
        (home / ".ssh" / name).write_bytes(LINE.encode() + b" \xff\xe4\r\n\n# end")
    folder = tmp_path / "etc/sudoers.d"
    folder.mkdir(parents=True)
    (folder / "b").write_bytes(b"bob ALL = /bin/\xff\n")
    (folder / "c~").write_text("bob ALL=ALL\n")
    found = run(
        tmp_path,
        "root:$y$hash:0:0:r\xf6\xf6t:/nowhere:/bin/bash",
        f"bob:x:7:27::{homes[0]}:",
        f"eve:x:8:8::{homes[1]}:/usr/sbin/nologin",
    )
    assert not found.unread
    assert [(user.name, user.shell) for user in found.users or ()] == [
        ("root", "/bin/bash"), ("bob", ""),
    ]  # fmt: skip
    assert found.groups == {"sudo": ("bob",)}
    assert [(key.user, key.file, key.comment) for key in found.keys or ()] == [
        ("bob", f"{homes[0]}/.ssh/authorized_keys", "admin@example ??"),
        ("eve", f"{homes[1]}/.ssh/authorized_keys2", "admin@example ??"),
    ]
    assert [file.lines for file in found.sudoers or ()] == [("bob ALL = /bin/?",)]


@needs_root
def test_a_machine_without_sudo_and_keys_has_none(tmp_path: Path) -> None:
    found = run(tmp_path, "root:x:0:0::/root/nowhere:/bin/bash")
    assert (found.keys, found.key_files, found.sudoers, found.unread) == ((), (), (), {})


@needs_root
def test_whoever_is_not_root_gets_no_answer() -> None:
    done = subprocess.run(
        ["setpriv", "--reuid=65534", "--clear-groups", "sh", "-c", questions(COMMANDS)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = parse(done.stdout.splitlines())
    assert found.unread == dict.fromkeys(COMMANDS, "exit code 1: not root")
    assert (found.users, found.keys, found.sudoers) == (None, None, None)
