"""Bring a layer's documents into force: stage, check, commit, activate, remember."""

from __future__ import annotations

import base64
import io
import shlex
import tarfile
from collections.abc import Callable, Generator

from pyinfra import host
from pyinfra.api import StringCommand, operation

from facts.layer import APPLIED, Layers, differences
from homelab.documents.document import Document, Layer
from operations.step import script


def pack(documents: tuple[Document, ...]) -> str:
    """The documents as a base64 tar for standard input: never in argv, where ``ps`` shows it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for document in documents:
            content = document.text.encode()
            entry = tarfile.TarInfo(document.path.lstrip("/"))
            entry.size, entry.mode = len(content), document.mode
            entry.uname, entry.gname = document.owner, document.group
            archive.addfile(entry, io.BytesIO(content))
    return base64.encodebytes(buffer.getvalue()).decode()


def _commit(document: Document) -> str:
    """Replace one file atomically; a bind-mounted one (/etc/hosts in a container) in place."""
    path = shlex.quote(document.path)
    staged = f'"$STAGE"{path}'
    return (
        f'mkdir -p "$(dirname {path})"; '
        f"if mountpoint -q {path} 2>/dev/null; then cat {staged} > {path}; "
        # two commands: in "cp && mv" a cp that fails (a full disk) would not stop the script
        f"else cp -p {staged} {path}.homelab-new; mv -f {path}.homelab-new {path}; fi"
    )


def apply_script(layer: Layer) -> str:
    """The shell that applies ``layer`` from a tar on its standard input; see the module."""
    lines = [
        "umask 077",
        "STAGE=$(mktemp -d /run/homelab-stage.XXXXXX); export STAGE",
        "trap 'rm -rf \"$STAGE\"' EXIT",
        'base64 -d | tar -x -f - -C "$STAGE"',
        # A folder made below for a public file must be readable, whatever the umask was.
        f"umask {'077' if all(d.secret for d in layer.documents) else '022'}",
    ]
    if layer.check:
        lines.append(
            f"( {layer.check}\n) || {{ echo 'refused by its checker: {layer.name}' >&2; exit 1; }}"
        )
    lines += [_commit(document) for document in layer.documents]
    lines += [f"rm -rf -- {shlex.quote(path)}" for path in layer.absent]
    if layer.activate:
        lines.append(f"( {layer.activate}\n) 9>&- </dev/null")
    stamp, record = f"{APPLIED}/{layer.name}", shlex.quote(layer.record)
    lines.append(f"mkdir -p {APPLIED}; printf %s {record} > {stamp}.new; mv -f {stamp}.new {stamp}")
    return script(*lines)


@operation()
def apply(layer: Layer) -> Generator[StringCommand, None, None]:
    """Make the machine's files and services equal to ``layer``.

    .. code:: python

        layer.apply(name="Balancer: HAProxy", layer=haproxy(site, machine, traits))
    """
    state = host.get_fact(Layers, layers=[layer])[layer.name]
    reasons = differences(layer, state)
    if not reasons:
        host.noop(f"{layer.name} is as declared")
        return
    host.log("; ".join(reasons[:4]) + ("; …" if len(reasons) > 4 else ""))
    yield StringCommand(apply_script(layer), _stdin=pack(layer.documents))


@operation()
def apply_when_known(layer: Callable[[], Layer]) -> Generator[StringCommand, None, None]:
    """As :func:`apply`, for a layer that follows from what an earlier step has found out."""
    yield from apply._inner(layer())
