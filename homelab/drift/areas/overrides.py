"""Drop-ins and units that nobody declared, of the services that the cluster stands on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from homelab.drift.finding import Finding
from homelab.drift.view import Told, View


def findings(view: View, told: Told) -> Iterator[Finding]:
    """A file counts as declared if a layer of the deploy writes it."""
    read = told.facts.overrides
    if read is None:
        return
    ours = {document.path for layer in told.layers for document in layer.documents}
    for file in read.files or ():
        if file.path not in ours:
            yield Finding(
                "host.unit-override", told.name, file.path, "no such file", "there", "undeclared",
                since=datetime.fromtimestamp(file.changed_at, UTC),
            )  # fmt: skip
    if read.kubelet_args:
        yield Finding("kubelet.extra-args", told.name, "/etc/default/kubelet",
                      "no flags", read.kubelet_args, "undeclared")  # fmt: skip
