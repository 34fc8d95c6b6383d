"""A client that writes all the time and remembers what was acknowledged.

Every write makes a new ConfigMap of its own number, and a number is never tried twice: what
happened to a write whose answer got lost stays unknown instead of being guessed at.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count, pairwise
from typing import IO

from homelab.probe.api import Api, NeverSentError, RefusedError, UnknownError
from homelab.probe.attempt import Attempt, write

NAMESPACE = "homelab-probe"
CONFIGMAPS = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
UNKNOWN = "unknown: "  # how the record of a write begins whose outcome is not known
PAGE = 500
DELETED_S = 600.0  # what an earlier session wrote in half an hour takes minutes to delete
RETRY_PAUSE_S = 0.01  # "at once", without a busy loop while connections are refused


def keep_writing(api: Api, run: str, every: float, out: IO[str]) -> None:
    """Write at most every ``every`` seconds until SIGTERM; after a failure try again at once.

    The namespace must be there (:func:`prepare`); to make it can take longer than a write may.
    """
    stopping: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: stopping.append(number))
    for number in count():
        if stopping:
            return
        attempt = _write(api, run, f"{run}-{number}")
        write(out, attempt)
        pause = every - (time.monotonic() - attempt.start) if attempt.ok else RETRY_PAUSE_S
        time.sleep(max(pause, 0))


def prepare(api: Api) -> None:
    """Make the namespace, if it is not there yet; wait if it is still being deleted.

    Raises TimeoutError if that takes longer than :data:`DELETED_S`.
    """
    deadline = time.monotonic() + DELETED_S
    while time.monotonic() < deadline:
        try:
            api.request("POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
            return
        except RefusedError as error:
            if "already exists" not in str(error) and "being deleted" not in str(error):
                raise
        try:
            found = api.request("GET", f"/api/v1/namespaces/{NAMESPACE}")
            if found["status"]["phase"] == "Active":
                return
        except RefusedError:  # gone in between
            continue
        time.sleep(1)
    raise TimeoutError(f"the namespace {NAMESPACE} is still being deleted after {DELETED_S:g} s")


def stored(api: Api, run: str) -> dict[str, int]:
    """The revision of every ConfigMap of ``run``.

    A list without resourceVersion is served by a quorum read of etcd
    (https://kubernetes.io/docs/reference/using-api/api-concepts/#semantics-for-get-and-list),
    and its pages are of one revision.
    """
    found: dict[str, int] = {}
    path = f"{CONFIGMAPS}?labelSelector=run%3D{run}&limit={PAGE}"
    more = ""
    while True:
        page = api.request("GET", path + more)
        for item in page["items"]:
            found[item["metadata"]["name"]] = int(item["metadata"]["resourceVersion"])
        token = page["metadata"].get("continue")
        if not token:
            return found
        more = f"&continue={token}"


def forget(api: Api) -> None:
    """Delete what all runs wrote; returns at once, the cluster does it in the background."""
    api.request("DELETE", f"/api/v1/namespaces/{NAMESPACE}")


@dataclass(frozen=True)
class Verdict:
    """What became of the writes of a run. Only ``unknown`` ones may be there or not."""

    acknowledged: int
    unknown: int
    lost: tuple[str, ...] = ()  # acknowledged, and not there
    changed: tuple[str, ...] = ()  # there, at another revision than was acknowledged
    disordered: tuple[str, ...] = ()  # acknowledged later, at a revision that is not later
    phantom: tuple[str, ...] = ()  # there, although the write surely failed

    @property
    def faults(self) -> dict[str, tuple[str, ...]]:
        """The broken promises by name; empty if all were kept."""
        named = {
            "lost": self.lost,
            "changed": self.changed,
            "disordered": self.disordered,
            "phantom": self.phantom,
        }
        return {name: keys for name, keys in named.items() if keys}


def judge(attempts: Sequence[Attempt], found: dict[str, int]) -> Verdict:
    """Hold what was acknowledged (in the order of acknowledgement) against what is stored."""
    acknowledged = {attempt.what: int(attempt.said) for attempt in attempts if attempt.ok}
    unknown = {a.what for a in attempts if not a.ok and a.said.startswith(UNKNOWN)}
    in_order = list(acknowledged.items())
    return Verdict(
        acknowledged=len(acknowledged),
        unknown=len(unknown),
        lost=tuple(key for key in acknowledged if key not in found),
        changed=tuple(k for k, rev in in_order if k in found and found[k] != rev),
        disordered=tuple(
            key for (_, before), (key, revision) in pairwise(in_order) if revision <= before
        ),
        phantom=tuple(key for key in found if key not in acknowledged and key not in unknown),
    )


def _write(api: Api, run: str, key: str) -> Attempt:
    body = {
        "metadata": {"name": key, "labels": {"run": run}},
        "data": {"written": key},
    }
    start = time.monotonic()
    try:
        answer = api.request("POST", CONFIGMAPS, body)
        said, ok = answer["metadata"]["resourceVersion"], True
    except UnknownError as error:
        said, ok = f"{UNKNOWN}{error}", False
    except (NeverSentError, RefusedError) as error:
        said, ok = f"not written: {error}", False
    return Attempt(start, time.monotonic(), ok, key, said)
