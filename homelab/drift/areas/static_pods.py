"""Static pods and kubelet's configuration, against what kubeadm wrote and what runs."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import yaml

from homelab.documents.kept import CONFIG, FLAGS, MANIFESTS
from homelab.drift.finding import Finding
from homelab.drift.view import Told, View
from homelab.site import derived

if TYPE_CHECKING:
    from facts.static_pods import Manifest, StaticPods

EXPLAINS_LIVE = ("static-pod.manifest", "static-pod.missing-manifest", "kubelet.config",
                 "kubelet.flags", "static-pod.not-kept")  # fmt: skip


def findings(view: View, told: Told) -> Iterator[Finding]:
    """Of one member; a machine that has not joined has nothing of it."""
    pods, survey = told.facts.static_pods, told.facts.survey
    if pods is None or survey is None or survey.membership(view.site.name) != "ours":
        return
    if pods.has_kept is False:
        yield Finding("static-pod.not-kept", told.name, "kubeadm", "kept by the deploy",
                      "nothing kept", "not-yet-applied")  # fmt: skip
    if pods.manifests is not None and pods.kept:
        yield from _manifests(told, pods)
    if pods.manifests is not None:
        yield from _undeclared(view, told, pods.manifests)
    if pods.manifests is not None and pods.processes is not None and told in view.planes:
        yield from _running(told, pods)
    if pods.kept:
        yield from _kubelet(told, pods.kept)


def _manifests(told: Told, pods: StaticPods) -> Iterator[Finding]:
    assert pods.kept is not None
    now = {manifest.path: manifest for manifest in pods.manifests or ()}
    for path in MANIFESTS:
        written = pods.kept.get(path)
        if written is None:
            continue
        if path not in now:
            yield Finding("static-pod.missing-manifest", told.name, path, "there", "missing")
        elif now[path].text != written:
            yield Finding(
                "static-pod.manifest", told.name, path, "as kubeadm wrote it", "changed",
                diff=_diff(written, now[path].text, told.name),
                since=datetime.fromtimestamp(now[path].changed_at, UTC),
            )  # fmt: skip
        if path in now and (now[path].mode & 0o022 or now[path].owner != "root"):
            yield Finding("access.mode", told.name, path, "root's, not to be changed by others",
                          f"{now[path].mode:o} {now[path].owner}:{now[path].group}")  # fmt: skip


def _undeclared(view: View, told: Told, manifests: tuple[Manifest, ...]) -> Iterator[Finding]:
    """kubelet takes every file of the folder, but those that begin with a dot."""
    ours = MANIFESTS if told.machine in derived.control_planes(view.site) else ()
    for manifest in manifests:
        hidden = manifest.path.rpartition("/")[2].startswith(".")
        if manifest.path not in ours and not hidden:
            yield Finding(
                "access.pod-manifest", told.name, manifest.path, "no such manifest",
                f"a pod {manifest.name!r}" if manifest.pod else "no pod, but kubelet reads it",
                "undeclared", since=datetime.fromtimestamp(manifest.changed_at, UTC),
            )  # fmt: skip


def _running(told: Told, pods: StaticPods) -> Iterator[Finding]:
    """What runs has the flags of its manifest; a manifest that is not there has been told."""
    for path in MANIFESTS:
        name = path.rpartition("/")[2].removesuffix(".yaml")
        manifest = pods.manifest(name)
        if manifest is None:
            continue
        running = [p for p in pods.processes or () if p.name == name]
        if not running:
            yield Finding("static-pod.missing", told.name, name, "one process", "none")
        elif all(process.frozen for process in running):
            yield Finding("static-pod.frozen", told.name, name, "at work", "stopped by a signal")
        elif manifest.pod and all(set(p.command) != set(manifest.command) for p in running):
            has, wants = set(running[0].command), set(manifest.command)
            words = [f"without {w}" for w in sorted(wants - has)] + [
                f"with {w}" for w in sorted(has - wants)
            ]
            yield Finding("static-pod.flags", told.name, name,
                          "the flags of its manifest", ", ".join(words))  # fmt: skip


def _kubelet(told: Told, kept: Mapping[str, str]) -> Iterator[Finding]:
    now = told.facts.kubelet
    if now is None:
        return
    written = kept.get(CONFIG)
    if written is not None and now.config is not None and "config" not in now.unread:
        before: Any = yaml.safe_load(written)
        if before != now.config:
            diff = _diff(yaml.safe_dump(before), yaml.safe_dump(dict(now.config)), told.name)
            yield Finding("kubelet.config", told.name, CONFIG,
                          "as kubeadm wrote it", "changed", diff=diff)  # fmt: skip
    if written is not None and now.config is None and "config" not in now.unread:
        yield Finding("kubelet.config", told.name, CONFIG, "there", "missing")
    flags = kept.get(FLAGS)
    if flags is not None and now.flags is not None and not _same_flags(flags, now.flags):
        yield Finding("kubelet.flags", told.name, FLAGS,
                      "as kubeadm wrote it", " ".join(now.flags))  # fmt: skip


def _same_flags(text: str, flags: tuple[str, ...]) -> bool:
    """``KUBELET_KUBEADM_ARGS="--a=b"``"""
    return text.strip().partition("=")[2].strip("\"'").split() == list(flags)


def _diff(before: str, after: str, machine: str) -> str:
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), "as kubeadm wrote it", f"on {machine}", lineterm=""
    )
    return "\n".join(lines)
