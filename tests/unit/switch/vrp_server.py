"""The SSH side of it: paramiko's server, a terminal with echo, one thread a connection."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

import paramiko
from paramiko.common import AUTH_FAILED, AUTH_SUCCESSFUL, OPEN_SUCCEEDED

from tests.unit.switch.vrp_switch import Switch, Terminal

PASSWORD = "not-in-any-log"
HOST_KEY = paramiko.ECDSAKey.generate()


class _Login(paramiko.ServerInterface):
    def check_auth_password(self, username: str, password: str) -> int:
        good = (username, password) == ("admin", PASSWORD)
        return AUTH_SUCCESSFUL if good else AUTH_FAILED

    def get_allowed_auths(self, username: str) -> str:
        return "password"

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return OPEN_SUCCEEDED

    def check_channel_pty_request(self, *_: object) -> bool:
        return True

    def check_channel_shell_request(self, channel: paramiko.Channel) -> bool:
        return True


class Server:
    """Listens on a port of its own on loopback; a context, which ends every connection."""

    def __init__(self, switch: Switch) -> None:
        self.switch = switch
        self.logins = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._transports: list[paramiko.Transport] = []
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Server:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for transport in self._transports:
            transport.close()
        for thread in self._threads:
            thread.join(timeout=10)

    def _start(self, target: object, *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:  # closed: the test is over
                return
            if self.switch.down:
                client.close()
            else:
                self._start(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        transport = paramiko.Transport(client)
        self._transports.append(transport)
        transport.add_server_key(HOST_KEY)
        with suppress(paramiko.SSHException, EOFError, OSError):
            transport.start_server(server=_Login())
            channel = transport.accept(20)
            if channel is not None:
                self.logins += 1
                self._talk(channel)
        transport.close()

    def _talk(self, channel: paramiko.Channel) -> None:
        terminal = Terminal(self.switch)
        reboots = self.switch.reboots
        channel.sendall(b"\r\nInfo: The max number of VTY users is 5.\r\n" + _wire(terminal.prompt))
        buffer = b""
        while not terminal.over:
            data = channel.recv(4096)
            if not data:
                return
            buffer += data
            while b"\n" in buffer.replace(b"\r", b"\n") and not terminal.over:
                line, _, buffer = buffer.replace(b"\r", b"\n").partition(b"\n")
                if self.switch.down or self.switch.reboots != reboots:
                    return
                answer = terminal.typed(line.decode())
                if terminal.over:
                    return
                channel.sendall(line + b"\r\n" + _wire(answer))


def _wire(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode()
