"""Who gets in, and who becomes root: accounts, groups, SSH keys, sudo, and who may change them.

A user, his group, each of his keys and each line for sudo is a finding of its own, also if one
deed brought them all: who accepts a user in the baseline has not accepted the key that comes later.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from homelab.drift.areas.keys import FOLDERS  # their modes are judged there
from homelab.drift.areas.sshd import sshd_findings
from homelab.drift.finding import Finding, Kind
from homelab.drift.view import Told, View

if TYPE_CHECKING:
    from facts.accounts import Account, Accounts
    from facts.authorized_keys import AuthorizedKey

# Of base-passwd: whose shell is no shell.
HARMLESS = (("sync", "/bin/sync"),)
PASSWORDS = {"P": "a password", "L": "no password that fits", "NP": "no password asked", None: "?"}

# What cloud-init leaves at root (cloudinit/ssh_util.py, DISABLE_USER_OPTS): it only says whom to
# log in as.
CLOUD_INIT = re.compile(
    r"no-port-forwarding,no-agent-forwarding,no-X11-forwarding,command=\"echo 'Please login as the "
    r"user \\\"[\w-]+\\\" rather than the user \\\"root\\\"\.';echo;sleep 10(;exit 142)?\""
)

# /etc/sudoers of Debian 12 and 13, as facts.sudoers reads it; before Debian 11 with #includedir.
SUDOERS = frozenset({
    "Defaults env_reset",
    "Defaults mail_badpass",
    'Defaults secure_path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"',
    "Defaults use_pty",
    "root ALL=(ALL:ALL) ALL",
    "%sudo ALL=(ALL:ALL) ALL",
    "@includedir /etc/sudoers.d",
    "#includedir /etc/sudoers.d",
})  # fmt: skip

OTHERS_READ_OR_WRITE, OTHERS_WRITE = 0o077, 0o022


def findings(view: View, told: Told) -> Iterator[Finding]:
    """All rules ``access.*`` but those of ports and of static pods."""
    if told.facts.accounts is not None:
        yield from _users(told, told.facts.accounts)
        yield from _groups(told, told.facts.accounts)
        yield from _keys(told, told.facts.accounts)
        yield from _sudoers(told, told.facts.accounts)
        yield from _access_files(told, told.facts.accounts)
    yield from sshd_findings(told)
    yield from _secrets(told)


def _users(told: Told, read: Accounts) -> Iterator[Finding]:
    declared = ("root", told.machine.ssh_user)
    for user in read.users or ():
        if user.uid == 0 and user.name != "root":
            yield _found(told, "access.uid-0", user.name, "root alone has user id 0", _words(user))
        elif user.name not in declared and (user.name, user.shell) not in HARMLESS:
            yield _found(told, "access.user", user.name, "no such user with a shell", _words(user))
        elif user.name in declared and user.password == "NP":
            words = "locked, or with a password"
            yield _found(told, "access.password", user.name, words, PASSWORDS["NP"], "drift")


def _words(user: Account) -> str:
    return f"user id {user.uid}, {user.shell or '/bin/sh'}, {PASSWORDS[user.password]}"


def _groups(told: Told, read: Accounts) -> Iterator[Finding]:
    root = {user.name for user in read.users or () if user.uid == 0}
    for group, members in (read.groups or {}).items():
        for name in members:
            if name not in root | {told.machine.ssh_user}:
                yield _found(
                    told, "access.group", f"{name} {group}", "no member", f"{name} is a member"
                )


def _keys(told: Told, read: Accounts) -> Iterator[Finding]:
    """One finding for each user and key, in however many files it stands."""
    root = {user.name for user in read.users or () if user.uid == 0} | {"root"}
    by_user: dict[tuple[str, str], list[AuthorizedKey]] = {}
    seen: set[tuple[str, str]] = set()  # users may share a home
    for key in read.keys or ():
        if not _declared(told, key) and (key.file, key.fingerprint) not in seen:
            by_user.setdefault((key.user, key.fingerprint), []).append(key)
        seen.add((key.file, key.fingerprint))
    for (user, fingerprint), keys in by_user.items():
        expected = "the declared key alone" if user == told.machine.ssh_user else "no key"
        comment = keys[0].comment or "without a comment"
        options = f", {keys[0].options}" if keys[0].options else ""
        actual = f"{keys[0].type} {comment}{options}, in {', '.join(key.file for key in keys)}"
        rule = "access.root-key" if user in root else "access.key"
        yield _found(told, rule, f"{user} {fingerprint}", expected, actual)


def _declared(told: Told, key: AuthorizedKey) -> bool:
    """Nobody knows whether a key is the admin's where the controller has not its public half."""
    if key.user == told.machine.ssh_user:
        return told.admin_keys is None or key.fingerprint in told.admin_keys
    return key.user == "root" and CLOUD_INIT.fullmatch(key.options) is not None


def _sudoers(told: Told, read: Accounts) -> Iterator[Finding]:
    admin = rf"{re.escape(told.machine.ssh_user)} ALL ?= ?(\(ALL(:ALL)?\) ?)?(NOPASSWD: ?)?ALL"
    for file in read.sudoers or ():
        for line in file.lines:
            if line not in SUDOERS and not re.fullmatch(admin, line):
                # % and ! would not survive in an id, and say much
                digest = hashlib.sha256(line.encode()).hexdigest()[:8]
                yield _found(told, "access.sudoers", f"{file.path} {digest}", "no such line", line)


def _access_files(told: Told, read: Accounts) -> Iterator[Finding]:
    """sshd and sudo mostly refuse such files, which then is what is found."""
    for file in read.sudoers or ():
        if file.mode & OTHERS_WRITE or file.owner != "root":
            yield _mode(told, file.path, "440 root:root", file.mode, file.owner, file.group)
    owners: dict[str, set[str]] = {}
    for access in read.key_files or ():
        owners.setdefault(access.path, {"root"}).add(access.user)
    for access in read.key_files or ():
        if access.mode & OTHERS_WRITE or access.owner not in owners[access.path]:
            words = f"600, {access.user}'s"
            yield _mode(told, access.path, words, access.mode, access.owner, access.group)


def _secrets(told: Told) -> Iterator[Finding]:
    """kubeconfigs and sshd's keys. What the deploy writes is the layers' to judge."""
    ours = {document.path for layer in told.layers for document in layer.documents}
    for file in (told.facts.keys.files or ()) if told.facts.keys else ():
        if file.path in ours or file.path.startswith(FOLDERS):
            continue
        if file.mode & OTHERS_READ_OR_WRITE or file.owner != "root":
            yield _mode(told, file.path, "600 root:root", file.mode, file.owner, file.group)


def _mode(told: Told, path: str, expected: str, mode: int, owner: str, group: str) -> Finding:
    return _found(told, "access.mode", path, expected, f"{mode:o} {owner}:{group}", "drift")


def _found(
    told: Told, rule: str, subject: str, expected: str, actual: str, kind: Kind = "undeclared"
) -> Finding:
    return Finding(rule, told.name, subject, expected, actual, kind)
