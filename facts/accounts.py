"""Who gets into a machine, and who becomes root there: accounts, groups, SSH keys, sudo."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pyinfra.api.facts import FactBase

from facts.account_questions import COMMANDS
from facts.authorized_keys import AuthorizedKey, public_key
from facts.questions import answers, questions
from facts.record import Reading, Record, parsed, unknown
from facts.sudoers import SudoersFile, effective

_NO_LOGIN = ("nologin", "false")


@dataclass(frozen=True)
class Account(Record):
    """``password``: "P" usable, "L" locked, "NP" none is asked for (passwd(1), -S)."""

    name: str
    uid: int
    home: str
    shell: str  # empty: /bin/sh (passwd(5))
    password: str | None


@dataclass(frozen=True)
class AccessFile(Record):
    """An authorized_keys that sshd looks for, with or without keys."""

    user: str
    path: str
    mode: int
    owner: str
    group: str


@dataclass(frozen=True)
class Accounts(Reading):
    """``unread`` also has each line of an authorized_keys that is no key, by "PATH line N"."""

    users: tuple[Account, ...] | None = None  # user id 0, or a shell to log in with
    groups: Mapping[str, tuple[str, ...]] | None = None  # who is root by his group, by its name
    key_files: tuple[AccessFile, ...] | None = None  # of all accounts, whatever their shell
    keys: tuple[AuthorizedKey, ...] | None = None
    sudoers: tuple[SudoersFile, ...] | None = None


def parse(output: list[str]) -> Accounts:
    """Output of :class:`People`'s command; ValueError on lines that it does not know."""
    asked = answers(output)
    if not asked:
        return People.default()
    unread = {name: answer.failure for name, answer in asked.items() if answer.failure}
    users, groups = (None, None) if "users" in unread else _users(asked["users"].output)
    files = keys = sudoers = None
    if "keys" not in unread:
        files, keys, no_keys = _keys(asked["keys"].output)
        unread |= no_keys
    if "sudoers" not in unread:
        sudoers = tuple(_sudoers(asked["sudoers"].output))
    return Accounts(
        users=users, groups=groups, key_files=files, keys=keys, sudoers=sudoers, unread=unread
    )


def _users(text: str) -> tuple[tuple[Account, ...], dict[str, tuple[str, ...]]]:
    users: list[tuple[str, int, str, str, str]] = []
    states: dict[str, str] = {}
    groups: dict[str, tuple[str, list[str]]] = {}
    for line in text.splitlines():
        tag, _, rest = line.partition(" ")
        if tag == "user":
            name, uid, gid, home, shell = rest.split(":", 4)
            users.append((name, int(uid), gid, home, shell))
        elif tag == "group":
            name, gid, members = rest.split(":")
            groups[name] = gid, [member for member in members.split(",") if member]
        elif state := re.fullmatch(r"state (\S+) (P|L|NP)", line):
            states[state[1]] = state[2]
        else:
            raise ValueError(f"expected a user or a group, met {line[:60]!r}")
    if not any(uid == 0 for _, uid, *_ in users):
        raise ValueError("nobody is root, which can't be")
    found = tuple(
        Account(name, uid, home, shell, states.get(name))
        for name, uid, _, home, shell in users
        if uid == 0 or shell.rpartition("/")[2] not in _NO_LOGIN
    )
    of_groups = {
        name: tuple(dict.fromkeys(listed + [user for user, _, g, *_ in users if g == gid]))
        for name, (gid, listed) in groups.items()
    }
    return found, of_groups


def _keys(
    text: str,
) -> tuple[tuple[AccessFile, ...], tuple[AuthorizedKey, ...], dict[str, str]]:
    owners: list[tuple[str, str]] = []  # user and path; two users may share a home
    states, blocks = _files(text)
    for line in blocks.pop("", []):
        user = re.fullmatch(r"of (\S+) (/.*)", line)
        if not user:
            raise ValueError(f"expected a file with keys, met {line[:60]!r}")
        owners.append((user[1], user[2]))
    keys: list[AuthorizedKey] = []
    unread: dict[str, str] = {}
    for user_name, path in owners:
        for number, line in enumerate(blocks.get(path, ()), 1):
            if not line:
                continue
            try:
                found = public_key(line)
            except ValueError as error:
                unread[f"{path} line {number}"] = str(error)
            else:
                keys.append(AuthorizedKey(**vars(found), user=user_name, file=path))
    files = tuple(AccessFile(user, path, *states[path]) for user, path in owners)
    return files, tuple(keys), unread


def _sudoers(text: str) -> Iterator[SudoersFile]:
    states, blocks = _files(text)
    digests: dict[str, str] = {}
    for line in blocks.pop("", []):
        found = re.fullmatch(r"\\?([0-9a-f]{64})  (/.*)", line)
        if not found:
            raise ValueError(f"expected a file of sudo's, met {line[:60]!r}")
        digests[found[2]] = found[1]
    for path, state in states.items():
        yield SudoersFile(path, digests[path], *state, effective(blocks.get(path, ())))


def _files(text: str) -> tuple[dict[str, tuple[int, str, str]], dict[str, list[str]]]:
    """Mode, owner and group by path; lines by path, and under "" those that are of no file."""
    states: dict[str, tuple[int, str, str]] = {}
    blocks: dict[str, list[str]] = {"": []}
    path = ""
    for line in text.splitlines():
        if line.startswith("file "):
            _, mode, owner, group, name = line.split(" ", 4)
            states[name] = int(mode, 8), owner, group
        elif line.startswith("==> "):
            path = line.removeprefix("==> ")
            blocks[path] = []
        elif path and line.startswith("|"):
            blocks[path].append(line.removeprefix("|").removeprefix(" "))
        else:
            blocks[""].append(line)
    if strange := set(blocks) - {"", *states}:
        raise ValueError(f"nothing is known of {min(strange)!r} but its lines")
    return states, blocks


class People(FactBase[Accounts]):
    """Accounts, members of groups that are root, authorized keys, and sudo's files.

    .. code:: python

        host.get_fact(People).keys[0].fingerprint
    """

    def command(self) -> str:
        return questions(COMMANDS)

    @staticmethod
    def default() -> Accounts:
        return Accounts(unread=unknown("accounts"))

    def process(self, output: list[str]) -> Accounts:
        return parsed("accounts", parse, output)
