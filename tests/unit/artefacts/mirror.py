"""A plain file server on loopback: what a mirror is. It can have bad days."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Mirror(ThreadingHTTPServer):
    """``trouble`` maps a path to what happens at its next requests.

    "503": refused; "cut": half of the body, then the connection ends; "flip": one byte differs;
    "hang": no answer until the server is closed.
    """

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), partial(_Handler, directory=str(folder)))
        self.asked: list[str] = []
        self.trouble: dict[str, list[str]] = {}
        self.hanging = threading.Event()  # somebody waits
        self.released = threading.Event()

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"


class _Handler(SimpleHTTPRequestHandler):
    server: Mirror

    def do_GET(self) -> None:
        path = self.path.lstrip("/")
        self.server.asked.append(path)
        kinds = self.server.trouble.get(path, [])
        kind = kinds.pop(0) if kinds else ""
        if kind == "503":
            return self.send_error(503)
        if kind == "hang":
            self.server.hanging.set()
            self.server.released.wait(30)
            return None
        if kind in ("cut", "flip"):
            content = (Path(self.directory) / path).read_bytes()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            flipped = bytes([content[0] ^ 1]) + content[1:]
            self.wfile.write(content[: len(content) // 2] if kind == "cut" else flipped)
            return None
        return super().do_GET()

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@contextmanager
def serving(folder: Path) -> Iterator[Mirror]:
    """The server, while the block runs."""
    with Mirror(folder) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server
        finally:
            server.released.set()
            server.shutdown()
            thread.join()
