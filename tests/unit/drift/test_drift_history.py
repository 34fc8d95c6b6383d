"""What earlier runs found: kept whole, found again, and no machine's silence taken for a repair."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homelab.drift import history
from homelab.drift.finding import Finding
from homelab.drift.history import Run, compare, keep, last, parse, since, unread

AT = datetime(2026, 11, 26, 18, 40, 5, tzinfo=UTC)
ID = "access.key/cp1/ubuntu"
# Close to each other, so that some are the same; in any zone.
TIMES = st.builds(
    lambda ms, hours: (AT + timedelta(milliseconds=ms)).astimezone(
        timezone(timedelta(hours=hours))
    ),
    st.integers(-2000, 2000),
    st.integers(-23, 23),
)


def text(at: datetime = AT, site: str = "rack", ids: tuple[str, ...] = (ID,), **more: Any) -> str:
    findings = [{"id": id, "kind": "drift", "first_seen": at.isoformat()} for id in ids]
    whole = {"schema": history.SCHEMA, "at": at.isoformat(), "site": site, "findings": findings}
    return json.dumps({**whole, **more})


def finding(id: str, kind: Any = "drift") -> Finding:
    rule, machine, subject = id.split("/")
    return Finding(rule, machine, subject, "", "", kind)


def test_a_run_is_kept_and_found(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "drift"
    file = keep(folder, text())
    assert file == folder / "drift-20261126T184005Z.json"
    assert file.read_text() == text()
    assert oct(folder.stat().st_mode)[-3:] == "700"
    assert oct(file.stat().st_mode)[-3:] == "600"
    assert list(folder.iterdir()) == [file]
    assert last(folder, "rack") == (Run("rack", AT, {ID: AT}), ())


def test_nothing_is_found_where_nothing_is(tmp_path: Path) -> None:
    assert last(tmp_path / "none", "rack") == (None, ())
    keep(tmp_path, text(site="other"))
    assert last(tmp_path, "rack") == (None, ())
    found, (warning,) = last(tmp_path / "drift-20261126T184005Z.json", "rack")
    assert found is None
    assert "can't be read (Not a directory)" in warning


def test_two_runs_of_a_second_are_both_kept(tmp_path: Path) -> None:
    for number in range(11):
        keep(tmp_path, text(ids=(f"host.swap/cp1/{number}",)))
    keep(tmp_path, text(site="other"))
    assert len(list(tmp_path.iterdir())) == 12
    run, _ = last(tmp_path, "rack")
    assert run
    assert list(run.first_seen) == ["host.swap/cp1/10"]


def test_a_folder_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    keep(tmp_path, text())
    assert oct(tmp_path.stat().st_mode)[-3:] == "755"


def test_a_failed_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        keep(tmp_path, text())
    assert list(tmp_path.iterdir()) == []


def test_no_report_is_kept_that_could_not_be_read_again(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="a time without a zone"):
        keep(tmp_path, text(at=datetime(2026, 11, 26)))
    assert list(tmp_path.iterdir()) == []


def test_half_a_character_is_kept_as_json_writes_it(tmp_path: Path) -> None:
    odd = text(site="\udc80").replace("\\udc80", "\udc80")
    keep(tmp_path, odd)
    run, _ = last(tmp_path, "\udc80")
    assert run


BROKEN = {
    "no JSON": ["", text()[:-3], "[" * 100_000, "9" * 5000],
    "its schema is not homelab-drift/1": ["[]", "{}", text(schema="homelab-drift/2")],
    "no site, or no findings": [text(site=None), text(findings={})],  # type: ignore[arg-type]
    "a finding without an id": [text(findings=[3]), text(findings=[{"id": "x"}])],
    "a time that is none": [
        text(at=AT).replace("2026-11", "2026-13"),
        json.dumps({**json.loads(text()), "at": None}),
        json.dumps({**json.loads(text()), "at": "0001-01-01T00:00:00+14:00"}),
    ],
}


@pytest.mark.parametrize(
    ("why", "broken"), [(why, text) for why, texts in BROKEN.items() for text in texts]
)
def test_a_broken_run_is_passed_over_and_named(tmp_path: Path, why: str, broken: str) -> None:
    keep(tmp_path, text())
    newer = tmp_path / "drift-20261127T000000Z.json"
    newer.write_text(broken)
    run, warnings = last(tmp_path, "rack")
    assert run == Run("rack", AT, {ID: AT})
    assert warnings == (f"{newer}: is no report ({why}); left out",)


def test_what_cannot_even_be_opened_is_passed_over(tmp_path: Path) -> None:
    keep(tmp_path, text())
    (tmp_path / "drift-20261127T000000Z.json").mkdir()
    (tmp_path / "drift-20261128T000000Z.json").write_bytes(b"\xff")
    (tmp_path / "drift-someday.json").write_text("not ours")
    run, (first, second) = last(tmp_path, "rack")
    assert run
    assert "is no report ('utf-8' codec" in first
    assert "can't be read (Is a directory)" in second


@settings(deadline=None)
@given(st.recursive(st.none() | st.integers() | st.text() | st.just(AT.isoformat()),
                    lambda inner: st.lists(inner) | st.dictionaries(
                        st.sampled_from(["schema", "at", "site", "findings", "id", "first_seen"]),
                        inner | st.just(history.SCHEMA) | st.just([{"id": ID}]))))  # fmt: skip
def test_any_json_is_a_run_or_a_value_error(raw: Any) -> None:
    try:
        run = parse(json.dumps(raw))
    except ValueError:
        return
    assert run.site == raw["site"]


def test_since_when_may_be_known_to_nobody() -> None:
    run = parse(text(findings=[{"id": ID, "first_seen": None}, {"id": "host.swap/cp1/-"}]))
    assert run.first_seen == {ID: None, "host.swap/cp1/-": None}


@settings(deadline=None)
@given(st.lists(st.tuples(TIMES, st.sampled_from(["rack", "other"])), max_size=6), TIMES)
def test_the_newest_run_at_or_before_a_moment(
    runs: list[tuple[datetime, str]], moment: datetime
) -> None:
    with TemporaryDirectory() as name:
        for at, site in runs:
            keep(Path(name), text(at, site))
        before = [at for at, site in runs if site == "rack" and at <= moment]
        found, warnings = since(Path(name), "rack", moment)
        # Of runs within a second, the one that was kept last is the newest.
        newest = max((at.replace(microsecond=0) for at in before), default=None)
        assert (found and found.at.replace(microsecond=0)) == newest
        assert warnings == ()
        exact = [at for at, site in runs if site == "rack"]
        assert not exact or since(Path(name), "rack", max(exact))[0]


def test_the_moment_itself_counts(tmp_path: Path) -> None:
    keep(tmp_path, text(AT.replace(microsecond=700_000)))
    assert since(tmp_path, "rack", AT.replace(microsecond=699_999)) == (None, ())
    assert since(tmp_path, "rack", AT.replace(microsecond=700_000))[0]


def test_later_runs_are_not_read(tmp_path: Path) -> None:
    keep(tmp_path, text())
    (tmp_path / "drift-20261127T000000Z.json").write_text("broken, and nobody's concern")
    run, warnings = since(tmp_path, "rack", AT)
    assert run
    assert warnings == ()


def test_new_still_there_and_gone() -> None:
    before = parse(text(ids=(ID, "host.swap/cp1/-", "read.machine/cp2/cp2")))
    found, gone = compare([finding(ID), finding("host.swap/cp3/-")], before)
    assert found == {ID: "still there", "host.swap/cp3/-": "new"}
    assert gone == ("host.swap/cp1/-", "read.machine/cp2/cp2")


def test_without_a_run_before_nothing_is_new() -> None:
    assert compare([finding(ID)], None) == ({}, ())


@pytest.mark.parametrize("rule", ["read.machine", "read.fact"])
def test_what_was_on_a_machine_that_is_silent_now_is_not_gone(rule: str) -> None:
    before = parse(text(ids=(ID, "host.swap/cp2/-")))
    silent = finding(f"{rule}/cp1/x", "unknown")
    assert compare([silent], before) == ({silent.id: "new"}, ("host.swap/cp2/-",))
    assert unread([silent, finding("host.swap/cp2/-", "unknown")]) == {"cp1"}


IDS = st.sets(st.sampled_from([f"{rule}/{machine}/x" for rule in ("host.swap", "read.fact")
                               for machine in ("cp1", "cp2", "cp3")]))  # fmt: skip


@settings(deadline=None)
@given(IDS, IDS)
def test_every_id_is_told_once_or_its_machine_is_silent(was: set[str], now: set[str]) -> None:
    findings = [finding(id, "unknown" if id.startswith("read") else "drift") for id in now]
    found, gone = compare(findings, parse(text(ids=tuple(was))))
    assert set(found) == now
    assert {id for id, state in found.items() if state == "still there"} == was & now
    silent = {f.machine for f in findings if f.kind == "unknown"}
    assert set(gone) == {id for id in was - now if id.split("/")[1] not in silent}
