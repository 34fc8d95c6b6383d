"""Attempts over TCP, TLS and HTTP; each on a connection of its own."""

from __future__ import annotations

import asyncio
import ssl
from urllib.parse import urlsplit

from homelab.probe.pace import Try


def connect(address: str, port: int) -> Try:
    """Is anybody at ``address`` taking connections at all?"""

    async def attempt() -> str:
        _, writer = await asyncio.open_connection(address, port)
        writer.transport.abort()
        return "connected"

    return attempt


def get(
    url: str,
    *,
    address: str | None = None,
    context: ssl.SSLContext | None = None,
) -> Try:
    """GET ``url``, by way of ``address`` if given; anything but status 200 is a failure.

    The TLS session is never resumed: each attempt pays for a whole handshake, as a new client.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    secure = parts.scheme == "https"
    request = f"GET {parts.path or '/'} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"

    async def attempt() -> str:
        reader, writer = await asyncio.open_connection(
            address or host,
            port,
            ssl=(context or ssl.create_default_context()) if secure else None,
            server_hostname=host if secure else None,
        )
        try:
            writer.write(request.encode())
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            status = head.split(" ", 2)[1]
            body = (await reader.read(200)).decode(errors="replace").strip()
        finally:
            writer.transport.abort()
        if status != "200":
            raise ValueError(f"HTTP {status} {body[:80]}")
        return body[:80]

    return attempt
