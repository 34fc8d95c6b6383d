"""A real etcd with TLS on machines of a room, as kubeadm would lay it out."""

from __future__ import annotations

import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

from operations.etcd import INITIAL, PKI, announce_script, etcdctl
from tests.unit.operations.room import Machine, Room, eventually, tool

DATA = "/var/lib/etcd"
CERTIFICATES = """
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=etcd-ca \
    -keyout ca.key -out ca.crt
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=etcd \
    -keyout server.key -out server.csr
printf 'subjectAltName=%s\\nextendedKeyUsage=serverAuth,clientAuth\\n' "$NAMES" > extensions
openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 1 \
    -extfile extensions -out server.crt
"""


def make_certificates(folder: Path, addresses: list[str]) -> None:
    """One authority, and one certificate that is good for all members and clients."""
    folder.mkdir(parents=True)
    names = ",".join(f"IP:{address}" for address in ("127.0.0.1", *addresses))
    subprocess.run(
        ["sh", "-ec", CERTIFICATES], cwd=folder, env={"NAMES": names, "PATH": "/usr/bin:/bin"},
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip


@dataclass(frozen=True)
class Member:
    """One row of ``etcdctl member list``."""

    id: str
    status: str
    name: str
    peer: str
    learner: bool


class EtcdCluster:
    """Machines cp1, cp2, …; etcd runs on those that were started."""

    def __init__(self, room: Room, count: int) -> None:
        tool("etcd")
        tool("etcdctl")
        addresses = [f"10.99.0.{11 + number}" for number in range(count)]
        pki = room.folder / "pki"
        make_certificates(pki, addresses)
        self.machines = [room.machine(f"cp{n}", a) for n, a in enumerate(addresses, 1)]
        for machine in self.machines:
            for file in ("ca.crt", "server.crt", "server.key"):
                machine.write(f"{PKI}/{file}", (pki / file).read_text(), 0o600)
            machine.path(DATA).mkdir(mode=0o700)

    def found(self, *founders: Machine) -> None:
        """A new cluster of voters."""
        initial = ",".join(f"{m.name}=https://{m.address}:2380" for m in founders)
        for machine in founders:
            self._run(machine, initial, "new")
        for machine in founders:
            eventually(lambda m=machine: self.answers(m), f"etcd answers on {machine.name}")  # type: ignore[misc]

    def start(self, machine: Machine) -> None:
        """With whom it was announced."""
        self._run(machine, machine.read(INITIAL).strip(), "existing")
        eventually(lambda: self.answers(machine), f"etcd answers on {machine.name}")

    def _run(self, machine: Machine, initial: str, state: str) -> None:
        """As kubelet starts the pod of the manifest that kubeadm has written."""
        own, first = f"https://{machine.address}", machine == self.machines[0]
        alone = len(self.machines) < 3
        flags = {
            "name": machine.name,
            "data-dir": DATA,
            "initial-cluster": initial,
            "initial-cluster-state": state,
            "initial-advertise-peer-urls": f"{own}:2380",
            "listen-peer-urls": f"{own}:2380",
            "advertise-client-urls": f"{own}:2379",
            "listen-client-urls": f"{own}:2379" + (",https://127.0.0.1:2379" if first else ""),
            "client-cert-auth": "true",
            "trusted-ca-file": f"{PKI}/ca.crt",
            "cert-file": f"{PKI}/server.crt",
            "key-file": f"{PKI}/server.key",
            "peer-client-cert-auth": "true",
            "peer-trusted-ca-file": f"{PKI}/ca.crt",
            "peer-cert-file": f"{PKI}/server.crt",
            "peer-key-file": f"{PKI}/server.key",
            # this machine may be busy with other tests; who is alone can't lose an election
            "heartbeat-interval": "100" if alone else "300",
            "election-timeout": "1000" if alone else "3000",
        }
        words = " ".join(f"--{name}={shlex.quote(value)}" for name, value in flags.items())
        machine.does(
            "setsid sh -c 'echo $$ > /run/etcd.pid; exec etcd \"$@\" >/run/etcd.log 2>&1' "
            f"etcd {words} >/dev/null 2>&1 </dev/null &"
        )

    def answers(self, machine: Machine) -> bool:
        """Whether it serves; a learner serves no linear reads, but tells its status."""
        return machine.sh(f"{etcdctl([machine.address])} endpoint status").code == 0

    def stop(self, machine: Machine) -> None:
        """As a power cut does it."""
        machine.does("kill -KILL $(cat /run/etcd.pid)")
        listens = f"ss -Hltn src {machine.address} | grep -q ."
        eventually(lambda: machine.sh(listens).code != 0, f"etcd is dead on {machine.name}")

    def members(self) -> dict[str, Member]:
        """By address, as the first machine sees them."""
        listed = self.machines[0].does(f"{etcdctl([self.machines[0].address])} member list")
        found = [line.split(", ") for line in listed.splitlines()]
        rows = [Member(row[0], row[1], row[2], row[3], row[5] == "true") for row in found]
        return {row.peer.removeprefix("https://").removesuffix(":2380"): row for row in rows}

    def announce(self, machine: Machine) -> None:
        """The deploy's own script, asking all machines before this one."""
        others = [m.address for m in self.machines[: self.machines.index(machine)]]
        machine.does(announce_script(machine.name, machine.address, others))
