"""The copy of a machine's logs."""

import shutil
from pathlib import Path

import pytest

from homelab.lab import logs

UIDS = ("0f6c1d2e-aaaa-bbbb-cccc-1234567890ab", "9d81e0b7-aaaa-bbbb-cccc-1234567890ab")


def pods(disk: Path) -> list[Path]:
    """One log of a pod before its manifest changed, and one after."""
    made = []
    for uid in UIDS:
        folder = disk / logs.PODS / f"kube-system_etcd-cp1_{uid}" / "etcd"
        folder.mkdir(parents=True)
        (folder / "0.log").write_text(f"of {uid}")
        made.append(folder / "0.log")
    return made


def test_logs_before_and_after_a_changed_manifest_are_both_kept(tmp_path: Path) -> None:
    pods(tmp_path / "disk")
    logs.of_disk(tmp_path / "disk", tmp_path / "dest")
    assert {path.name for path in (tmp_path / "dest").glob("kube-system_*")} == {
        f"kube-system_etcd-cp1_{uid[:8]}_etcd_0.log" for uid in UIDS
    }


def test_a_log_that_goes_meanwhile_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, kept = pods(tmp_path / "disk")
    copy = shutil.copyfile

    def racing(source: Path, dest: Path) -> Path:
        if source == gone:
            source.unlink()
        return copy(source, dest)

    monkeypatch.setattr(shutil, "copyfile", racing)
    logs.of_disk(tmp_path / "disk", tmp_path / "dest")
    assert [path.read_text() for path in (tmp_path / "dest").glob("kube-system_*")] == [
        kept.read_text()
    ]
