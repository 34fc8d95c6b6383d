"""A baseline accepts what it names, as long as it says, and is told of when it is of no use."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from homelab.drift.baseline import BaselineError, apply, read
from homelab.drift.finding import CLUSTER, Finding, Kind
from homelab.drift.report import Acceptance

TODAY = date(2026, 11, 26)
GOOD = {
    "id": '"access.key/cp1/ubuntu"',
    "reason": '"the installer\'s"',
    "owner": '"Ada"',
    "until": "2027-01-31",
}
KEY = Finding("access.key", "cp1", "ubuntu", "no key", "a key", "undeclared")
UNREAD = Finding("read.machine", "cp1", "cp1", "", "no route to host", "unknown")


def entry(**changes: str | None) -> str:
    values = {**GOOD, **changes}
    lines = [f"{key} = {value}" for key, value in values.items() if value is not None]
    return "\n".join(["[[accepted]]", *lines, ""])


def written(folder: Path, text: str) -> Path:
    file = folder / "baseline.toml"
    file.write_text(text, encoding="utf-8")
    return file


def faults(folder: Path, text: str) -> list[str]:
    file = written(folder, text)
    with pytest.raises(BaselineError) as caught:
        read(file)
    assert {fault.file for fault in caught.value.faults} == {str(file)}
    return [str(fault).removeprefix(f"{file}: ") for fault in caught.value.faults]


def acceptance(id: str = KEY.id, until: date = TODAY) -> Acceptance:
    return Acceptance(id, "why", "Ada", until)


def said(findings: tuple[Finding, ...]) -> list[tuple[str, str, str]]:
    """What is said of the baseline itself."""
    return [
        (f.rule, f.subject, f.actual)
        for f in findings
        if f.rule.startswith("baseline.") and f.machine == CLUSTER
    ]


def test_what_a_file_says(tmp_path: Path) -> None:
    text = entry() + entry(id='"host.swap/cp2/-"', reason='"""old\n  kernel"""')
    assert read(written(tmp_path, text)) == (
        Acceptance("access.key/cp1/ubuntu", "the installer's", "Ada", date(2027, 1, 31)),
        Acceptance("host.swap/cp2/-", "old kernel", "Ada", date(2027, 1, 31)),
    )
    assert read(written(tmp_path, "# nothing yet\n")) == ()


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"why": "1"}, "why (access.key/cp1/ubuntu) = 1: is unknown; known are id, reason,"),
        ({"owner": None}, "owner (access.key/cp1/ubuntu) = None: is missing; write owner = …"),
        ({"reason": '" "'}, "reason (access.key/cp1/ubuntu) = ' ': is empty; write who"),
        ({"owner": "7"}, "owner (access.key/cp1/ubuntu) = 7: is no text; write it in quotes"),
        ({"until": '"2027-01-31"'}, "until (access.key/cp1/ubuntu) = '2027-01-31': is no date;"),
        ({"until": "2027-01-31T00:00:00Z"}, "until (access.key/cp1/ubuntu) = datetime.datetime("),
        ({"id": '"access.keys/cp1/x"'}, "id = 'access.keys/cp1/x': there is no rule access.keys;"),
        ({"id": '"access.key/cp1"'}, "id = 'access.key/cp1': is no id (rule/machine/subject);"),
        ({"id": '"access.key//x"'}, "id = 'access.key//x': is no id (rule/machine/subject);"),
        ({"id": "[1]"}, "id = [1]: is no id (rule/machine/subject); copy it from a report"),
    ],
)
def test_a_fault_of_an_entry(tmp_path: Path, changes: dict[str, str | None], fault: str) -> None:
    (told,) = faults(tmp_path, entry(id='"host.swap/cp2/-"') + entry(**changes))
    assert told.startswith(f"accepted[1].{fault}")


def test_all_faults_are_told_together(tmp_path: Path) -> None:
    text = "name = 1\n" + entry() + entry(until="true", owner='""') + entry()
    told = faults(tmp_path, text)
    assert [line.partition(" ")[0] for line in told] == [
        "name",
        "accepted[1].owner",
        "accepted[1].until",
        "accepted[2].id",
    ]
    assert told[-1].endswith("is accepted more than once; keep one of accepted[0, 1, 2]")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[[accepted]", "is no TOML: Expected ']]'"),
        ("until = 2027-02-30", "is no TOML: Invalid date or datetime (at line 1"),
        ("a = " + "9" * 5000, "is no TOML: "),
        ("a = " + "[" * 5000, "is no TOML: "),
        ("accepted = 3", "accepted = 3: is no list of tables"),
        ("accepted = [3]", "accepted = [3]: is no list of tables"),
    ],
)
def test_what_is_no_baseline(tmp_path: Path, text: str, fault: str) -> None:
    (told,) = faults(tmp_path, text)
    assert told.startswith(fault)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(BaselineError, match=r"none\.toml: can't be read \(No such file"):
        read(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b"# \xe4")
    with pytest.raises(BaselineError, match="is no UTF-8 at byte 2; save it as UTF-8"):
        read(tmp_path / "latin.toml")


PIECES = st.sampled_from(
    [*'[]{}=",.\n#', "[[accepted]]\n", "accepted", *(f"{k} = {v}\n" for k, v in GOOD.items())]
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(PIECES, max_size=12).map("".join))
def test_no_file_ends_in_anything_but_acceptances_or_faults(tmp_path: Path, text: str) -> None:
    try:
        found = read(written(tmp_path, text))
    except BaselineError:
        return
    assert len(found) <= 1, "all have the same id"


def test_a_named_finding_is_accepted_until_that_day() -> None:
    assert apply([KEY], [acceptance()], TODAY) == ((), ((KEY, acceptance()),))


def test_the_day_after_it_counts_again_and_that_is_told() -> None:
    counting, pairs = apply([KEY], [acceptance()], TODAY + timedelta(1))
    assert counting[0] is KEY
    assert said(counting) == [("baseline.expired", KEY.id, "today is 2026-11-27")]
    assert counting[1].expected == "accepted by Ada until 2026-11-26"
    assert pairs == ()


def test_an_acceptance_of_nothing() -> None:
    counting, pairs = apply([], [acceptance()], TODAY)
    assert said(counting) == [("baseline.unused", KEY.id, "there is none")]
    assert pairs == ()


def test_what_could_not_be_told_is_never_accepted() -> None:
    counting, pairs = apply([UNREAD], [acceptance(UNREAD.id)], TODAY)
    assert counting[0] is UNREAD
    why = "it could not be told, and that is never accepted"
    assert said(counting) == [("baseline.unused", UNREAD.id, why)]
    assert pairs == ()


def test_nobody_knows_what_is_unused_on_a_machine_that_was_not_read() -> None:
    other = acceptance("access.key/cp2/ubuntu")
    counting, _ = apply([UNREAD], [acceptance(), other], TODAY)
    assert said(counting) == [("baseline.unused", other.id, "there is none")]


KINDS: list[Kind] = ["drift", "not-yet-applied", "undeclared", "unknown"]
FINDINGS = st.lists(
    st.builds(
        Finding,
        st.sampled_from(["access.key", "host.swap", "read.fact"]),
        st.sampled_from(["cp1", "cp2"]),
        st.sampled_from(["a", "b"]),
        st.just(""),
        st.just(""),
        st.sampled_from(KINDS),
    )
)
ACCEPTANCES = st.lists(
    st.builds(
        acceptance,
        FINDINGS.filter(bool).map(lambda findings: findings[0].id),
        st.integers(-2, 2).map(lambda days: TODAY + timedelta(days)),
    ),
    unique_by=lambda one: one.id,
)


@settings(deadline=None)
@given(FINDINGS, ACCEPTANCES)
def test_no_finding_is_lost(findings: list[Finding], accepted: list[Acceptance]) -> None:
    counting, pairs = apply(findings, accepted, TODAY)
    ours = [f for f in counting if not f.rule.startswith("baseline.")]
    assert Counter(ours) + Counter(f for f, _ in pairs) == Counter(findings)
    for finding, one in pairs:
        assert finding.kind != "unknown"
        assert finding.id == one.id
        assert one.until >= TODAY
    told = {subject: rule for rule, subject, _ in said(counting)}
    assert {s for s, r in told.items() if r == "baseline.expired"} == {
        one.id for one in accepted if one.until < TODAY
    }
    assert told.keys().isdisjoint(one.id for _, one in pairs)
