"""etcd membership by learners: a machine that is slow, killed or half joined never costs quorum.

A learner has no vote (etcd >= 3.4, etcd.io/docs/v3.4/learning/design-learner). It is announced
once; on any doubt the member list is read before anything is asked again, because MemberAdd may
not be repeated. It becomes a voter only when it is in sync: etcd itself refuses before.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence

from pyinfra.api import FactBase, StringCommand, operation

from operations import post_mortem
from operations.condition import Condition
from operations.kubeadm import CONFIG
from operations.step import script

PKI = "/etc/kubernetes/pki/etcd"
# initial-cluster of the machine's own start, kept so that its manifest stays the same for ever
INITIAL = "/var/lib/homelab/etcd-initial"


CERTIFICATES = f"--cacert={PKI}/ca.crt --cert={PKI}/server.crt --key={PKI}/server.key"


def etcdctl(endpoints: Sequence[str]) -> str:
    """etcdctl against ``endpoints`` (IPv4 addresses), with this machine's own certificate."""
    urls = ",".join(f"https://{address}:2379" for address in endpoints)
    return f"etcdctl --endpoints={urls} {CERTIFICATES} --dial-timeout=5s --command-timeout=60s"


def all_sound(ask: Sequence[str], spared: Sequence[str]) -> str:
    """Shell, to be run by itself: whether every member is healthy and votes, or who is not.

    Every member that is on the list, whoever is asked: one that is dead or wiped stays on it and
    counts for the quorum. ``spared`` are addresses of machines of which nothing is expected.
    """
    peers = " ".join(f"https://{address}:2380" for address in spared)
    others = f"awk -F', ' -v spared=' {peers} ' 'index(spared, \" \" $4 \" \") {{next}}"
    patience = f"{CERTIFICATES} --dial-timeout=3s --command-timeout=4s"
    return f"""list=$({etcdctl(ask)} --command-timeout=4s member list 2>&1) ||
    {{ echo "$list" | tail -n 1; exit 1; }}
bad=$(echo "$list" | {others}
    $2 != "started" || $6 != "false" {{print $4 " (" $2 ($6 == "true" ? ", learner)" : ")")}}')
[ -z "$bad" ] || {{ echo "does not vote:" $bad; exit 1; }}
urls=$(echo "$list" | {others} {{print $5}}' | paste -sd,)
[ -n "$urls" ] || {{ echo 'there are no others'; exit 0; }}
said=$(etcdctl --endpoints="$urls" {patience} endpoint health 2>&1) &&
    {{ echo 'all are healthy'; exit 0; }}
echo "$said" | grep 'is unhealthy' || echo "$said" | tail -n 1
exit 1"""


def leads(ctl: str) -> str:
    """Shell: whether the one member that ``ctl`` asks is the leader.

    By field names: the columns of ``endpoint status`` have moved between 3.5 and 3.6. The numbers
    are compared as text, because awk would round them.
    """
    return (
        f"{ctl} endpoint status -w fields 2>/dev/null | "
        'awk \'$1 == "\\"MemberID\\"" {me = "id" $3} $1 == "\\"Leader\\"" {leader = "id" $3} '
        "END {exit !me || me != leader}'"
    )


def heir(ctl: str, address: str) -> str:
    """Shell that prints a voter's id, not that of the member at ``address``; "" if there is none.

    ``member list`` has had the same columns since 3.4.
    """
    peer = f"https://{address}:2380"
    return (
        f"{ctl} member list | awk -F', ' -v u={peer} "
        '\'$4 != u && $2 == "started" && $6 == "false" {print $1; exit}\''
    )


def announce_script(name: str, address: str, others: Sequence[str]) -> str:
    """Make this machine a learner, or find what an earlier run made of it.

    ``etcdctl member list`` prints: id, status, name, peer URLs, client URLs, is learner.
    """
    ctl, peer = etcdctl(others), f"https://{address}:2380"
    return script(
        "end=$(( $(date +%s) + 120 ))",
        "while :; do",
        f"  {ctl} member list > /run/homelab-members",
        f"  mine=$(awk -F', ' -v u={peer} '$4 == u' /run/homelab-members)",
        "  status=$(echo \"$mine\" | awk -F', ' '{print $2}')",
        '  if [ -z "$mine" ]; then',
        "    rm -rf /var/lib/etcd/member /etc/kubernetes/manifests/etcd.yaml "
        "/etc/kubernetes/manifests/kube-*.yaml",
        f"    set -- add {name} --learner --peer-urls={peer}",
        # It was a member with data; the disk is new. A voter among healthy others, or a learner:
        # either can be taken out and announced again.
        '  elif [ "$status" = started ] && [ ! -d /var/lib/etcd/member ]; then',
        '    set -- remove "${mine%%,*}"',
        "  else break; fi",
        # No answer says nothing (a change that went to a leader who died is lost), and for 5 s
        # after a member came the answer is "unhealthy cluster": so look, and ask again if need be.
        f'  said=$({ctl} --command-timeout=10s member "$@" 2>&1) || {{',
        '    [ "$(date +%s)" -lt "$end" ] || { echo "$said" >&2; exit 1; }',
        "    sleep 1; }",
        "done",
        f"[ -e {INITIAL} ] && [ -d /var/lib/etcd/member ] || {{ mkdir -p /var/lib/homelab; "
        f"awk -F', ' -v u={peer} -v n={name} "
        "'{print ($4 == u ? n : $3) \"=\" $4}' /run/homelab-members | sort | paste -sd, "
        f"> {INITIAL}.new; mv -f {INITIAL}.new {INITIAL}; }}",
    )


@operation()
def announce(
    machine: str, address: str, others: Sequence[str]
) -> Generator[StringCommand, None, None]:
    """See :func:`announce_script`."""
    yield StringCommand(announce_script(machine, address, others))


class InitialCluster(FactBase[str]):
    """``initial-cluster`` that this machine's etcd was, or will be, started with; "" for the first.

    .. code:: python

        host.get_fact(InitialCluster)  # "cp1=https://10.77.0.11:2380,cp2=https://10.77.0.12:2380"
    """

    def command(self) -> str:
        return f"cat {INITIAL} 2>/dev/null || true"

    @staticmethod
    def default() -> str:
        return ""

    def process(self, output: list[str]) -> str:
        return "".join(output).strip()


def promote_lines(address: str, others: Sequence[str], seconds: int) -> list[str]:
    """Shell that makes this machine's etcd a voter, or says after a while why it is none."""
    ctl, peer = etcdctl(others), f"https://{address}:2380"
    manifest = "/etc/kubernetes/manifests/etcd.yaml"
    return [
        f"begin=$(date +%s); end=$(( begin + {seconds} )); shown=$begin",
        "while :; do",
        f"  mine=$({ctl} member list | awk -F', ' -v u={peer} '$4 == u')",
        '  case "$mine" in *", started, "*", false") break;; esac',
        f'  said=$({ctl} member promote "${{mine%%,*}}" 2>&1) && break',
        "  now=$(date +%s)",
        '  if [ "$now" -ge "$end" ]; then',
        f'    echo "etcd on {address} is not in sync after {seconds} s: $said" >&2',
        "    exit 1",
        "  fi",
        # kubelet has refused the pod once, or missed the file: show it again
        "  if [ $((now - shown)) -ge 30 ] && ! ss -Hltn 'sport = :2379' | grep -q .; then",
        f"    shown=$now; mv {manifest} /run/etcd.yaml; sleep 2; mv /run/etcd.yaml {manifest}",
        "  fi",
        "  sleep 0.2",
        "done",
    ]


@operation()
def start_and_promote(
    address: str,
    others: Sequence[str],
    patches: str,
    seconds: int,
    sound: Sequence[Condition] = (),
) -> Generator[StringCommand, None, None]:
    """Start this machine's etcd and make it a voter as soon as it is in sync.

    ``sound``: what a post-mortem asks if it does not get there.
    """
    start = f"kubeadm init phase etcd local --config {CONFIG} {patches}"
    joined = script(start, *promote_lines(address, others, seconds))
    yield StringCommand(post_mortem.after(joined, sound))
