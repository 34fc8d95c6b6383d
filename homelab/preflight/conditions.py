"""What must hold before anything is changed. Pure: surveys in, problems out, all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from homelab.documents.network import mac
from homelab.preflight.survey import Survey
from homelab.site import derived
from homelab.site.model import Machine, Site

DEBIANS = ("12", "13")
KERNEL = (5, 10)  # Cilium's floor for kube-proxy replacement; Debian 12 has 6.1
CORES = 2  # kubeadm's own preflight (app/constants: ControlPlaneNumCPU)
MEMORY_KIB = 1700 * 1024  # kubeadm: ControlPlaneMem 1700 MB
ETCD_KIB = 512 * 1024  # room for a young cluster; etcd's quota is 2 GiB
IMAGES_KIB = 4 * 1024 * 1024
SKEW_S = 2.0  # far below certificate and lease tolerances; NTP keeps milliseconds

# Processes that may hold our ports: those that this deploy itself starts.
OWN = {"kube-apiserver", "etcd", "haproxy", "kubelet", "kube-proxy", "kube-scheduler",
       "kube-controller"}  # fmt: skip


@dataclass(frozen=True)
class Problem:
    """One thing that stands in the way. ``fatal`` ones stop the run; others are warnings."""

    machine: str
    condition: str
    value: str
    mend: str
    fatal: bool = True

    def __str__(self) -> str:
        return f"{self.machine}: {self.condition}: {self.value}. {self.mend}"


@dataclass(frozen=True)
class View:
    """One machine beside all others."""

    site: Site
    machine: Machine
    survey: Survey
    all: Mapping[str, Survey]

    def problem(self, condition: str, value: object, mend: str, fatal: bool = True) -> Problem:
        return Problem(self.machine.name, condition, str(value), mend, fatal)


Condition = Callable[[View], Iterator[Problem]]

# One problem in two lines: condition and value, then how to mend it.
# fmt: off


def privileges(view: View) -> Iterator[Problem]:
    if view.survey.uid != 0:
        yield view.problem("root", f"commands run as {view.survey.user!r}",
                           "Let the ssh_user use sudo without a password, or log in as root.")


def debian(view: View) -> Iterator[Problem]:
    system = f"{view.survey.os} {view.survey.os_version}"
    if view.survey.os != "debian" or view.survey.os_version.split(".")[0] not in DEBIANS:
        yield view.problem("operating system", system, "Install Debian 12 or 13.")
    if view.survey.arch != "x86_64":
        yield view.problem("architecture", view.survey.arch, "The pinned artefacts are for x86_64.")
    kernel = tuple(int("".join(c for c in part if c in "0123456789") or 0)
                   for part in view.survey.kernel.split("-")[0].split(".")[:2])
    if kernel < KERNEL:
        yield view.problem("kernel", view.survey.kernel,
                           "Boot Debian's current kernel (5.10 or later).")


def cgroups(view: View) -> Iterator[Problem]:
    if view.survey.cgroup == "cgroup2fs":
        return
    # kubelet refuses cgroup v1 from 1.35 (KEP-5573); before that it is in maintenance mode.
    fatal = derived.version(view.site) >= (1, 35, 0)
    yield view.problem("cgroup v2", f"/sys/fs/cgroup is {view.survey.cgroup}",
                       "Boot without systemd.unified_cgroup_hierarchy=0.", fatal)


def size(view: View) -> Iterator[Problem]:
    if view.machine not in derived.control_planes(view.site):
        return
    if view.survey.cores < CORES:
        yield view.problem("cores", view.survey.cores, f"A control plane needs {CORES}.")
    if view.survey.memory < MEMORY_KIB:
        yield view.problem("memory", f"{view.survey.memory // 1024} MiB",
                           f"A control plane needs {MEMORY_KIB // 1024} MiB.")


def disk_space(view: View) -> Iterator[Problem]:
    need = {"/var/lib/containerd": IMAGES_KIB}
    if view.machine in derived.control_planes(view.site):
        need["/var/lib/etcd"] = ETCD_KIB
    if view.survey.membership(view.site.name) == "ours":
        need = dict.fromkeys(need, 64 * 1024)  # its images and data are there already
    for path, floor in need.items():
        free = view.survey.free.get(path, 0)
        if free < floor:
            yield view.problem(f"free disk for {path}", f"{free // 1024} MiB",
                               f"Free at least {floor // 1024} MiB there (sudo df -h {path}).")


def disk_speed(view: View) -> Iterator[Problem]:
    p99 = view.survey.disk_p99_ms
    if p99 is not None and p99 > view.site.disk_p99_ms:
        yield view.problem("disk under etcd", f"p99 of fdatasync is {p99:.1f} ms",
                           f"etcd wants {view.site.disk_p99_ms:g} ms or less: use an SSD, or set "
                           "disk_strict=False and slower etcd timings.", view.site.disk_strict)


def swap(view: View) -> Iterator[Problem]:
    if view.survey.swap and view.survey.is_container:
        yield view.problem("swap", ", ".join(view.survey.swap),
                           "It is the kernel's that this container shares: not ours to switch off; "
                           "kubelet is told to live with it.", fatal=False)


def identity(view: View) -> Iterator[Problem]:
    others = {name: s for name, s in view.all.items() if name != view.machine.name}
    for label in ("hostname", "machine_id", "product_uuid"):
        mine = getattr(view.survey, label)
        if label == "product_uuid" and view.survey.is_container:
            continue  # the host's, shared by all containers on it
        twins = [name for name, other in others.items() if mine and getattr(other, label) == mine]
        if twins and label == "hostname":
            yield view.problem("unique hostname", f"{mine} is also {', '.join(twins)}",
                               "The deploy sets it to the declared name.", fatal=False)
        elif twins:
            yield view.problem(f"unique {label}", f"{mine} is also that of {', '.join(twins)}",
                               "A cloned disk: rm /etc/machine-id, systemd-machine-id-setup, boot.")


def clock(view: View) -> Iterator[Problem]:
    if not view.survey.time:
        return
    offsets = {name: other.time for name, other in view.all.items() if other.time}
    middle = sorted(offsets.values())[len(offsets) // 2]
    skew = view.survey.time - middle
    if abs(skew) > SKEW_S and len(offsets) > 1:
        yield view.problem("clock", f"{skew:+.1f} s from the other machines",
                           "Start time sync: timedatectl set-ntp true; chronyc makestep.")


def own_address(view: View) -> Iterator[Problem]:
    if view.machine.network == "foreign" and view.machine.address not in view.survey.addresses:
        yield view.problem("address", f"{view.machine.address} is on none of its interfaces",
                           "Declare the machine's own address, or network=\"networkd\".")


def nics(view: View) -> Iterator[Problem]:
    for nic in view.machine.nics:
        if mac(nic.mac) not in view.survey.macs:
            ports = sorted(view.survey.macs.items())
            there = ", ".join(f"{port} ({name})" for port, name in ports if name != "lo")
            yield view.problem("NIC", f"no port has the permanent MAC {nic.mac}",
                               f"Declare one that is there: {there}.")


def listeners(view: View) -> Iterator[Problem]:
    ours: dict[int, str] = {}
    if view.machine in derived.nodes(view.site):
        ours[10250] = "kubelet"
    if view.machine in derived.control_planes(view.site):
        ours |= {6443: "kube-apiserver", 2379: "etcd", 2380: "etcd"}
    if view.machine in derived.balancers(view.site):
        ours[derived.balanced_port(view.site)] = "haproxy"
        if view.site.ingress and view.site.ingress.dmz == view.machine.name:
            ours |= {80: "haproxy", 443: "haproxy"}
    for port, service in ours.items():
        holder = view.survey.listens.get(port)
        if holder is not None and holder not in OWN:
            other = holder or "another process"
            yield view.problem(f"port {port} for {service}", f"held by {other}",
                               f"Stop it, or move it (sudo ss -ltnp 'sport = :{port}').")


def cluster(view: View) -> Iterator[Problem]:
    state = view.survey.membership(view.site.name)
    if state == "foreign":
        whose = view.survey.claim.get("site")
        value = f"it serves the site {whose!r}" if whose else ", ".join(view.survey.remains)
        if view.survey.ca:
            value += f"; its CA is SHA-256 {view.survey.ca}"
        yield view.problem("another cluster", value,
                           "Nothing of it is overwritten. Take it apart there first, or, if it is "
                           "dead for certain: kubeadm reset, and empty /var/lib/etcd.")
    members = {name: s for name, s in view.all.items() if s.membership(view.site.name) == "ours"}
    authorities = Counter(s.ca for s in members.values() if s.ca)
    if view.machine.name in members and view.survey.ca and len(authorities) > 1:
        most, _ = authorities.most_common(1)[0]
        if view.survey.ca != most:
            yield view.problem("cluster CA", f"SHA-256 {view.survey.ca}, the others' is {most}",
                               "It belongs to another cluster of this name; reset it first.")


def runtime(view: View) -> Iterator[Problem]:
    """A change of runtime strands the pods of the old one."""
    wanted = view.site.kubernetes.runtime
    other, pods = (("cri-o", view.survey.crio_pods) if wanted == "containerd"
                   else ("containerd", view.survey.containerd_pods))
    if pods and view.survey.membership(view.site.name) == "ours" and other != wanted:
        yield view.problem("runtime", f"{other} runs pods here, the site says {wanted}",
                           f"Take the machine out first: deploys/reset.py for {view.machine.name}.")


def settled(view: View) -> Iterator[Problem]:
    """What a living cluster can't take by a deploy: another version or other networks.

    Kubernetes is upgraded a minor at a time in an order of its own, and addresses of pods and
    Services stand in certificates, routes and objects.
    """
    if view.survey.membership(view.site.name) != "ours":
        return
    declared = {
        "kubernetesVersion": f"v{view.site.kubernetes.version}",
        "podSubnet": view.site.network.pod_cidr,
        "serviceSubnet": view.site.network.service_cidr,
    }
    for name, wanted in declared.items():
        now = view.survey.made_with.get(name, wanted)
        if now != wanted:
            yield view.problem(
                "settled setting",
                f"{name} is {now}, the site says {wanted}",
                "This deploy does not change it on a living cluster: declare the old value.",
            )


def virtual_ip(view: View) -> Iterator[Problem]:
    mine = view.site.api.vip in view.survey.addresses
    if mine and view.machine not in derived.balancers(view.site):
        yield view.problem("VIP", f"{view.site.api.vip} is an address of this machine",
                           "Only a balancer may hold it: remove it there, or choose another VIP.")
    known = {port for survey in view.all.values() for port in survey.macs}
    everyone = all(machine.name in view.all for machine in view.site.machines)  # not so by --limit
    holder = view.survey.vip_held_by
    if holder and everyone and holder not in known:
        value = f"{view.site.api.vip} is held by {holder}, no machine of this site"
        yield view.problem("VIP", value, "Choose a free address, or take it from what holds it.")


# fmt: on

CONDITIONS: tuple[Condition, ...] = (
    privileges, debian, cgroups, size, disk_space, disk_speed, swap, identity, clock, own_address,
    nics, listeners, cluster, runtime, settled, virtual_ip,
)  # fmt: skip


def problems(site: Site, surveys: Mapping[str, Survey]) -> list[Problem]:
    """All problems of all machines that were surveyed, in the order of declaration."""
    found: list[Problem] = []
    for machine in site.machines:
        if machine.name in surveys:
            view = View(site, machine, surveys[machine.name], surveys)
            for condition in CONDITIONS:
                found += condition(view)
    return found
