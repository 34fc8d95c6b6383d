"""Lines with the seconds since the work began, on stderr."""

from __future__ import annotations

import sys
import threading
import time


class Progress:
    """Counts what is done; safe to use from several threads. Sizes in bytes."""

    def __init__(self, verb: str, files: int, total: int = 0, quiet: bool = False) -> None:
        self.verb, self.files, self.total, self.quiet = verb, files, total, quiet
        self.began = self.said = time.monotonic()
        self.done = self.bytes = 0
        self.lock = threading.Lock()

    def say(self, text: str) -> None:
        """One line."""
        if not self.quiet:
            elapsed = time.monotonic() - self.began
            print(f"[{elapsed:5.0f} s] {text}", file=sys.stderr, flush=True)

    def moved(self, count: int) -> None:
        """``count`` more bytes; a line at most every two seconds."""
        with self.lock:
            self.bytes += count
            now = time.monotonic()
            if now - self.said < 2:
                return
            self.said = now
            of = f" of {megabytes(self.total)}" if self.total else ""
            self.say(
                f"{self.verb}: {self.done} of {self.files} files, "
                f"{megabytes(self.bytes)}{of}{self._forecast(now)}"
            )

    def _forecast(self, now: float) -> str:
        if not self.total or not self.bytes or self.bytes >= self.total:
            return ""
        left = (now - self.began) * (self.total - self.bytes) / self.bytes
        return f", about {left:.0f} s left"

    def finished(self, text: str = "") -> None:
        """One more file; ``text`` is worth a line of its own."""
        with self.lock:
            self.done += 1
            if text:
                self.say(f"{self.done} of {self.files}: {text}")


def megabytes(count: int) -> str:
    return f"{count / 1e6:.1f} MB"
