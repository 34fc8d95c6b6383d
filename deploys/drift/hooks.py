"""Whom a report is sent to: commands and webhooks, and an outbox for what did not get through.

Each delivery has ten seconds and three more tries. A report may arrive twice (an answer that came
too late, a run that was killed), but none is lost before :data:`KEPT` later ones wait as well.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import secrets
import signal
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from homelab.drift.history import write

TIMEOUT_S = 10.0
PAUSES_S = (1.0, 3.0, 9.0)  # before each further try
KEPT = 100  # reports for each hook


@dataclass(frozen=True)
class Command:
    """A program and its arguments, no shell. It gets the JSON on stdin; what it prints on stderr
    is seen as it is, on stdout nobody's. Exit code 0 says that the report is delivered.
    """

    words: tuple[str, ...] = field(repr=False)  # may hold a token

    @property
    def name(self) -> str:
        return f"command {Path(*self.words[:1]).name}"

    def deliver(self, report: bytes) -> str:
        """Why it failed, "" if it did not. A command that hangs is killed with all of its group."""
        try:
            with tempfile.TemporaryFile() as stdin:  # no pipe: nothing to hang on
                stdin.write(report)
                stdin.seek(0)
                code = self._run(stdin.fileno())
        except subprocess.TimeoutExpired:
            return f"not done within {TIMEOUT_S:g} s"
        except Exception as error:
            return _why(error)
        return f"exit code {code}" if code else ""

    def _run(self, stdin: int) -> int:
        process = subprocess.Popen(
            self.words, stdin=stdin, stdout=subprocess.DEVNULL, start_new_session=True
        )
        try:
            return process.wait(TIMEOUT_S)
        except BaseException:  # Ctrl-C does not reach another session
            with contextlib.suppress(OSError):  # what runs as another user can't be killed
                os.killpg(process.pid, signal.SIGKILL)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(1)
            raise


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """urllib would go on with a GET: the report would count as delivered, and nobody has it."""

    def redirect_request(self, *args: Any, **more: Any) -> None:
        return None


@dataclass(frozen=True)
class Webhook:
    """An http or https URL that takes a POST; user and password in it become Basic credentials."""

    url: str = field(repr=False)  # most services put their token in its path

    @property
    def name(self) -> str:
        try:
            parts = urlsplit(self.url)
        except ValueError:
            return "webhook ?"
        # With a / in the password, what looks like the host is the user.
        doubtful = "@" in f"{parts.path}{parts.query}{parts.fragment}"
        return f"webhook {'?' if doubtful else parts.hostname or '?'}"

    def deliver(self, report: bytes) -> str:
        """Why it failed, "" if it did not."""
        said: list[str] = []
        # urllib's time-out is for each read, and not for the name's look-up.
        thread = threading.Thread(target=lambda: said.append(self._post(report)), daemon=True)
        thread.start()
        thread.join(TIMEOUT_S)
        return said[0] if said else f"no answer within {TIMEOUT_S:g} s"

    def _post(self, report: bytes) -> str:
        try:
            parts = urlsplit(self.url)
            if parts.scheme not in ("http", "https"):
                return "no http or https URL"
            login, _, host = parts.netloc.rpartition("@")
            headers = {"Content-Type": "application/json", "User-Agent": "homelab-drift"}
            if login:
                basic = base64.b64encode(unquote(login).encode()).decode()
                headers["Authorization"] = f"Basic {basic}"
            url = parts._replace(netloc=host, fragment="").geturl()
            request = urllib.request.Request(url, report, headers, method="POST")
            with urllib.request.build_opener(_NoRedirect).open(request, timeout=TIMEOUT_S):
                return ""
        except Exception as error:
            return _why(error)


Hook = Command | Webhook


@dataclass(frozen=True)
class Outbox:
    """A folder with one file for each hook and report; the names say nothing of the hook's secrets.

    All methods raise OSError.
    """

    folder: Path

    def add(self, hook: Hook, report: bytes) -> None:
        """As the last one for this hook."""
        number = max((int(file.name[17:25]) for file in self.waiting(hook)), default=0) + 1
        # Two runs at once may count the same; the token keeps both.
        write(self.folder / f"{_key(hook)}-{number:08}-{secrets.token_hex(4)}.json", report)

    def waiting(self, hook: Hook) -> list[Path]:
        """The oldest first."""
        return sorted(self.folder.glob(f"{_key(hook)}-{'[0-9]' * 8}-*.json"))

    def cut(self, hook: Hook) -> int:
        """Remove all but the latest :data:`KEPT`; how many."""
        dropped = self.waiting(hook)[:-KEPT]
        for file in dropped:
            file.unlink(missing_ok=True)
        return len(dropped)


def notify(
    hooks: Sequence[Hook],
    text: str,
    outbox: Outbox | None = None,
    sleep: Callable[[float], object] = time.sleep,
) -> list[str]:
    """Send a report to each hook, after all that waits for it; what failed, in words.

    Raises nothing. The words never hold arguments of a command, nor more than the host of a URL.
    """
    report = text.encode(errors="backslashreplace")  # a lone surrogate, as JSON would write it
    told: list[str] = []
    for hook in hooks:
        try:
            told += (f"{hook.name}: {words}" for words in _send(hook, report, outbox, sleep))
        except Exception as error:
            told.append(f"{hook.name}: {_why(error)}")
    return told


def _send(
    hook: Hook, report: bytes, outbox: Outbox | None, sleep: Callable[[float], object]
) -> Iterator[str]:
    queue: list[Path | None] = [None]  # None: this report, and no file
    if outbox:
        try:
            outbox.add(hook, report)
            queue = []
        except OSError as error:
            yield f"can't keep the report for a later try: {_why(error)}"
        queue = [*outbox.waiting(hook), *queue]
    for number, file in enumerate(queue):
        try:
            why = _tried(hook, file.read_bytes() if file else report, sleep)
            if why:
                yield f"{why} ({len(queue) - number} undelivered)"
                break  # in order, and no minute's wait for each of a hundred
            if file:
                file.unlink()
        except FileNotFoundError:
            continue  # another run has just sent it
        except OSError as error:
            yield f"{file}: {_why(error)}"
    if outbox and (dropped := outbox.cut(hook)):
        yield f"{dropped} dropped, the oldest: {KEPT} are kept"


def _tried(hook: Hook, report: bytes, sleep: Callable[[float], object]) -> str:
    for pause in PAUSES_S:
        if not hook.deliver(report):
            return ""
        sleep(pause)
    return hook.deliver(report)


def _key(hook: Hook) -> str:
    """16 letters that stand for a hook from run to run."""
    what = hook.words if isinstance(hook, Command) else hook.url
    return hashlib.sha256(repr(what).encode()).hexdigest()[:16]


def _why(error: Exception) -> str:
    """Not the exception's own text: some quote a URL, its credentials too."""
    if isinstance(error, urllib.error.HTTPError):
        error.close()
        return f"HTTP {error.code}"
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(reason, TimeoutError):
        return f"no answer within {TIMEOUT_S:g} s"
    words = reason.strerror if isinstance(reason, OSError) else None
    return words or type(error).__name__
