"""Who gets in: a machine as the lab makes it is clean, and each way in on a bad day is found."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facts import accounts, keys, sshd
from facts.accounts import Accounts
from facts.authorized_keys import AuthorizedKey
from facts.keys import KeyFiles
from facts.sshd import Match, Sshd
from facts.sudoers import SudoersFile
from homelab.documents.document import Document, Layer
from homelab.drift.areas.access import SUDOERS, findings
from homelab.drift.catalogue import mend_of
from homelab.drift.finding import Finding
from homelab.drift.view import Facts
from tests.unit.documents.document_sites import lab
from tests.unit.drift.drift_views import view
from tests.unit.facts.fact_captures import capture

ADMIN = "SHA256:Co1UrsOu27xg1FVgJaDbptbtG9gE1HC+gKj2BxDThQ4"
BACKUP = "SHA256:cMXBRbMNSS6ExQq3TnkTSX1MH5Q3K+F4rwppO+k24Uo"
CI = "SHA256:Xgi/CKvyN8qBgO8YvpRKelK4g8maJLYkP8EKF2xRKdk"
LAPTOP = "SHA256:ndYYTlxw0aF40rUTe7NZyCf2YHQe6f6SRui2/YKqDHw"
NAMELESS = "SHA256:Dk+D/jnKLbYxN6FKaMEw4SC8k7c9FvXk1/60Q2K04hA"
ENCRYPTION = "/etc/kubernetes/encryption/config.yaml"


def found(
    facts: dict[str, Any], user: str = "vagrant", layers: tuple[Layer, ...] = (), **told: Any
) -> list[Finding]:
    site = lab()
    machines = tuple(m.replace(ssh_user=user) for m in site.machines)
    seen = view({"cp1": facts}, site.replace(machines=machines))
    changes: dict[str, Any] = {"admin_keys": frozenset({ADMIN}), "layers": layers} | told
    return list(findings(seen, replace(seen.of("cp1"), **changes)))


def subjects(some: list[Finding], rule: str) -> list[str]:
    return [finding.subject for finding in some if finding.rule == rule]


def read(name: str, **changes: Any) -> dict[str, Any]:
    return {"accounts": replace(accounts.parse(capture(f"accounts-{name}")), **changes)}


def fresh() -> dict[str, Any]:
    return {
        **read("lab"),
        "sshd": sshd.parse(capture("sshd-lab")),
        "keys": keys.parse(capture("keys-control-plane")),
    }


def test_a_machine_as_the_lab_makes_it_is_clean() -> None:
    assert found(fresh()) == []


def test_what_was_not_read_is_not_judged() -> None:
    assert found({"accounts": Accounts(), "sshd": Sshd(), "keys": KeyFiles()}) == []
    assert found(vars(Facts(survey=None))) == []


def test_accounts_of_a_bad_day() -> None:
    day = found(read("bad-day"))
    assert subjects(day, "access.uid-0") == ["toor"]
    assert subjects(day, "access.user") == ["bob", "ci"]
    bob = next(finding for finding in day if finding.id == "access.user/cp1/bob")
    assert (bob.kind, bob.actual) == ("undeclared", "user id 1001, /bin/bash, no password asked")
    assert subjects(day, "access.group") == ["ci disk", "bob sudo"]
    (in_sudo,) = (finding for finding in day if finding.subject == "bob sudo")
    assert mend_of(in_sudo) == "on cp1: gpasswd --delete bob sudo, or accept it"


def test_keys_of_a_bad_day() -> None:
    day = found(read("bad-day"))
    assert subjects(day, "access.root-key") == [f"root {BACKUP}", f"root {NAMELESS}"]  # toor's, too
    assert subjects(day, "access.key") == [f"www-data {CI}", f"vagrant {LAPTOP}"]
    assert all(f.kind == "undeclared" for f in day if f.rule in ("access.key", "access.root-key"))
    backup = next(finding for finding in day if BACKUP in finding.subject)
    assert backup.actual.startswith("ssh-ed25519 backup@example, from=")
    assert backup.actual.endswith(", in /root/.ssh/authorized_keys")


def test_keys_of_the_admin_are_not_judged_where_his_own_is_not_known() -> None:
    day = found(read("bad-day"), admin_keys=None)
    assert subjects(day, "access.key") == [f"www-data {CI}"]
    assert len(subjects(day, "access.root-key")) == 2


def test_the_admin_may_be_root_himself() -> None:
    root = found(read("bad-day"), user="root", admin_keys=frozenset({BACKUP}))
    assert subjects(root, "access.root-key") == [f"root {NAMELESS}"]
    unknown = found(read("bad-day"), user="root", admin_keys=None)
    assert subjects(unknown, "access.root-key") == []


def test_a_key_in_two_files_is_one_finding() -> None:
    key = AuthorizedKey("ssh-rsa", "SHA256:x", "", "", user="bob", file="/b/authorized_keys")
    both = (key, replace(key, file="/b/authorized_keys2"))
    (finding,) = found({"accounts": Accounts(keys=both)})
    assert finding.actual == (
        "ssh-rsa without a comment, in /b/authorized_keys, /b/authorized_keys2"
    )  # fmt: skip


CLOUD = (
    "no-port-forwarding,no-agent-forwarding,no-X11-forwarding,command=\"echo 'Please login as the "
    'user \\"debian\\" rather than the user \\"root\\".\';echo;sleep 10;exit 142"'
)


@pytest.mark.parametrize(
    ("options", "user", "number"),
    [(CLOUD, "root", 0), (CLOUD, "bob", 1), (CLOUD.replace("debian", "$(sh)"), "root", 1),
     (CLOUD.partition(",command")[0], "root", 1)],
)  # fmt: skip
def test_what_cloud_init_leaves_at_root_lets_nobody_in(
    options: str, user: str, number: int
) -> None:
    key = AuthorizedKey("ssh-rsa", ADMIN, "", options, user=user, file="/x")
    assert len(found({"accounts": Accounts(keys=(key,))})) == number


def test_sudo_of_a_bad_day() -> None:
    day = [finding for finding in found(read("bad-day")) if finding.rule == "access.sudoers"]
    assert [finding.actual for finding in day] == [
        "ci ALL=(root) NOPASSWD: /usr/bin/apt-get, /usr/bin/dpkg",
        "#1000 ALL=(ALL) ALL",
        "#include /srv/more",
        "Defaults:ci !authenticate",
    ]
    assert {finding.subject.partition(" ")[0] for finding in day} == {"/etc/sudoers.d/ci"}
    assert {finding.kind for finding in day} == {"undeclared"}


def sudo(line: str) -> list[Finding]:
    file = SudoersFile("/etc/sudoers.d/x", "0" * 64, 0o440, "root", "root", (line,))
    return found({"accounts": Accounts(sudoers=(file,))})


@pytest.mark.parametrize(
    "line",
    ["vagrant ALL=(ALL) NOPASSWD: ALL", "vagrant ALL=(ALL:ALL) NOPASSWD:ALL",
     "vagrant ALL = NOPASSWD: ALL", "vagrant ALL=(ALL) ALL", *sorted(SUDOERS)],
)  # fmt: skip
def test_what_debian_and_the_admin_have(line: str) -> None:
    assert sudo(line) == []


@pytest.mark.parametrize(
    "line", ["%sudo ALL=(ALL:ALL) NOPASSWD: ALL", "vagrant2 ALL=(ALL) ALL", "ALL ALL=(ALL) ALL"]
)
def test_what_they_do_not_have(line: str) -> None:
    (finding,) = sudo(line)
    assert (finding.rule, finding.actual) == ("access.sudoers", line)


@given(st.lists(st.text("%!ab =", min_size=1, max_size=8), min_size=2, max_size=2, unique=True))
def test_two_lines_never_have_one_id(lines: list[str]) -> None:
    """Else who accepts one has accepted the other."""
    one, two = ({finding.id for finding in sudo(line)} for line in lines)
    assert one.isdisjoint(two)


def test_nobody_is_asked_for_a_password() -> None:
    users = accounts.parse(capture("accounts-lab")).users or ()
    open_ones = tuple(replace(user, password="NP") for user in users)
    (*both,) = found({"accounts": Accounts(users=open_ones)})
    assert [(f.id, f.kind) for f in both] == [
        ("access.password/cp1/root", "drift"), ("access.password/cp1/vagrant", "drift"),
    ]  # fmt: skip


def test_modes_of_a_bad_day() -> None:
    everything = {**read("bad-day"), "keys": keys.parse(capture("keys-bad-day"))}
    modes = {f.subject: f.actual for f in found(everything) if f.rule == "access.mode"}
    assert modes == {
        "/etc/sudoers.d/ci": "664 root:root",
        "/home/vagrant/.ssh/authorized_keys": "664 vagrant:vagrant",
        "/etc/kubernetes/admin.conf": "644 root:root",
        "/etc/ssh/ssh_host_ecdsa_key": "644 root:root",
    }  # those of certificates are homelab/drift/areas/keys.py's


def test_what_a_layer_writes_is_the_layers_to_judge() -> None:
    read_keys = keys.parse(capture("keys-control-plane"))
    wide = tuple(
        replace(file, mode=0o644) if file.path == ENCRYPTION else file
        for file in read_keys.files or ()
    )
    facts = {"keys": replace(read_keys, files=wide)}
    assert subjects(found(facts), "access.mode") == [ENCRYPTION]
    layer = Layer("control-plane", (Document(ENCRYPTION, "x", mode=0o600, secret=True),))
    assert found(facts, layers=(layer,)) == []


def test_sshd_of_a_bad_day() -> None:
    day = found({"sshd": sshd.parse(capture("sshd-bad-day"))})
    assert [(f.rule, f.subject, f.actual, f.kind) for f in day] == [
        ("access.sshd", "permitrootlogin", "yes", "drift"),
        ("access.sshd", "authorizedkeyscommand", "/usr/local/bin/keys", "drift"),
        ("access.sshd", "authorizedkeysfile", ".ssh/authorized_keys /etc/ssh/keys/%u", "drift"),
        ("access.sshd", "permitrootlogin (Match User backup)", "yes", "drift"),
        ("access.sshd", "permitemptypasswords (Match address 10.0.0.0/8)", "yes", "drift"),
    ]


@pytest.mark.parametrize(
    "settings",
    [{"permitrootlogin": "no"}, {"passwordauthentication": "yes"}, {"strictmodes": "yes"},
     {"authorizedkeysfile": "%h/.ssh/authorized_keys"}, {"authorizedkeysfile": "none"},
     {"forcecommand": "internal-sftp"}, {"permitrootlogin": "Prohibit-Password"}],
)  # fmt: skip
def test_settings_that_are_no_wider(settings: dict[str, str]) -> None:
    match = Match("/x", "User a", settings)
    assert found({"sshd": Sshd(settings=settings, matches=(match,))}) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [("permituserenvironment", "LANG"), ("strictmodes", "no"), ("usepam", "no"),
     ("hostbasedauthentication", "yes"), ("trustedusercakeys", "/etc/ssh/ca.pub"),
     ("authorizedkeysfile", "/etc/ssh/%u"), ("gatewayports", "clientspecified")],
)  # fmt: skip
def test_settings_that_are_wider(name: str, value: str) -> None:
    (finding,) = found({"sshd": Sshd(settings={name: value})})
    assert (finding.id, finding.actual) == (f"access.sshd/cp1/{name}", value)
