"""Attempts at a steady pace, whatever becomes of the earlier ones."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable
from typing import IO

from homelab.probe.attempt import Attempt, write

Try = Callable[[], Awaitable[str]]  # returns what was said; raises what went wrong


async def once(what: str, attempt: Try, timeout: float) -> Attempt:
    """One attempt that takes at most ``timeout`` seconds; never raises."""
    start = time.monotonic()
    try:
        async with asyncio.timeout(timeout):
            said, ok = await attempt(), True
    except TimeoutError:
        said, ok = f"no answer in {timeout:g} s", False
    except (OSError, ValueError, EOFError) as error:  # ssl.SSLError is an OSError
        said, ok = f"{type(error).__name__}: {error}", False
    return Attempt(start, time.monotonic(), ok, what, said)


async def keep_trying(tries: dict[str, Try], every: float, timeout: float, out: IO[str]) -> None:
    """Start one attempt of each of ``tries`` every ``every`` seconds until SIGTERM.

    Attempts overlap: a hanging one does not keep the next from starting. If the process itself
    was held up, the missed starts are left out, and :func:`homelab.probe.figures.blind` tells.
    """
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    running: set[asyncio.Task[None]] = set()

    async def record(what: str, attempt: Try) -> None:
        write(out, await once(what, attempt, timeout))

    due = loop.time()
    while not stop.is_set():
        for what, attempt in tries.items():
            task = loop.create_task(record(what, attempt))
            running.add(task)
            task.add_done_callback(running.discard)
        due = max(due + every, loop.time())
        try:
            async with asyncio.timeout_at(due):
                await stop.wait()
        except TimeoutError:
            continue
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
