"""HAProxy's own view of its backends, through its stats socket.

Columns: management.txt 9.1 "CSV format" and 9.3 "show info".
"""

from __future__ import annotations

import csv
import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from pyinfra.api.facts import FactBase

from facts.questions import answers, questions
from facts.record import Reading, Record, parsed, unknown

SOCKET = "/run/haproxy/admin.sock"


@dataclass(frozen=True)
class Server(Record):
    """One server of a backend. Times in the unit of their names."""

    backend: str
    name: str
    address: str
    status: str  # "UP", "DOWN", "UP 1/3" (going down), "DOWN 1/2" (going up), "no check", "MAINT"
    check: str  # "L7OK", "L4CON" (refused), "L4TOUT", …; "" before the first one
    check_code: int | None  # HTTP status of the last check
    check_ms: int | None
    last_check: str  # the check's own words
    failed_checks: int
    times_down: int
    since_s: int  # last change of status
    sessions: int  # now
    sessions_total: int

    @property
    def up(self) -> bool:
        """Gets traffic, though it may be failing its checks just now ("UP 1/3")."""
        return self.status.split(" ")[0] == "UP" or self.status == "no check"


@dataclass(frozen=True)
class Proxy(Record):
    """The sum of a frontend ("OPEN", "STOP") or backend ("UP", "DOWN")."""

    name: str
    kind: str  # "FRONTEND" or "BACKEND"
    status: str
    sessions: int
    sessions_total: int


@dataclass(frozen=True)
class HAProxyState(Reading):
    version: str | None = None
    pid: int | None = None
    uptime_s: int | None = None
    connections: int | None = None
    stopping: bool | None = None
    servers: tuple[Server, ...] | None = None
    proxies: tuple[Proxy, ...] | None = None

    def backend(self, name: str) -> tuple[Server, ...]:
        return tuple(server for server in self.servers or () if server.backend == name)


def parse(output: list[str]) -> HAProxyState:
    """Output of :class:`HAProxy`'s command; ValueError and the like on garbage."""
    asked = answers(output)
    if not asked:
        return HAProxy.default()
    unread = {name: answer.failure for name, answer in asked.items() if answer.failure}
    info: Mapping[str, str] = {}
    if "info" not in unread:
        info = _info(asked["info"].output)
    rows = None if "stat" in unread else _rows(asked["stat"].output)
    return HAProxyState(
        version=info.get("Version"),
        pid=_number(info.get("Pid")),
        uptime_s=_number(info.get("Uptime_sec")),
        connections=_number(info.get("CurrConns")),
        stopping=bool(int(info["Stopping"])) if "Stopping" in info else None,
        servers=None if rows is None else tuple(_server(row) for row in rows if _is_server(row)),
        proxies=None if rows is None else tuple(_proxy(r) for r in rows if not _is_server(r)),
        unread=unread,
    )


def _info(text: str) -> dict[str, str]:
    values = dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)
    if "Version" not in values:
        raise ValueError(f"expected HAProxy's info, met {text[:60]!r}")
    return values


def _rows(text: str) -> list[dict[str, str]]:
    if not text.startswith("# pxname,svname,"):
        raise ValueError(f"expected HAProxy's statistics, met {text[:60]!r}")
    return list(csv.DictReader(text.removeprefix("# ").splitlines()))


def _is_server(row: Mapping[str, str]) -> bool:
    return row["svname"] not in ("FRONTEND", "BACKEND")


def _number(value: str | None) -> int | None:
    return int(value) if value else None


def _server(row: Mapping[str, str]) -> Server:
    return Server(
        backend=row["pxname"],
        name=row["svname"],
        address=row["addr"],
        status=row["status"],
        check=row["check_status"].removeprefix("* "),  # "* ": one is under way
        check_code=_number(row["check_code"]),
        check_ms=_number(row["check_duration"]),
        last_check=row["last_chk"] or row["check_desc"],
        failed_checks=_number(row["chkfail"]) or 0,
        times_down=_number(row["chkdown"]) or 0,
        since_s=_number(row["lastchg"]) or 0,
        sessions=int(row["scur"]),
        sessions_total=int(row["stot"]),
    )


def _proxy(row: Mapping[str, str]) -> Proxy:
    return Proxy(row["pxname"], row["svname"], row["status"], int(row["scur"]), int(row["stot"]))


_PYTHON = (
    "import socket,sys; s=socket.socket(socket.AF_UNIX); s.settimeout(5); "
    "s.connect(sys.argv[1]); s.sendall(sys.argv[2].encode()+b'\\n'); "
    "[sys.stdout.write(b.decode()) for b in iter(lambda: s.recv(65536), b'')]"
)


class HAProxy(FactBase[HAProxyState]):
    """Frontends, backends and their servers, asked with socat or Python, whichever is there.

    .. code:: python

        [server.name for server in host.get_fact(HAProxy).backend("api") if not server.up]
    """

    def command(self, socket: str = SOCKET) -> str:
        path = shlex.quote(socket)

        def ask(what: str) -> str:
            return (
                "if command -v socat >/dev/null; "
                f"then echo '{what}' | socat -t 5 - UNIX-CONNECT:{path}; "
                f"else python3 -c {shlex.quote(_PYTHON)} {path} '{what}'; fi"
            )

        return questions({"info": ask("show info"), "stat": ask("show stat")})

    @staticmethod
    def default() -> HAProxyState:
        return HAProxyState(unread=unknown("haproxy"))

    def process(self, output: list[str]) -> HAProxyState:
        return parsed("haproxy", parse, output)
