"""What must hold before anything is changed. Pure: surveys in, problems out, all of them.

Here is what a machine shows by itself; what it shows beside the others is in ``together.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from homelab.preflight.survey import Survey
from homelab.preflight.together import (
    clock,
    cluster,
    encryption,
    identity,
    runtime,
    settled,
    virtual_ip,
)
from homelab.preflight.view import Condition, Problem, View
from homelab.site import derived
from homelab.site.derived import mac
from homelab.site.model import Site
from homelab.site.ports import ports

DEBIANS = ("12", "13")
KERNEL = (5, 10)  # Cilium's floor for kube-proxy replacement; Debian 12 has 6.1
CORES = 2  # kubeadm's own preflight (app/constants: ControlPlaneNumCPU)
MEMORY_KIB = 1700 * 1024  # kubeadm: ControlPlaneMem 1700 MB
ETCD_KIB = 512 * 1024  # room for a young cluster; etcd's quota is 2 GiB
IMAGES_KIB = 4 * 1024 * 1024
# Processes of a member that may hold our ports, as ``ss`` cuts their names (15 characters).
OWN = {"kube-apiserver", "etcd", "haproxy", "kubelet", "kube-proxy", "kube-scheduler",
       "kube-controller", "cilium-agent", "cilium-envoy", "cilium-operator"}  # fmt: skip

# What pods of a small node watch; a machine with its own kernel gets more (documents/host.py).
WATCHES = {"fs.inotify.max_user_instances": 512, "fs.inotify.max_user_watches": 65536}

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
    cri_o = view.site.kubernetes.runtime == "cri-o"
    need = {"/var/lib/containers" if cri_o else "/var/lib/containerd": IMAGES_KIB}
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


def shared_kernel(view: View) -> Iterator[Problem]:
    """What a container can't set: its kernel is another's."""
    if not view.survey.is_container or view.machine not in derived.nodes(view.site):
        return
    mend = "It is the kernel's that this container shares: not ours to set. On its host: "
    if view.survey.filesystems and "overlay" not in view.survey.filesystems:
        yield view.problem("kernel of the container", "it has no overlay file system",
                           f"{mend}modprobe overlay.", fatal=False)
    now = view.survey.sysctls
    name = "net.bridge.bridge-nf-call-iptables"
    if now.get(name, "1") != "1":
        yield view.problem("kernel of the container", f"{name} is {now[name] or 'not there'}",
                           f"{mend}modprobe br_netfilter; sysctl -w {name}=1.", fatal=False)
    for name, least in WATCHES.items():
        if int("".join(c for c in now.get(name, "") if c in "0123456789") or least) < least:
            yield view.problem("kernel of the container", f"{name} is {now[name]}",
                               f"{mend}sysctl -w {name}={least}.", fatal=False)


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
    """Every port of the table is free, or held by what a deploy of this site has started.

    A name alone proves nothing: Debian's own etcd and HAProxy have the same ones.
    """
    ours: set[str] = {"haproxy"} if view.survey.balances else set()
    if view.survey.membership(view.site.name) != "none":  # another's is refused as a whole
        ours = OWN
    for port in ports(view.site, view.machine):
        if port.protocol != "tcp" or not isinstance(port.number, int) or port.service == "sshd":
            continue
        holder = view.survey.listens.get(port.number)
        if holder is not None and holder not in ours:
            other = f"{holder}, which no deploy of this site started" if holder in OWN else holder
            yield view.problem(
                f"port {port.number} for {port.service}", f"held by {other or 'another process'}",
                f"Stop it, or move it (sudo ss -ltnp 'sport = :{port.number}').")


# fmt: on

CONDITIONS: tuple[Condition, ...] = (
    privileges, debian, cgroups, size, disk_space, disk_speed, swap, shared_kernel, identity, clock,
    own_address, nics, listeners, cluster, runtime, encryption, settled, virtual_ip,
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
