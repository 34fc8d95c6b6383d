"""Secrets as they lie in etcd, and one key for all API servers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from homelab.drift.finding import CLUSTER, Finding
from homelab.drift.view import View


def cluster_findings(view: View) -> Iterator[Finding]:
    """Not what a file says, but the bytes in etcd."""
    if not view.site.kubernetes.encrypt_secrets:
        return
    said = (told.facts.stored for told in view.planes if told.facts.stored is not None)
    read = next((stored for stored in said if stored.providers is not None), None)
    if read is not None and read.plain:
        names = ", ".join(read.plain[:5]) + (" …" if len(read.plain) > 5 else "")
        yield Finding("encryption.off", CLUSTER, "secrets", "encrypted in etcd",
                      f"{len(read.plain)} readable: {names}")  # fmt: skip
    keys = {
        told.name: told.facts.survey.encrypts
        for told in view.planes
        if told.facts.survey and told.facts.survey.membership(view.site.name) == "ours"
    }
    counts = Counter(keys.values()).most_common()
    if len(counts) < 2:
        return
    tied = counts[0][1] == counts[1][1]
    for name, key in keys.items():
        if tied or key != counts[0][0]:
            yield Finding("encryption.key", name, "key", "the same on all control planes",
                          f"digest {key}" if key else "none")  # fmt: skip
