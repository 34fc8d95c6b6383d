"""Which files were hashed before: so that a second deploy need not read a gigabyte again.

A file counts as unchanged while path, size, mtime and ctime (ns) are what they were. ctime is
what makes this safe: every write sets it and, unlike mtime, no ``touch -d`` puts it back. A file
whose last change is younger than RACY is not remembered: it could change again within one tick
of the file system's clock (the "racy" problem of git's index,
https://git-scm.com/docs/racy-git).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

CHUNK = 1 << 20
RACY = 2 * 10**9  # ns


def cache_file() -> Path:
    """In the user's cache."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "homelab" / "verified.json"


def sha256(path: Path, moved: Callable[[int], None] = lambda count: None) -> str:
    """The file's SHA-256, streamed; ``moved`` hears of every chunk. OSError if unreadable."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            moved(len(chunk))
    return digest.hexdigest()


class Verified:
    """The hashes of earlier runs; ``full`` forgets them."""

    def __init__(self, file: Path | None = None, full: bool = False) -> None:
        self.file = file or cache_file()
        self.known: dict[str, str] = {} if full else self._load()
        self.fresh: dict[str, str] = {}

    def hash(self, path: Path, moved: Callable[[int], None] = lambda count: None) -> str:
        """The file's SHA-256, from memory if it is unchanged."""
        key = self._key(path)
        if key in self.known:
            return self.known[key]
        value = sha256(path, moved)
        stat = path.stat()
        youngest = max(stat.st_mtime_ns, stat.st_ctime_ns)
        if key == self._key(path) and time.time_ns() - youngest > RACY:
            self.fresh[key] = value
        return value

    def save(self) -> None:
        """Keep what was hashed; a cache that can't be written is not worth an error."""
        if not self.fresh:
            return
        with contextlib.suppress(OSError):
            self.file.parent.mkdir(parents=True, exist_ok=True)
            merged = self._load() | self.fresh  # others may have written meanwhile
            paths = {key.partition("\n")[0]: key for key in merged}  # the last of each file
            kept = {key: merged[key] for path, key in paths.items() if Path(path).exists()}
            handle, part = tempfile.mkstemp(dir=self.file.parent, prefix=".verified-")  # 0600
            with os.fdopen(handle, "w") as out:
                json.dump(kept, out, indent=1)
            Path(part).rename(self.file)

    def _key(self, path: Path) -> str:
        stat = path.stat()
        numbers = (stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino, stat.st_dev)
        return f"{path.resolve()}\n" + " ".join(map(str, numbers))

    def _load(self) -> dict[str, str]:
        try:
            loaded = json.loads(self.file.read_text())
        except (OSError, ValueError):
            return {}
        return loaded if isinstance(loaded, dict) else {}
