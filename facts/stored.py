"""How Secrets lie in etcd: their first bytes tell whether, and by what, they are encrypted.

https://kubernetes.io/docs/tasks/administer-cluster/encrypt-data/ ("Verify that newly written data
is encrypted"): an encrypted value begins with ``k8s:enc:<provider>:v1:<key name>:``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pyinfra.api.facts import FactBase

from facts.etcd import LOCAL, PKI
from facts.questions import answers, questions
from facts.record import Reading, parsed, unknown

PLAIN = "plain"


@dataclass(frozen=True)
class StoredSecrets(Reading):
    """``providers`` by the Secret's name ("namespace/name"): "secretbox:key1", or "plain"."""

    providers: dict[str, str] | None = None

    @property
    def plain(self) -> tuple[str, ...]:
        return tuple(
            sorted(n for n, provider in (self.providers or {}).items() if provider == PLAIN)
        )


def parse(output: list[str]) -> StoredSecrets:
    """Output of :class:`Stored`'s command; ValueError on lines that it does not know."""
    asked = answers(output)
    if not asked:
        return Stored.default()
    if failure := asked["secrets"].failure:
        return StoredSecrets(unread={"secrets": failure})
    found: dict[str, str] = {}
    for line in asked["secrets"].output.splitlines():
        secret = re.fullmatch(r"/registry/secrets/(\S+) (k8s:enc:(\S+):v\d:(\S+?):|plain)", line)
        if not secret:
            raise ValueError(f"expected a Secret's first bytes, met {line[:60]!r}")
        found[secret[1]] = PLAIN if secret[2] == PLAIN else f"{secret[3]}:{secret[4]}"
    return StoredSecrets(providers=found)


# Keys and values come base64 in JSON; only the head of each value is looked at, and only its words
# leave the machine. etcd 3.4 has no way to ask for a part of a value.
_READ = """import base64, json, re, sys
for item in json.load(sys.stdin).get("kvs") or ():
    key, head = base64.b64decode(item["key"]).decode(), base64.b64decode(item["value"])[:80]
    found = re.match(rb"k8s:enc:[a-z0-9]+:v\\d:[^:\\s]+:", head)
    print(key, found[0].decode() if found else "plain")
"""


class Stored(FactBase[StoredSecrets]):
    """At most ``limit`` Secrets, the latest written first.

    .. code:: python

        host.get_fact(Stored).plain
    """

    def command(self, limit: int = 200) -> str:
        ctl = (
            f"ETCDCTL_API=3 etcdctl --endpoints={LOCAL} --cacert={PKI}/ca.crt "
            f"--cert={PKI}/healthcheck-client.crt --key={PKI}/healthcheck-client.key "
            "--command-timeout=5s -w json"
        )
        # In two steps, so that etcdctl's failure is not hidden by the pipe.
        return questions(
            {
                "secrets": f"said=$({ctl} get /registry/secrets/ --prefix --limit={int(limit)} "
                "--sort-by=MODIFY --order=DESCEND) || exit 1\n"
                f"printf %s \"$said\" | python3 -c '{_READ}'"
            }
        )

    @staticmethod
    def default() -> StoredSecrets:
        return StoredSecrets(unread=unknown("secrets"))

    def process(self, output: list[str]) -> StoredSecrets:
        return parsed("stored", parse, output)
