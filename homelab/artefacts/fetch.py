"""Get one file from a base (https, http, file) to disk: whole and proven, or not at all."""

from __future__ import annotations

import hashlib
import http.client
import os
import socket
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeVar

from homelab.artefacts.errors import ArtefactError

TIMEOUT = 30.0  # seconds without a byte
PAUSES = (1.0, 3.0, 9.0)  # seconds before each further try
CHUNK = 1 << 18
AGENT = "x99-homelab"
MEND = "what arrived is kept; run the same command again"
T = TypeVar("T")
Moved = Callable[[int], None]


class Damaged(Exception):
    """The bytes are not those that were asked for; ``str`` says how."""


def opened(url: str, headers: dict[str, str] | None = None) -> http.client.HTTPResponse:
    """GET; OSError (urllib.error.HTTPError is one) on failure."""
    request = urllib.request.Request(url, headers={"User-Agent": AGENT})
    for name, value in (headers or {}).items():
        if name == "Authorization":  # never follows a redirect to somebody else's server
            request.add_unredirected_header(name, value)
        else:
            request.add_header(name, value)
    answer: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=TIMEOUT)
    return answer


def tried(what: str, attempt: Callable[[], T], pauses: tuple[float, ...] = PAUSES) -> T:
    """Run ``attempt``, again after a pause if the fault may pass; ArtefactError if it does not."""
    for pause in (*pauses, None):
        try:
            return attempt()
        except urllib.error.HTTPError as error:
            error.close()
            passing = error.code in (408, 425, 429) or error.code >= 500
            why = f"HTTP {error.code} {error.reason}"
        except urllib.error.URLError as error:
            passing = not isinstance(error.reason, FileNotFoundError)
            why = str(error.reason)
            if isinstance(error.reason, socket.gaierror):
                why += " (is there a name server, and a way to the internet?)"
        except (Damaged, OSError, http.client.HTTPException) as error:
            # A full or read-only disk does not get better by waiting.
            passing = not isinstance(error, OSError) or isinstance(
                error, (TimeoutError, ConnectionError)
            )
            why = str(error) or type(error).__name__
        if pause is None or not passing:
            raise ArtefactError(f"can't fetch {what}", why, MEND)
        time.sleep(pause)
    raise AssertionError("not reached")


@contextmanager
def replacing(dest: Path) -> Iterator[BinaryIO]:
    """A new file that takes its name only when it is whole and on the disk.

    Its temporary name starts with a dot and ends in ``.part``; a killed run leaves it, the next
    :func:`homelab.artefacts.bundle.collect` removes it.
    """
    dest.parent.mkdir(parents=True, exist_ok=True)
    handle, part = tempfile.mkstemp(dir=dest.parent, prefix=f".{dest.name}-", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(part).chmod(0o644)
        Path(part).rename(dest)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise


def copy(source: http.client.HTTPResponse, dest: BinaryIO, moved: Moved) -> tuple[str, int]:
    """Stream; SHA-256 in hex and size of what came. http.client.IncompleteRead if cut short."""
    digest, size = hashlib.sha256(), 0
    while chunk := source.read(CHUNK):
        dest.write(chunk)
        digest.update(chunk)
        size += len(chunk)
        moved(len(chunk))
    promised = source.headers.get("Content-Length")
    if promised is not None and int(promised) != size:  # read(n) does not notice by itself
        raise Damaged(f"{size} of {promised} bytes came")
    return digest.hexdigest(), size


def download(
    url: str,
    dest: Path,
    sha256: str,
    moved: Moved = lambda count: None,
    pauses: tuple[float, ...] = PAUSES,
) -> int:
    """Fetch ``url`` into ``dest``; its size. ArtefactError if it can't be had or has other bytes.

    Bytes that differ are fetched once more like any passing fault (proxies truncate), and never
    get the file's name.
    """

    def attempt() -> int:
        with opened(url) as source, replacing(dest) as file:
            found, size = copy(source, file, moved)
            if found != sha256:
                raise Damaged(f"its SHA-256 is {found} instead of {sha256}")
        return size

    # A file does not change by being read again.
    return tried(url, attempt, () if url.startswith("file:") else pauses)
