"""The inventories in the repository: valid, and they bind nothing but groups."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from homelab.site import SiteError, derived, load_site

INVENTORIES = sorted((Path(__file__).resolve().parents[3] / "inventories").glob("*.py"))
LAB = next(file for file in INVENTORIES if file.stem == "lab")
GROUPS = {"control_plane", "worker", "balancer"}


@pytest.fixture(autouse=True)
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the lab has once it is built: a key and a bundle."""
    key = tmp_path / "id_ed25519"
    key.touch(mode=0o600)
    (tmp_path / "manifest.json").write_text("{}")
    for name in ("LAB", "CONTROL_PLANES", "WORKERS"):
        monkeypatch.delenv(f"HOMELAB_{name}", raising=False)
    monkeypatch.setenv("HOMELAB_SSH_KEY", str(key))
    monkeypatch.setenv("HOMELAB_BUNDLE", str(tmp_path))


def test_rack_and_lab_are_there() -> None:
    assert {"homelab", "lab"} <= {file.stem for file in INVENTORIES}


@pytest.mark.parametrize("file", INVENTORIES, ids=lambda file: file.stem)
def test_each_is_valid(file: Path) -> None:
    assert load_site(file).machines


@pytest.mark.parametrize("file", INVENTORIES, ids=lambda file: file.stem)
def test_each_binds_groups_and_underscored_names_only(file: Path) -> None:
    bound: set[str] = set()
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            bound |= {
                name.id for t in targets for name in ast.walk(t) if isinstance(name, ast.Name)
            }
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            bound.add(node.name)
        else:  # a docstring, or an import (of classes and functions, which are no lists)
            assert isinstance(node, ast.Expr | ast.Import | ast.ImportFrom), ast.unparse(node)
    assert {name for name in bound if not name.startswith("_")} == GROUPS


@pytest.mark.parametrize("planes", ["1", "3", "5", "7"])
@pytest.mark.parametrize("workers", ["0", "1", "9"])
def test_the_lab_in_other_sizes(planes: str, workers: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOMELAB_CONTROL_PLANES", planes)
    monkeypatch.setenv("HOMELAB_WORKERS", workers)
    site = load_site(LAB)
    assert len(derived.control_planes(site)) == int(planes)
    assert len(site.machines) == int(planes) + int(workers)
    assert derived.with_role(site, "worker")


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("HOMELAB_CONTROL_PLANES", "2", "survive no more losses than 1"),
        ("HOMELAB_CONTROL_PLANES", "three", "does not run at line"),
        ("HOMELAB_WORKERS", "10", "does not run at line"),
        ("HOMELAB_LAB", "My lab", "is no name for a cluster"),
        ("HOMELAB_SSH_KEY", "/nowhere/id", "is not there"),
        ("HOMELAB_BUNDLE", "/nowhere", "is no folder here"),
    ],
)
def test_the_lab_refuses_odd_settings(
    name: str, value: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SiteError, match=told):
        load_site(LAB)
