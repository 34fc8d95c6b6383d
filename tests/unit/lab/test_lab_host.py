"""The host's settings: recorded by the first lab, put back by the last one."""

from pathlib import Path

import pytest

from homelab.lab import host, modules, netns


@pytest.fixture(autouse=True)
def own_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A /proc/sys and a state folder of this test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOMELAB_STATE_DIR", str(tmp_path / "labs"))
    monkeypatch.setattr(host, "SYS", tmp_path / "sys")
    monkeypatch.setattr(modules, "LIST", tmp_path / "no modules")
    monkeypatch.setattr(netns, "RUN", tmp_path / "netns")
    for name in (*host.KUBELET, *host.LEAST):
        (tmp_path / "sys" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "sys" / name).write_text("7\n")
    for lab in ("one", "two"):
        (tmp_path / "labs" / lab).mkdir(parents=True)
    return tmp_path


def test_set_for_kubelet_and_put_back(own_host: Path) -> None:
    before = host.read()
    host.prepare("one")
    assert host.read()["vm/overcommit_memory"] == "1"
    assert host.read()["fs/inotify/max_user_instances"] == "1024"
    host.restore("one")
    assert host.read() == before
    assert not (own_host / "labs" / "sysctls.json").exists()


def test_the_last_lab_puts_back_what_the_first_one_found() -> None:
    before = host.read()
    host.prepare("one")
    host.prepare("two")
    host.prepare("one")
    host.restore("one")
    assert host.read()["kernel/panic"] == "10"
    host.restore("two")
    assert host.read() == before


def test_a_lab_whose_folder_is_gone_holds_nothing_back(own_host: Path) -> None:
    before = host.read()
    host.prepare("one")
    host.prepare("two")
    (own_host / "labs" / "two").rmdir()
    host.restore("one")
    assert host.read() == before


def test_restore_without_a_record_changes_nothing() -> None:
    before = host.read()
    host.restore("one")
    assert host.read() == before


def test_the_state_folder_goes_with_the_last_lab(own_host: Path) -> None:
    host.prepare("one")
    for lab in ("one", "two"):
        (own_host / "labs" / lab).rmdir()
        host.restore(lab)
    assert not (own_host / "labs").exists()


def test_the_folder_of_namespaces_goes_if_the_lab_made_it(own_host: Path) -> None:
    host.prepare("one")
    (own_host / "netns").mkdir()
    host.restore("one")
    assert not (own_host / "netns").exists()


def test_the_folder_of_namespaces_stays_if_it_was_there_or_is_in_use(own_host: Path) -> None:
    folder = own_host / "netns"
    host.prepare("one")
    folder.mkdir()
    (folder / "somebody-elses").touch()
    host.restore("one")
    assert folder.is_dir()

    (folder / "somebody-elses").unlink()
    host.prepare("one")
    host.restore("one")
    assert folder.is_dir()


def test_modules_that_are_not_loaded() -> None:
    listed = "overlay 151552 4 - Live 0x0000000000000000\nbridge 311296 1 br_netfilter, Live 0x0\n"
    assert modules.absent(listed, ("overlay", "bridge", "br_netfilter", "veth")) == [
        *("br_netfilter", "veth")
    ]
    assert modules.absent("") == list(modules.WANTED)
    assert modules.load() == []
