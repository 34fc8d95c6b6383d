"""Folders that are built once for each set of inputs, and are either whole or absent."""

import fcntl
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from homelab.lab.paths import cache_root
from homelab.lab.progress import say

UNUSED = 7 * 86400.0


def key(files: Iterable[Path], facts: Mapping[str, str]) -> str:
    """Hash a recipe: the bytes of its files (by name) and what else it depends on."""
    digest = hashlib.sha256()
    for file in sorted(files, key=lambda f: f.name):
        digest.update(f"file {file.name}\n".encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    for name in sorted(facts):
        digest.update(f"fact {name}={facts[name]}\n".encode())
    return digest.hexdigest()[:16]


def place(kind: str, hashed: str) -> Path:
    """Where the thing of that kind and key is, or will be."""
    return cache_root() / f"{kind}-{hashed}"


def built(wanted: Path, build: Callable[[Path], None]) -> Path:
    """Return a place of the cache, filled with `build` if it is not there yet.

    The work happens in a folder of another name which is renamed at the end, so
    that a killed build leaves nothing that looks finished. Two builds of the same
    thing wait for each other; what a killed one left is removed by the next.
    """
    kind = wanted.name.rpartition("-")[0]
    with locked(kind):
        if wanted.is_dir():
            os.utime(wanted)  # it was of use today, see prune()
            return wanted
        for left in cache_root().glob(f".{kind}-*.part"):
            shutil.rmtree(left)
        part = Path(tempfile.mkdtemp(prefix=f".{kind}-", suffix=".part", dir=cache_root()))
        part.chmod(0o755)
        try:
            build(part)
            part.rename(wanted)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    return wanted


def prune(kind: str, keep: Container[str] = ()) -> None:
    """Remove what was not asked for in a week: each generation is a gigabyte or two."""
    for other in cache_root().glob(f"{kind}-*"):
        same = other.name.rpartition("-")[0] == kind  # node-base is not a node
        if not same or other.name in keep or not other.is_dir():
            continue
        if time.time() - other.stat().st_mtime > UNUSED:
            shutil.rmtree(other)


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Let one process at a time do `name`; the lock dies with its process."""
    cache_root().mkdir(parents=True, exist_ok=True)
    handle = os.open(cache_root() / f".{name}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"another process is at work on {name}; waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
