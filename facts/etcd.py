"""etcd as one machine's own member sees it: who belongs to it, and is it well.

JSON shapes: etcd/etcdctl/ctlv3/command/printer_json.go of 3.4 (ids are unsigned numbers there,
hexadecimal in etcd's log and in ``member promote``; fields that are zero are left out).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pyinfra.api.facts import FactBase

from facts.questions import answers, questions
from facts.record import Reading, Record, parsed, unknown

PKI = "/etc/kubernetes/pki/etcd"
LOCAL = "https://127.0.0.1:2379"
ALARMS = {1: "NOSPACE", 2: "CORRUPT"}  # etcdserverpb.AlarmType


@dataclass(frozen=True)
class Member(Record):
    """One line of the member list. A member that was announced but never ran has no name."""

    id: str  # hexadecimal, as etcdctl takes it
    name: str
    peer_urls: tuple[str, ...]
    client_urls: tuple[str, ...]
    is_learner: bool

    @property
    def started(self) -> bool:
        """It has been in touch at least once; says nothing about now."""
        return bool(self.name)


@dataclass(frozen=True)
class Status(Record):
    """One endpoint's own state. Sizes in bytes; ``leader`` is "0" without a quorum."""

    endpoint: str
    member: str
    leader: str
    version: str
    db_size: int
    db_size_in_use: int | None
    raft_index: int
    raft_term: int
    revision: int
    is_learner: bool
    errors: tuple[str, ...]

    @property
    def is_leader(self) -> bool:
        return self.leader != "0" and self.leader == self.member


@dataclass(frozen=True)
class Health(Record):
    """Whether an endpoint could serve a linearizable read just now, so knew a quorum."""

    endpoint: str
    healthy: bool
    took: str
    error: str


@dataclass(frozen=True)
class Alarm(Record):
    member: str
    alarm: str


@dataclass(frozen=True)
class EtcdState(Reading):
    """``unread`` has the parts that etcd or etcdctl did not give, and why.

    ``statuses`` has only the endpoints that answered; the silent ones are in ``unread``.
    """

    members: tuple[Member, ...] | None = None
    statuses: tuple[Status, ...] | None = None
    healths: tuple[Health, ...] | None = None
    alarms: tuple[Alarm, ...] | None = None

    @property
    def healthy(self) -> bool | None:
        """All asked endpoints are healthy and there is no alarm; None: cannot tell."""
        if self.alarms or not all(health.healthy for health in self.healths or ()):
            return False
        return None if self.alarms is None or not self.healths else True

    def member(self, name: str) -> Member | None:
        """The member called ``name``, as machines are; None if unread or not a member."""
        return next((member for member in self.members or () if member.name == name), None)

    def status(self, endpoint: str = LOCAL) -> Status | None:
        return next((status for status in self.statuses or () if status.endpoint == endpoint), None)


def parse(output: list[str]) -> EtcdState:
    """Output of :class:`Etcd`'s command; ValueError and the like on garbage."""
    asked = answers(output)
    if not asked:
        return Etcd.default()
    unread: dict[str, str] = {}

    def read(name: str) -> Any:
        failure = asked[name].failure
        if failure:
            unread[name] = failure
        # etcdctl prints what it has of several endpoints and exits with 1 for the silent ones.
        partial = name in ("statuses", "healths") and asked[name].output.startswith("[")
        return None if failure and not partial else asked[name].json()

    members, statuses, healths, alarms = map(read, ("members", "statuses", "healths", "alarms"))
    if healths is not None:
        unread.pop("healths", None)  # exit code 1 is its way to say "not healthy"
    return EtcdState(
        members=None if members is None else tuple(map(_member, members["members"])),
        statuses=None if statuses is None else tuple(map(_status, statuses)),
        healths=None if healths is None else tuple(map(_health, healths)),
        alarms=None if alarms is None else tuple(map(_alarm, alarms.get("alarms") or ())),
        unread=unread,
    )


def _member(item: Mapping[str, Any]) -> Member:
    return Member(
        id=f"{item['ID']:x}",
        name=item.get("name", ""),
        peer_urls=tuple(item.get("peerURLs", ())),
        client_urls=tuple(item.get("clientURLs", ())),
        is_learner=bool(item.get("isLearner", False)),
    )


def _status(item: Mapping[str, Any]) -> Status:
    status = item["Status"]
    header = status["header"]
    return Status(
        endpoint=item["Endpoint"],
        member=f"{header['member_id']:x}",
        leader=f"{status.get('leader', 0):x}",
        version=status["version"],
        db_size=int(status["dbSize"]),
        db_size_in_use=status.get("dbSizeInUse"),
        raft_index=int(status["raftIndex"]),
        raft_term=int(status["raftTerm"]),
        revision=int(header["revision"]),
        is_learner=bool(status.get("isLearner", False)),
        errors=tuple(status.get("errors", ())),
    )


def _health(item: Mapping[str, Any]) -> Health:
    return Health(item["endpoint"], bool(item["health"]), item["took"], item.get("error", ""))


def _alarm(item: Mapping[str, Any]) -> Alarm:
    number = item.get("alarm", 0)
    return Alarm(f"{item['memberID']:x}", ALARMS.get(number, str(number)))


class Etcd(FactBase[EtcdState]):
    """Members, status, health and alarms, through the member on this machine.

    ``endpoints``, comma-separated, asks others as well (status and health are then given for
    each); ``seconds`` is what one endpoint may take. A learner refuses all but its status.

    .. code:: python

        state = host.get_fact(Etcd)
        state.healthy and len(state.members)
    """

    def command(self, endpoints: str = LOCAL, seconds: int = 3) -> str:
        ctl = (
            f"ETCDCTL_API=3 etcdctl --endpoints={endpoints} --cacert={PKI}/ca.crt "
            f"--cert={PKI}/healthcheck-client.crt --key={PKI}/healthcheck-client.key "
            f"--dial-timeout={seconds}s --command-timeout={seconds}s -w json"
        )
        # Endpoints are asked one after the other.
        patience = seconds * (endpoints.count(",") + 1) + 2
        return questions(
            {
                "members": f"{ctl} member list",
                "statuses": f"{ctl} endpoint status",
                "healths": f"{ctl} endpoint health",
                "alarms": f"{ctl} alarm list",
            },
            patience,
        )

    @staticmethod
    def default() -> EtcdState:
        return EtcdState(unread=unknown("etcd"))

    def process(self, output: list[str]) -> EtcdState:
        return parsed("etcd", parse, output)
