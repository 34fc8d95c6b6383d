"""One line when a step starts, one when it ends, and a sign of life between."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

BEGAN = time.monotonic()
HEARTBEAT = 30.0
_lock = threading.Lock()


def say(text: str) -> None:
    """Print one line with the seconds since the command began."""
    with _lock:
        print(f"[{time.monotonic() - BEGAN:5.0f} s] {text}", file=sys.stderr, flush=True)


@contextmanager
def step(name: str, usual: float = 0) -> Iterator[None]:
    """Announce a step, tell every half minute that it lives, and how long it took.

    `usual` is what it took where it was measured, in seconds, so that a person
    knows whether to wait or to fetch a coffee.
    """
    started = time.monotonic()
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(HEARTBEAT):
            of = f" of about {usual:.0f}" if usual else ""
            say(f"  … {name}: {time.monotonic() - started:.0f}{of} s")

    say(name + (f" (about {usual:.0f} s)" if usual >= 5 else ""))
    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    except BaseException:
        say(f"  ✗ {name}: failed after {time.monotonic() - started:.1f} s")
        raise
    else:
        say(f"  ✓ {name}: {time.monotonic() - started:.1f} s")
    finally:
        ended.set()
        thread.join()
