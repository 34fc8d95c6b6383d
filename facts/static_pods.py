"""Static pods: what their manifests say, with which flags they run, and what kubeadm wrote."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from pyinfra.api.facts import FactBase

from facts.questions import answers, questions
from facts.record import Reading, Record, parsed, unknown
from homelab.documents.kept import FOLDER, KEPT, NAMES

# A manifest is told line by line behind a mark of its own; file names are kubelet's to choose from.
_MANIFESTS = f"""for f in {FOLDER}/* {FOLDER}/.[!.]*; do
  [ -f "$f" ] || continue
  printf '==> %s\\n' "$(stat -c '%a %U %G %Y %n' "$f")"
  sed 's/^/| /' "$f"; echo
done"""
_KEPT = f"""[ -d {KEPT} ] || exit 0
echo '==> {KEPT}'
find {KEPT} -type f | while read -r f; do
  printf '==> %s\\n' "$f"; sed 's/^/| /' "$f"; echo
done"""
# Linux keeps 15 characters of a name; kubelet's own process is none of these. NULs become newlines.
_STATE = 'sed "s/.*) //; s/ .*//" /proc/$p/stat'
_PROCESSES = "\n".join(
    f"for p in $(pgrep -x {name[:15]}); do\n"
    f'  printf "==> {name} %s %s\\n" "$p" "$({_STATE})"\n'
    '  tr "\\0" "\\n" < /proc/$p/cmdline | sed "s/^/| /"\n'
    "done"
    for name in NAMES
)


@dataclass(frozen=True)
class Manifest(Record):
    """One file of kubelet's folder. ``pod`` is None where it is no YAML of a Pod."""

    path: str
    mode: int
    owner: str
    group: str
    changed_at: float  # seconds since 1970
    text: str
    pod: Mapping[str, Any] | None

    @property
    def name(self) -> str:
        """The pod's, "" where there is none."""
        return str(((self.pod or {}).get("metadata") or {}).get("name", ""))

    @property
    def command(self) -> tuple[str, ...]:
        """Of its first container: the program and its flags."""
        containers = ((self.pod or {}).get("spec") or {}).get("containers") or [{}]
        return tuple(map(str, containers[0].get("command") or ()))


@dataclass(frozen=True)
class Process(Record):
    name: str
    pid: int
    state: str  # proc_pid_stat(5): "S" sleeps, "R" runs, "T" was stopped by a signal, "D" waits
    command: tuple[str, ...]

    @property
    def frozen(self) -> bool:
        """Stopped by somebody: it is there, and does nothing."""
        return self.state in ("T", "t")


@dataclass(frozen=True)
class StaticPods(Reading):
    """``kept`` has what kubeadm wrote by path (:mod:`homelab.documents.kept`), {} for nothing;
    ``has_kept`` is False where the deploy has never kept anything."""

    manifests: tuple[Manifest, ...] | None = None
    processes: tuple[Process, ...] | None = None
    kept: Mapping[str, str] | None = None
    has_kept: bool | None = None

    def manifest(self, name: str) -> Manifest | None:
        """Of kubeadm's own file for ``name``."""
        path = f"{FOLDER}/{name}.yaml"
        return next((m for m in self.manifests or () if m.path == path), None)


def parse(output: list[str]) -> StaticPods:
    """Output of :class:`StaticPodState`'s command; ValueError on lines that it does not know."""
    asked = answers(output)
    if not asked:
        return StaticPodState.default()
    unread = {name: answer.failure for name, answer in asked.items() if answer.failure}

    def blocks(name: str) -> list[tuple[str, list[str]]] | None:
        return None if name in unread else _blocks(asked[name].output)

    manifests, processes, kept = map(blocks, ("manifests", "processes", "kept"))
    return StaticPods(
        manifests=None if manifests is None else tuple(_manifest(*block) for block in manifests),
        processes=None if processes is None else tuple(_process(*block) for block in processes),
        kept=None if kept is None else {_kept(head): _text(lines) for head, lines in kept[1:]},
        has_kept=None if kept is None else bool(kept),
        unread=unread,
    )


def _kept(head: str) -> str:
    if not head.startswith(KEPT + "/"):
        raise ValueError(f"expected a file below {KEPT}, met {head[:60]!r}")
    return head.removeprefix(KEPT)


def _text(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"


def _blocks(text: str) -> list[tuple[str, list[str]]]:
    found: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if line.startswith("==> "):
            found.append((line.removeprefix("==> "), []))
        elif line.startswith("| ") and found:
            found[-1][1].append(line.removeprefix("| "))
        elif line:
            raise ValueError(f"expected a manifest or a process, met {line[:60]!r}")
    return found


def _manifest(head: str, lines: list[str]) -> Manifest:
    mode, owner, group, changed, path = head.split(" ", 4)
    text = _text(lines)
    try:
        pod = yaml.safe_load(text)
    except yaml.YAMLError:
        pod = None
    is_pod = isinstance(pod, Mapping) and pod.get("kind") == "Pod"
    return Manifest(path, int(mode, 8), owner, group, float(changed), text, pod if is_pod else None)


def _process(head: str, lines: list[str]) -> Process:
    found = re.fullmatch(r"(\S+) (\d+) ([A-Za-z])", head)
    if not found:
        raise ValueError(f"expected a process, met {head[:60]!r}")
    return Process(found[1], int(found[2]), found[3], tuple(lines))


class StaticPodState(FactBase[StaticPods]):
    """Every file of kubelet's manifest folder, and the processes of kubeadm's four.

    .. code:: python

        host.get_fact(StaticPodState).manifest("etcd").command
    """

    def command(self) -> str:
        folder = f"[ ! -e {FOLDER} ] || ls {FOLDER} >/dev/null || exit 1\n"
        return questions(
            {"manifests": folder + _MANIFESTS, "processes": _PROCESSES + "\ntrue", "kept": _KEPT}
        )

    @staticmethod
    def default() -> StaticPods:
        return StaticPods(unread=unknown("static pods"))

    def process(self, output: list[str]) -> StaticPods:
        return parsed("static_pods", parse, output)
