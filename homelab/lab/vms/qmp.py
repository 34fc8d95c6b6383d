"""QEMU's own socket: a fault has to take effect now, and its time has to be known.

https://www.qemu.org/docs/master/interop/qmp-spec.html
"""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from homelab.lab.errors import LabError

PATIENCE = 20.0  # seconds; emulated machines can be slow to answer while they boot


def ask(path: Path, command: str, **arguments: object) -> Any:
    """Make one call of the QEMU that listens at `path`; LabError if it refuses or is not there."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(PATIENCE)
            sock.connect(str(path))
            lines = _lines(sock)
            next(lines)  # its greeting
            _call(sock, lines, {"execute": "qmp_capabilities"})
            return _call(sock, lines, {"execute": command, "arguments": arguments})
    except (OSError, StopIteration) as error:
        raise LabError(f"no QEMU answers at {path}", str(error), "is the machine on?") from error


def _call(sock: socket.socket, lines: Iterator[Any], request: dict[str, object]) -> Any:
    sock.sendall(json.dumps(request).encode() + b"\n")
    for answer in lines:
        if "error" in answer:
            raise LabError(f"QEMU refuses {request['execute']}", answer["error"].get("desc", ""))
        if "return" in answer:  # all else are events
            return answer["return"]
    raise StopIteration


def _lines(sock: socket.socket) -> Iterator[Any]:
    with sock.makefile("r", encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)
