"""The lab's artefacts in one folder, laid out as upstream's servers lay out theirs.

`<host>/<path>` is where a mirror or an offline bundle has the same file, so the
deploy fetches from this folder with the code that fetches from upstream.
"""

import hashlib
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from homelab.lab import cache
from homelab.lab.debian import Apt, architecture
from homelab.lab.progress import step
from homelab.lab.recipes import images
from homelab.lab.recipes.kubernetes import Kubernetes

ON_NODES = ("kubeadm", "kubelet", "kubectl")
LOOSE = ("etcd-client", "containernetworking-plugins")  # etcdctl and CNI plugins, as files
RECIPE = [Path(__file__).with_name(f"{name}.py") for name in ("archive", "bundle", "images")]
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Bundle:
    """A finished bundle and where in it the files for a node's disk lie."""

    folder: Path
    programs: tuple[Path, ...]
    plugins: tuple[Path, ...]
    images: tuple[Path, ...]


def bundle(apt: Apt, kubernetes: Kubernetes) -> Bundle:
    """Make the bundle, or take it from the cache."""
    arch = architecture()
    versions = apt.versions([*images.PACKAGES, *LOOSE])
    facts = {**versions, "kubernetes": kubernetes.folder.name, "architecture": arch}

    def build(folder: Path) -> None:
        work = folder / "work"
        with step("make the images and the bundle", usual=15):
            _programs(folder, kubernetes, arch)
            _loose(folder, work, apt, versions)
            for image in images.images(kubernetes, apt, work):
                image.write(folder, work, arch)
            shutil.rmtree(work)
            (folder / MANIFEST).write_text(manifest(folder))

    return opened(cache.built(cache.place("bundle", cache.key(RECIPE, facts)), build))


def opened(folder: Path) -> Bundle:
    """Look up what a finished bundle holds."""
    programs = [*folder.glob("dl.k8s.io/release/*/bin/linux/*/*")]
    etcdctl = [*folder.glob("lab.homelab/etcdctl/*/etcdctl")]
    return Bundle(
        folder,
        tuple(sorted(programs + etcdctl)),
        tuple(sorted(folder.glob("lab.homelab/cni-plugins/*/*"))),
        tuple(sorted(folder.glob("images/**/*.tar"))),
    )


def manifest(folder: Path) -> str:
    """The checksums and sizes of all files in the bundle, by relative path."""
    artefacts = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != MANIFEST:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            artefacts[str(path.relative_to(folder))] = {
                "sha256": digest,
                "size": path.stat().st_size,
            }
    return json.dumps({"artefacts": artefacts}, indent=2) + "\n"


def plain(version: str) -> str:
    """The upstream part of a Debian version: 1.1.1+ds1-3+b5 is 1.1.1."""
    found = re.match(r"(?:\d+:)?(\d+(?:\.\d+)*)", version)
    if found is None:
        raise ValueError(f"no version in {version!r}")
    return found.group(1)


def _programs(folder: Path, kubernetes: Kubernetes, arch: str) -> None:
    dest = folder / f"dl.k8s.io/release/v{kubernetes.version}/bin/linux/{arch}"
    dest.mkdir(parents=True)
    for name in ON_NODES:
        _copy(kubernetes.folder / name, dest / name)


def _loose(folder: Path, work: Path, apt: Apt, versions: dict[str, str]) -> None:
    root = work / "loose"
    apt.unpack(LOOSE, work / "loose-debs", root)
    etcdctl = folder / f"lab.homelab/etcdctl/{plain(versions['etcd-client'])}"
    etcdctl.mkdir(parents=True)
    _copy(root / "usr/bin/etcdctl", etcdctl / "etcdctl")
    plugins = folder / f"lab.homelab/cni-plugins/{plain(versions[LOOSE[1]])}"
    plugins.mkdir(parents=True)
    for plugin in sorted((root / "usr/lib/cni").iterdir()):
        _copy(plugin, plugins / plugin.name)


def _copy(source: Path, dest: Path) -> None:
    shutil.copyfile(source, dest)
    dest.chmod(0o755)
