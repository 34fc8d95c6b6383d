"""Private keys on a machine: who may read them, and the public half. The keys themselves stay."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass

from pyinfra.api.facts import FactBase

from facts.questions import answers, questions
from facts.record import Reading, Record, parsed, unknown

PKI = ("/etc/kubernetes/pki", "/etc/kubernetes/pki/etcd", "/var/lib/kubelet/pki")
# kubeadm's, kubelet's (a .pem holds both halves), what embeds a key, and sshd's own.
PATHS = (
    *(f"{folder}/*.key" for folder in PKI),
    f"{PKI[2]}/*.pem",
    "/etc/kubernetes/*.conf",
    "/etc/kubernetes/encryption/config.yaml",
    "/etc/ssh/ssh_host_*_key",
)
_PEM = re.compile(r"-----BEGIN PUBLIC KEY-----\n(.*?)-----END PUBLIC KEY-----", re.DOTALL)


@dataclass(frozen=True)
class KeyFile(Record):
    """``public_key_sha256`` is of the SubjectPublicKeyInfo, as in :mod:`facts.certificates`.

    It is None where nobody asked: kubeconfigs, SSH's keys, kubelet's former keys.
    """

    path: str
    mode: int
    owner: str
    group: str
    inode: str  # a link and its target have the same
    public_key_sha256: str | None


@dataclass(frozen=True)
class KeyFiles(Reading):
    """``unread`` also has each key that openssl could not read, by its path."""

    files: tuple[KeyFile, ...] | None = None

    def at(self, path: str) -> KeyFile | None:
        """The file at ``path``; None: it is not there, or nothing was read."""
        return next((file for file in self.files or () if file.path == path), None)


def parse(output: list[str]) -> KeyFiles:
    """Output of :class:`PrivateKeys`' command; ValueError on lines that it does not know."""
    asked = answers(output)
    if not asked:
        return PrivateKeys.default()
    if failure := asked["files"].failure:
        return KeyFiles(unread={"files": failure})
    head, *blocks = re.split(r"^==> ", asked["files"].output, flags=re.MULTILINE)
    public: dict[str, str] = {}
    unread: dict[str, str] = {}
    for block in blocks:
        path, _, text = block.partition("\n")
        if found := _PEM.fullmatch(text.strip()):
            der = base64.b64decode("".join(found[1].split()), validate=True)
            public[path] = hashlib.sha256(der).hexdigest()
        elif text.strip() == "unreadable":
            unread[path] = "openssl finds no private key in it"
        else:
            raise ValueError(f"expected a public key, met {text[:60]!r}")
    files = tuple(_file(line, public) for line in head.splitlines())
    if strange := (public.keys() | unread.keys()) - {file.path for file in files}:
        raise ValueError(f"nothing is known of {min(strange)!r} but its key")
    return KeyFiles(files=files, unread=unread)


def _file(line: str, public: dict[str, str]) -> KeyFile:
    found = re.fullmatch(r"file ([0-7]+) (\S+) (\S+) (\d+:\d+) (/.*)", line)
    if not found:
        raise ValueError(f"expected a file, met {line[:60]!r}")
    mode, owner, group, inode, path = found.groups()
    return KeyFile(path, int(mode, 8), owner, group, inode, public.get(path))


class PrivateKeys(FactBase[KeyFiles]):
    """Mode and owner of every private key of Kubernetes and sshd; of Kubernetes' the public half.

    .. code:: python

        host.get_fact(PrivateKeys).at("/etc/kubernetes/pki/sa.key").public_key_sha256
    """

    def command(self) -> str:
        # -passin: a key with a password is an error, not a question.
        script = (
            '[ "$(id -u)" = 0 ] || { echo not root >&2; exit 1; }\nset --\n'
            f'for f in {" ".join(PATHS)}; do [ ! -f "$f" ] || set -- "$@" "$f"; done\n'
            "[ $# -gt 0 ] || exit 0\n"
            "stat -Lc 'file %a %U %G %d:%i %n' -- \"$@\" || exit 1\n"
            'for f in "$@"; do case $f in *.key | *-current.pem)\n'
            "  printf '==> %s\\n' \"$f\"\n"
            '  openssl pkey -in "$f" -passin pass: -pubout 2>/dev/null || echo unreadable ;;\n'
            "esac; done"
        )
        return questions({"files": script}, seconds=20)

    @staticmethod
    def default() -> KeyFiles:
        return KeyFiles(unread=unknown("keys"))

    def process(self, output: list[str]) -> KeyFiles:
        return parsed("keys", parse, output)
