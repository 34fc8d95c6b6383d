"""Attempts against real sockets on this machine, good ones and bad ones."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

from homelab.probe.attempt import Attempt, parse
from homelab.probe.connections import connect, get
from homelab.probe.pace import keep_trying, once

SILENT = ""


@contextmanager
def serving(answer: str) -> Iterator[int]:
    """A server on the port it yields; it never answers if ``answer`` is SILENT."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(4096)
            if answer != SILENT:
                self.request.sendall(answer.encode())
            else:
                self.request.recv(1)  # until the client hangs up

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def ask(answer: str, timeout: float = 0.5) -> Attempt:
    with serving(answer) as port:
        url = f"http://cluster.test:{port}/readyz"
        return asyncio.run(once(url, get(url, address="127.0.0.1"), timeout))


def test_status_200_is_a_success() -> None:
    attempt = ask("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    assert (attempt.ok, attempt.said) == (True, "ok")


def test_another_status_is_a_failure_that_says_why() -> None:
    attempt = ask("HTTP/1.1 503 Service Unavailable\r\n\r\nno leader")
    assert (attempt.ok, attempt.said) == (False, "ValueError: HTTP 503 no leader")


def test_silence_ends_at_the_time_out() -> None:
    attempt = ask(SILENT, timeout=0.2)
    assert not attempt.ok
    assert attempt.said == "no answer in 0.2 s"
    assert 0.2 <= attempt.end - attempt.start < 0.5


def test_a_cut_answer_is_a_failure() -> None:
    attempt = ask("HTTP/1.1 2")
    assert not attempt.ok
    assert attempt.said.startswith("IncompleteReadError")


def test_nobody_there_is_a_failure() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        attempt = asyncio.run(once("x", connect("127.0.0.1", port), 0.5))
    assert not attempt.ok
    assert attempt.said.startswith("ConnectionRefusedError")


def test_a_hanging_attempt_does_not_keep_the_next_from_starting() -> None:
    file = io.StringIO()

    async def run(port: int) -> None:
        url = f"http://127.0.0.1:{port}/"
        loop = asyncio.get_running_loop()
        loop.call_later(0.75, os.kill, os.getpid(), signal.SIGTERM)
        await keep_trying({url: get(url)}, every=0.1, timeout=0.4, out=file)

    with serving(SILENT) as port:
        asyncio.run(run(port))
    attempts = parse(file.getvalue().splitlines(keepends=True))
    assert len(attempts) >= 3
    assert max(b.start - a.start for a, b in pairwise(attempts)) < 0.2
