"""What a machine has of the layers that it should have, all of them in one round trip."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pyinfra.api import FactBase
from pyinfra.api.exceptions import FactProcessError

from homelab.documents.document import Layer

APPLIED = "/var/lib/homelab/applied"


@dataclass(frozen=True)
class FileState:
    """One file as it is: digest of its bytes, mode in octal, owner and group by name."""

    sha256: str
    mode: int
    owner: str
    group: str
    changed_at: float = field(default=0.0, compare=False)  # its content; seconds since 1970


@dataclass
class LayerState:
    """``files`` by path (missing ones are left out), ``applied`` the digest activated last.

    ``written`` is empty for a layer that was applied before records were kept.
    """

    files: dict[str, FileState] = field(default_factory=dict)
    unwanted: list[str] = field(default_factory=list)
    applied: str = ""
    written: dict[str, FileState] = field(default_factory=dict)  # the files as they were written
    applied_at: float = 0.0  # seconds since 1970
    stopped_units: list[str] = field(default_factory=list)
    live: bool = True
    said: str = ""  # by the test of what is live, if it failed

    def to_json(self) -> dict[str, Any]:
        files, written = (
            {path: vars(state) for path, state in found.items()}
            for found in (self.files, self.written)
        )
        return {**vars(self), "files": files, "written": written}


def differences(layer: Layer, state: LayerState) -> list[str]:
    """Why the layer must be applied, in words; empty if the machine is as declared."""
    found = []
    for document in layer.documents:
        now = state.files.get(document.path)
        if now is None:
            found.append(f"{document.path} is missing")
        elif now.sha256 != document.sha256:
            found.append(f"{document.path} differs")
        elif (now.mode, now.owner, now.group) != (document.mode, document.owner, document.group):
            found.append(
                f"{document.path} is {now.mode:o} {now.owner}:{now.group}, "
                f"not {document.mode:o} {document.owner}:{document.group}"
            )
    found += [f"{path} should not be there" for path in state.unwanted]
    found += [f"{unit} is not enabled and running" for unit in state.stopped_units]
    if not state.live:
        said = f": {state.said}" if state.said else ""
        found.append(f"what runs is not what is declared{said}")
    if not found and state.applied != layer.digest:
        found.append("not brought into force yet")
    return found


def _probe(layer: Layer) -> str:
    """Shell that prints one layer's state, each line tagged with its kind."""
    name = shlex.quote(layer.name)
    lines = [f"echo L {name}"]
    if layer.documents:
        paths = " ".join(shlex.quote(d.path) for d in layer.documents)
        lines.append(f"sha256sum -- {paths} 2>/dev/null | sed 's/^/H /'")
        lines.append(f"stat -c 'S %a %U %G %Y %n' -- {paths} 2>/dev/null")
    lines += [
        f"[ ! -e {shlex.quote(path)} ] || echo U {shlex.quote(path)}" for path in layer.absent
    ]
    stamp = f"{APPLIED}/{name}"
    lines.append(
        f"[ ! -e {stamp} ] || {{ echo A $(stat -c %Y {stamp}) $(head -n 1 {stamp}); "
        f"sed -n '2,$s/^/W /p' {stamp}; }}"
    )
    for unit in layer.units:
        quoted = shlex.quote(unit)
        lines.append(
            f"systemctl is-enabled -q {quoted} 2>/dev/null && "
            f"systemctl is-active -q {quoted} 2>/dev/null || echo D {quoted}"
        )
    if layer.live:
        lines.append(
            f"said=$( ( {layer.live}\n) 2>&1 </dev/null ) || "
            """echo N "$(echo "$said" | head -n 4 | tr '\\n' ';')\""""
        )
    return "\n".join(lines)


def parse(output: Iterable[str]) -> dict[str, LayerState]:
    """Lines of :func:`_probe` to states by layer name; ValueError on anything unknown."""
    states: dict[str, LayerState] = {}
    digests: dict[str, str] = {}
    state = None
    for line in output:
        kind, _, rest = line.partition(" ")
        if kind == "L":
            state = states[rest] = LayerState()
        elif state is None:
            raise ValueError(f"expected a layer's name, met {line!r}")
        elif kind == "H":
            digest, _, path = rest.partition("  ")
            digests[path] = digest
        elif kind == "S":
            mode, owner, group, changed, path = rest.split(" ", 4)
            if path in digests:
                now = FileState(digests[path], int(mode, 8), owner, group, float(changed))
                state.files[path] = now
        elif kind == "W":
            digest, mode, owner, group, path = rest.split(" ", 4)
            state.written[path] = FileState(digest, int(mode, 8), owner, group)
        elif kind == "U":
            state.unwanted.append(rest)
        elif kind == "A":
            at, _, state.applied = rest.partition(" ")
            state.applied_at = float(at)
        elif kind == "D":
            state.stopped_units.append(rest)
        elif kind == "N":
            state.live, state.said = False, rest.strip("; ")
        else:
            raise ValueError(f"unknown line {line!r}")
    return states


class Layers(FactBase[dict[str, LayerState]]):
    """State of several layers by name.

    .. code:: python

        host.get_fact(Layers, layers=[host_layer])["host"].applied
    """

    def command(self, layers: list[Layer]) -> str:
        return "\n".join(_probe(layer) for layer in layers) + "\ntrue"

    @staticmethod
    def default() -> dict[str, LayerState]:
        return {}

    def process(self, output: list[str]) -> dict[str, LayerState]:
        try:
            return parse(output)
        except ValueError as error:
            raise FactProcessError(f"layers: {error}") from error
