"""Reports get to commands and webhooks, or wait for them; no trouble of a hook is anyone else's."""

from __future__ import annotations

import shlex
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from unittest.mock import Mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploys.drift import hooks
from deploys.drift.hooks import Command, Hook, Outbox, Webhook, notify

TOKEN = "T0KEN"
REPORT = '{"site": "Bär"}'
PAUSES_S = hooks.PAUSES_S


class Receiver(ThreadingHTTPServer):
    """Answers with ``codes`` in turn, then with 204. 0: no answer; -1: one that never ends."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.codes: list[int] = []
        self.got: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.closing = threading.Event()

    def url(self, login: str = "") -> str:
        return f"http://{login}127.0.0.1:{self.server_port}/{TOKEN}?key={TOKEN}#{TOKEN}"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.got.append(body)
        self.server.headers.append({"path": self.path, **dict(self.headers)})
        code = self.server.codes.pop(0) if self.server.codes else 204
        if code > 0:
            self.send_response(code, TOKEN)
            self.send_header("Location", "/elsewhere")
            self.end_headers()
        while code <= 0 and not self.server.closing.wait(0.02):
            self.wfile.write(b"x" * -code)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.closing.set()
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what is about further tries has them."""
    monkeypatch.setattr(hooks, "PAUSES_S", ())


def shell(line: str) -> Command:
    return Command(("sh", "-c", line, TOKEN))


def into(file: Path) -> Command:
    return shell(f"cat >> {shlex.quote(str(file))}")


FAILING = shell("exit 3")


def alive(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def test_a_command_gets_the_report(tmp_path: Path) -> None:
    assert notify([into(tmp_path / "got")], REPORT) == []
    assert notify([into(tmp_path / "got")], '"\udc80"') == []  # sent as JSON writes it
    assert (tmp_path / "got").read_text(encoding="utf-8") == REPORT + '"\\udc80"'
    assert notify([Command(("true",))], REPORT * 100_000) == [], "it need not read it"


def test_stdout_is_not_for_commands(capfd: pytest.CaptureFixture[str]) -> None:
    assert notify([shell("echo out; echo sent >&2")], REPORT) == []
    assert tuple(capfd.readouterr()) == ("", "sent\n")


def test_further_tries_with_growing_pauses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    monkeypatch.setattr(hooks, "PAUSES_S", PAUSES_S)
    pauses: list[float] = []
    count = shlex.quote(str(tmp_path / "count"))
    fourth_time = f'echo x >> {count}; [ "$(wc -l < {count})" -eq 4 ]'
    assert notify([shell(fourth_time)], REPORT, sleep=pauses.append) == []
    assert pauses == [1.0, 3.0, 9.0]
    receiver.codes = [503] * 4
    told = notify([Webhook(receiver.url())], REPORT, sleep=pauses.append)
    assert told == ["webhook 127.0.0.1: HTTP 503 (1 undelivered)"]
    assert pauses == [1.0, 3.0, 9.0] * 2
    assert receiver.got == [REPORT] * 4


def test_commands_that_cannot_run() -> None:
    every = [("/nowhere/it", TOKEN), ("/etc/passwd", TOKEN), ("true", "\0"), ()]
    told = notify([Command(words) for words in every], REPORT)
    assert [line.partition(" (")[0] for line in told] == [
        "command it: No such file or directory",
        "command passwd: Permission denied",
        "command true: ValueError",
        "command : IndexError",
    ]


def test_a_hanging_command_is_killed_with_all_that_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hooks, "TIMEOUT_S", 2.0)
    pids = shlex.quote(str(tmp_path / "pids"))
    told = notify([shell(f"sleep 60 & echo $$ $! > {pids}; wait")], REPORT)
    assert told == ["command sh: not done within 2 s (1 undelivered)"]
    processes = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    assert len(processes) == 2
    deadline = time.monotonic() + 10  # killed is not yet gone
    while any(map(alive, processes)):
        assert time.monotonic() < deadline


def test_an_interrupted_run_leaves_no_command_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "pid"

    def interrupted(self: object, timeout: float) -> int:
        while not file.exists() or not file.read_text():
            time.sleep(0.01)
        monkeypatch.undo()
        raise KeyboardInterrupt

    monkeypatch.setattr("subprocess.Popen.wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        notify([shell(f"echo $$ > {shlex.quote(str(file))}; sleep 60")], REPORT)
    assert not alive(int(file.read_text()))


def test_a_webhook_gets_the_report(receiver: Receiver) -> None:
    assert notify([Webhook(receiver.url("ada:p%40ss@"))], REPORT) == []
    assert receiver.got == [REPORT]
    (headers,) = receiver.headers
    assert headers["path"] == f"/{TOKEN}?key={TOKEN}"
    assert headers["Content-Type"] == "application/json"
    assert headers["Authorization"] == "Basic YWRhOnBAc3M="


@pytest.mark.parametrize("code", [302, 307, 404, 500])
def test_only_success_is_success(receiver: Receiver, code: int) -> None:
    receiver.codes = [code]
    told = notify([Webhook(receiver.url("ada:secret@"))], REPORT)
    assert told == [f"webhook 127.0.0.1: HTTP {code} (1 undelivered)"]
    assert receiver.got == [REPORT]


@pytest.mark.parametrize("code", [0, -1])
def test_a_webhook_that_never_answers(
    receiver: Receiver, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hooks, "TIMEOUT_S", 0.3)
    receiver.codes = [code]
    told = notify([Webhook(receiver.url())], REPORT)
    assert told == ["webhook 127.0.0.1: no answer within 0.3 s (1 undelivered)"]


@pytest.mark.parametrize(
    ("url", "why"),
    [
        (f"http://127.0.0.1:1/{TOKEN}", "webhook 127.0.0.1: Connection refused"),
        (f"http://ada:{TOKEN}/@127.0.0.1/", "webhook ?: InvalidURL"),
        (f"http://127.0.0.1/{TOKEN} {TOKEN}", "webhook 127.0.0.1: InvalidURL"),
        (f"file:///etc/{TOKEN}", "webhook ?: no http or https URL"),
        (f"http://[{TOKEN}/", "webhook ?: ValueError"),
    ],
)
def test_a_webhook_out_of_reach(url: str, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    assert notify([Webhook(url)], REPORT) == [f"{why} (1 undelivered)"]


SECRETS = st.text(st.sampled_from("aB3:/?#@%[ \\\n.é"), min_size=1).map(lambda t: f"{TOKEN}{t}")


@settings(deadline=None)
@given(SECRETS, SECRETS, SECRETS, SECRETS)
def test_nothing_shows_a_secret(user: str, password: str, path: str, query: str) -> None:
    """Nobody is asked: the text says all that a failure's words are made of."""
    hook = Webhook(f"https://{user}:{password}@chat.example/{path}?{query}")
    assert TOKEN not in f"{hook.name.upper()} {hook!r}"
    command = Command(("curl", "--user", f"{user}:{password}"))
    assert TOKEN not in f"{command.name} {command!r}"


def test_a_failing_hook_keeps_no_other_from_running(tmp_path: Path, receiver: Receiver) -> None:
    outbox = Outbox(tmp_path / "outbox")
    every: list[Hook] = [
        FAILING,
        into(tmp_path / "got"),
        Webhook("nonsense"),
        Webhook(receiver.url()),
    ]
    told = notify(every, REPORT, outbox)
    assert [line.partition(":")[0] for line in told] == ["command sh", "webhook ?"]
    assert (tmp_path / "got").read_text(encoding="utf-8") == receiver.got[0] == REPORT
    assert [len(outbox.waiting(hook)) for hook in every] == [1, 0, 1, 0]


def test_what_failed_waits_and_comes_first_in_order(tmp_path: Path, receiver: Receiver) -> None:
    outbox, hook = Outbox(tmp_path / "outbox"), Webhook(receiver.url("ada:secret@"))
    receiver.codes = [500] * 2
    assert notify([hook], "1", outbox)[0].endswith("HTTP 500 (1 undelivered)")
    assert notify([hook], "2", outbox)[0].endswith("HTTP 500 (2 undelivered)")
    assert receiver.got == ["1"] * 2, "not the second before the first"
    names = [file.name for file in outbox.folder.iterdir()]
    assert TOKEN not in " ".join(names)
    assert oct(outbox.folder.stat().st_mode)[-3:] == "700"
    assert {oct(file.stat().st_mode)[-3:] for file in outbox.folder.iterdir()} == {"600"}
    receiver.got.clear()
    receiver.codes = [204, 500]
    assert notify([hook], "3", outbox)[0].endswith("HTTP 500 (2 undelivered)")
    assert notify([hook], "4", outbox) == []
    assert receiver.got == [*"12234"]
    assert list(outbox.folder.iterdir()) == []


def test_an_outbox_keeps_the_latest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "KEPT", 3)
    outbox, other = Outbox(tmp_path), shell("exit 4")
    told = [notify([FAILING, other], str(number), outbox) for number in range(12)]
    assert [len(lines) for lines in told] == [2, 2, 2, *[4] * 9]
    assert told[-1][1] == "command sh: 1 dropped, the oldest: 3 are kept"
    assert [file.read_text() for file in outbox.waiting(FAILING)] == ["9", "10", "11"]
    assert len(outbox.waiting(other)) == 3


def test_a_full_disk_does_not_keep_a_report_from_its_hook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = into(tmp_path / "got")
    full = OSError(28, "No space left on device")
    monkeypatch.setattr("os.fsync", Mock(side_effect=full))
    told = notify([hook], "1", Outbox(tmp_path / "outbox"))
    assert told == ["command sh: can't keep the report for a later try: No space left on device"]
    assert (tmp_path / "got").read_text() == "1"


def test_a_waiting_report_that_cannot_be_read_stops_none(tmp_path: Path) -> None:
    hook, outbox = into(tmp_path / "got"), Outbox(tmp_path / "outbox")
    outbox.add(hook, b"0")
    (waiting,) = outbox.waiting(hook)
    waiting.unlink()
    waiting.mkdir()
    (told,) = notify([hook], "1", outbox)
    assert told == f"command sh: {waiting}: Is a directory"
    assert (tmp_path / "got").read_text() == "1"


def test_a_run_that_ends_in_a_delivery_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """Nothing in notify handles it, as nothing handles a kill."""

    class Deadly(Command):
        def deliver(self, report: bytes) -> str:
            raise Killed

    monkeypatch.setattr(hooks, "KEPT", 1)  # nothing is dropped before it was tried
    words = into(tmp_path / "got").words
    with pytest.raises(Killed):
        notify([Deadly(words)], "1", Outbox(tmp_path / "outbox"))
    assert notify([Command(words)], "2", Outbox(tmp_path / "outbox")) == []
    assert (tmp_path / "got").read_text() == "12"
