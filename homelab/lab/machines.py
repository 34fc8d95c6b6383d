"""Make the node containers: what they are, for the Vagrantfile, and Vagrant to bring them up."""

import json
import re
import shutil
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from homelab.lab import processes
from homelab.lab.access import Settings
from homelab.lab.capabilities import of_this_machine
from homelab.lab.containers import Containers
from homelab.lab.daemon import Daemon
from homelab.lab.disks import Disk
from homelab.lab.errors import LabError
from homelab.lab.faults import Lab
from homelab.lab.paths import REPO, Paths, ssh_key
from homelab.lab.plan import GATEWAY, SUBNET, Machine
from homelab.lab.progress import step
from homelab.lab.shell import run

UNCONFINED = ("seccomp=unconfined", "apparmor=unconfined", "systempaths=unconfined")
LABEL = "homelab.lab"
SSH_PATIENCE = 60.0
COPY_PATIENCE = 60.0


def network(paths: Paths) -> str:
    """The name of the lab's Docker network."""
    return f"homelab-{paths.name}"


def label(paths: Paths) -> str:
    """The label of the lab's containers."""
    return f"{LABEL}={paths.name}"


def create_args(paths: Paths, capabilities: list[str]) -> list[str]:
    """Docker's arguments that make a container out of which systemd makes a machine."""
    return [
        *(f"--cap-add={name}" for name in capabilities),
        *(f"--security-opt={option}" for option in UNCONFINED),
        "--device-cgroup-rule=a *:* rwm",
        "--cgroupns=private",
        *("--tmpfs=/run", "--tmpfs=/tmp:exec"),
        "--stop-signal=RTMIN+3",  # systemd's "halt"
        "--env=container=docker",
        f"--network={network(paths)}",
        f"--label={label(paths)}",
    ]


def volume(lab: str, machine: str) -> str:
    """The name of the volume that is a machine's /var."""
    return f"{lab}-{machine}-var"


def volumes(paths: Paths, machine: Machine) -> list[str]:
    """/var is a volume, as containerd's overlays can't lie on Docker's; etcd's disk is its own."""
    return [
        f"{volume(paths.name, machine.name)}:/var",
        f"{Disk(paths.state, machine.name).mounted}:/var/lib/etcd",
    ]


def describe(paths: Paths, settings: Settings) -> None:
    """Write machines.json."""
    more: dict[str, object] = {
        "private_key": str(ssh_key()),
        "create_args": create_args(paths, of_this_machine()),
        "volumes": {machine.name: volumes(paths, machine) for machine in settings.machines},
    }
    settings.write(paths.machines_file, more)


def import_image(daemon: Daemon, tar: Path) -> str:
    """Give the node image to the lab's daemon, once; return its name."""
    tag = f"homelab-node:{tar.parent.name.rpartition('-')[2]}"
    if "Id" not in daemon.docker.ask("GET", f"/images/{tag}/json", fine=(404,)):
        with step("import the node image", usual=15):
            run(["docker", "import", tar, tag], env=daemon.environment())
    return tag


def make_network(daemon: Daemon) -> None:
    """Make the lab's network if it is missing."""
    name = network(daemon.paths)
    if "Id" in daemon.docker.ask("GET", f"/networks/{name}", fine=(404,)):
        return
    filters = json.dumps({"label": [LABEL]})
    for other in daemon.docker.ask("GET", "/networks", {"filters": filters}):
        what = f"the lab {other['Labels'][LABEL]!r} has these addresses in the same Docker daemon"
        raise LabError(what, "", "one lab in it at a time: leave out --daemon machine")
    body = {
        "Name": name,
        "Driver": "bridge",
        "Labels": {LABEL: daemon.paths.name},
        "IPAM": {"Config": [{"Subnet": str(SUBNET), "Gateway": str(GATEWAY)}]},
    }
    daemon.docker.ask("POST", "/networks/create", body=body)


def missing(daemon: Daemon, wanted: Iterable[Machine]) -> list[str]:
    """Which machines have still to be made."""
    lab = daemon.paths.name
    return [one.name for one in wanted if not daemon.docker.inspect(f"{lab}-{one.name}")]


def bring_up(lab: Containers) -> None:
    """Make the missing machines with Vagrant, switch on those that are off, wait for SSH."""
    forget_killed(lab)
    for machine in lab.machines():
        Disk(lab.paths.state, machine.name).attach()
    states = {machine.name: lab.state(machine.name) for machine in lab.machines()}
    made = [name for name, state in states.items() if state == "missing"]
    if made:
        with step(f"make {', '.join(made)} with Vagrant", usual=5 * len(made)):
            vagrant(lab, "up", "--no-parallel", "--provider", "docker", *made)
    for name, state in states.items():
        if state == "off":
            lab.start(name)
    with step("wait for SSH on every machine"), ThreadPoolExecutor() as pool:
        waits = [
            pool.submit(wait_for_ssh, lab, machine.name)
            for machine in lab.machines()
            if states[machine.name] not in ("frozen", "cut")
        ]
        for wait in waits:
            wait.result()


def forget_killed(lab: Containers) -> None:
    """End and remove what a killed `up` left half done, and machines nobody wants any more."""
    home = Path(lab.environment()["VAGRANT_HOME"])
    processes.end(lambda pid: processes.started_for(pid, home))
    wanted = {machine.name for machine in lab.machines()}
    for container in lab.docker.containers(label(lab.paths)):
        name = container["Labels"]["homelab.machine"]
        if name not in wanted or container["State"] == "created":
            lab.docker.remove(container["Id"])
            wanted.add(name)
    for name in wanted:
        if not lab.docker.inspect(f"{lab.name}-{name}"):
            remove_disks(lab, name)


def remove_disks(lab: Containers, name: str) -> None:
    """Throw away the disks of a machine that is not there: a new one comes with empty ones."""
    Disk(lab.paths.state, name).remove()
    path, deadline = f"/volumes/{volume(lab.name, name)}", time.monotonic() + COPY_PATIENCE
    while "Name" in lab.docker.ask("GET", path, fine=(404,)):
        # Docker goes on filling a volume for a killed program; until then it is "in use" (409).
        lab.docker.ask("DELETE", path, fine=(404, 409))
        if found := lab.docker.inspect(f"{lab.name}-{name}"):
            lab.docker.remove(found["Id"])
        if time.monotonic() > deadline:
            raise LabError(f"the volume of {name} stays in use", "", "run `lab down`, then `up`")
        time.sleep(0.1)


def wait_for_ssh(lab: Lab, name: str, patience: float = SSH_PATIENCE) -> None:
    """Wait until a machine's systemd says that it is up, asked over SSH; LabError after so long."""
    deadline = time.monotonic() + patience
    said = ""
    while time.monotonic() < deadline:
        done = lab.ssh(name, "systemctl is-system-running", timeout=patience)
        said = done.stdout.strip() or done.stderr.strip()
        if done.stdout.strip() in ("running", "degraded"):
            return
        time.sleep(0.2)
    raise LabError(f"{name} is not up after {patience:g} s", said, "look at `lab logs`")


def vagrant(lab: Lab, *argv: str) -> None:
    """Run Vagrant where the machines are."""
    log = lab.paths.logs / "vagrant.log"
    run(lab.nsenter(["vagrant", *argv]), log=log, env=lab.environment(), cwd=REPO)


def remove(lab: Containers) -> None:
    """Remove all containers, volumes and the network of a lab from its daemon."""
    for container in lab.docker.containers(label(lab.paths)):
        lab.docker.remove(container["Id"])
    filters = json.dumps({"name": [f"{lab.name}-"]})
    found = lab.docker.ask("GET", "/volumes", {"filters": filters})["Volumes"] or []
    ours = re.compile(volume(re.escape(lab.name), "[a-z]+[0-9]+"))
    for name in (entry["Name"] for entry in found):
        if ours.fullmatch(name):
            lab.docker.ask("DELETE", f"/volumes/{name}", fine=(404,))
    lab.docker.ask("DELETE", f"/networks/{network(lab.paths)}", fine=(404,))
    if lab.settings:  # 409: another lab in the same daemon uses it
        lab.docker.ask("DELETE", f"/images/{lab.settings.image}", fine=(404, 409))
    shutil.rmtree(lab.paths.seen_by_vagrant, ignore_errors=True)
