"""The cache: keyed by the recipe, whole or absent."""

import os
from pathlib import Path

import pytest

from homelab.lab import cache


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of this test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "homelab"


def test_key_depends_on_bytes_names_and_facts(tmp_path: Path) -> None:
    one, two = tmp_path / "one.py", tmp_path / "two.py"
    one.write_text("a")
    two.write_text("b")
    first = cache.key([one, two], {"go": "1.19"})
    assert first == cache.key([two, one], {"go": "1.19"})
    assert (
        len({first, cache.key([one], {"go": "1.19"}), cache.key([one, two], {"go": "1.20"})}) == 3
    )
    two.write_text("c")
    assert first != cache.key([one, two], {"go": "1.19"})


def test_key_does_not_depend_on_where_the_project_lies(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    for folder in (here, there):
        folder.mkdir()
        (folder / "recipe.py").write_text("same")
    assert cache.key([here / "recipe.py"], {}) == cache.key([there / "recipe.py"], {})


def test_built_once(own_cache: Path) -> None:
    built = []

    def build(folder: Path) -> None:
        built.append(folder)
        (folder / "result").write_text("done")

    first = cache.built(cache.place("thing", "abc"), build)
    assert first == cache.built(cache.place("thing", "abc"), build) == own_cache / "thing-abc"
    assert len(built) == 1
    assert (first / "result").read_text() == "done"


def test_a_failed_build_leaves_nothing_that_looks_finished(own_cache: Path) -> None:
    def build(folder: Path) -> None:
        (folder / "half").write_text("half")
        raise RuntimeError("no space")

    with pytest.raises(RuntimeError):
        cache.built(cache.place("thing", "abc"), build)
    assert [path.name for path in own_cache.iterdir()] == [".thing.lock"]


def test_what_a_killed_build_left_is_removed_by_the_next(own_cache: Path) -> None:
    left = own_cache / ".thing-xyz.part"
    left.mkdir(parents=True)
    (left / "half").write_text("half")
    cache.built(cache.place("thing", "abc"), lambda folder: None)
    assert not left.exists()


def test_prune_keeps_what_was_of_use_lately_and_other_kinds(own_cache: Path) -> None:
    for name in ("node-old", "node-new", "node-base-old"):
        (own_cache / name).mkdir(parents=True)
    for name in ("node-old", "node-base-old"):
        os.utime(own_cache / name, (1, 1))
    cache.prune("node")
    assert sorted(path.name for path in own_cache.iterdir()) == ["node-base-old", "node-new"]
