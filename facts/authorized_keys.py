"""Lines of authorized_keys: who holds the private half gets in.

sshd(8), "AUTHORIZED_KEYS FILE FORMAT": options (no spaces but in quotes), type, base64, comment.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass

from facts.record import Record

_TYPE = re.compile(r"(?:ssh|ecdsa|sk)-[a-zA-Z0-9@.-]+")
_WORD = re.compile(r'\s*((?:"(?:\\.|[^"\\])*"|[^\s"])+)')


@dataclass(frozen=True)
class PublicKey(Record):
    """One line. ``fingerprint`` is as `ssh-keygen -l` shows it: "SHA256:…"."""

    type: str  # "ssh-ed25519"
    fingerprint: str
    comment: str
    options: str  # 'restrict,command="…"'; empty: none


@dataclass(frozen=True)
class AuthorizedKey(PublicKey):
    """Where a key lets in."""

    user: str
    file: str


def public_key(line: str) -> PublicKey:
    """A line of authorized_keys, or of a .pub file; ValueError if sshd would pass over it."""
    words = list(_WORD.finditer(line))
    first = 0 if words and _TYPE.fullmatch(words[0][1]) else 1
    if len(words) < first + 2:
        raise ValueError("holds no public key")
    kind, blob = words[first][1], words[first + 1]
    return PublicKey(
        type=kind,
        fingerprint=_fingerprint(kind, blob[1]),
        comment=line[blob.end() :].strip(),
        options=words[0][1] if first else "",
    )


def _fingerprint(kind: str, text: str) -> str:
    """RFC 4253, 6.6: the blob begins with its own type, four bytes of length before it."""
    try:
        blob = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise ValueError("holds no public key") from error
    if blob[4 : 4 + int.from_bytes(blob[:4])] != kind.encode():
        raise ValueError(f"holds a key that is no {kind}")
    digest = base64.b64encode(hashlib.sha256(blob).digest()).decode()
    return "SHA256:" + digest.rstrip("=")
