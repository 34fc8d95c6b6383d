"""The base of a machine: names, kernel settings, time, logs, swap, and what apt must not touch."""

from __future__ import annotations

from homelab import versions
from homelab.documents.document import Document, Layer
from homelab.documents.text import header
from homelab.documents.traits import Traits
from homelab.site import derived
from homelab.site.model import Machine, Site

# kubelet's graceful shutdown; logind must allow at least as long (homelab/documents/kubeadm.py)
SHUTDOWN_GRACE_S = 60
SHUTDOWN_CRITICAL_S = 20

MODULES = ("overlay", "br_netfilter", "nf_conntrack")

# Ours by artefact (never by apt), and ours by apt but restarted only behind the quorum guard.
NOT_FROM_APT = ("kubelet", "kubeadm", "kubectl", "cri-o", "cri-tools", "kubernetes-cni")
GUARDED = ("containerd", "containerd.io", "runc", "crun", "haproxy", "keepalived")

# zram-tools, dphys-swapfile and systemd-zram-generator each bring swap back at boot.
SWAP_UNITS = (
    "swap.target",
    "zramswap.service",
    "dphys-swapfile.service",
    "systemd-zram-setup@zram0.service",
)


def host(site: Site, machine: Machine, traits: Traits) -> Layer:
    """All of the above; in a container only what is the container's own."""
    documents = [
        Document("/etc/hostname", machine.name + "\n"),
        Document("/etc/hosts", hosts(site)),
        Document("/etc/sysctl.d/90-homelab.conf", sysctl_conf(site, machine, traits)),
        Document("/etc/systemd/journald.conf.d/homelab.conf", journald(site)),
        *apt(site),
    ]
    activate = [
        f'[ "$(hostname)" = {machine.name} ] || hostname {machine.name}',
        "systemctl restart systemd-journald.service",
    ]
    live = [f'[ "$(hostname)" = {machine.name} ]', _sysctl_live(site, machine, traits)]
    units: tuple[str, ...] = ()
    if not traits.container:
        documents += own_kernel(site)
        activate += [
            f"modprobe -a {' '.join(MODULES)}",
            "systemctl restart systemd-timesyncd.service",
            "timedatectl set-ntp true",
            "systemctl kill --signal=HUP systemd-logind.service",  # re-reads logind.conf
            # --now fails for a unit that this machine does not have; masked it is all the same
            f"systemctl mask --now {' '.join(SWAP_UNITS)} 2>/dev/null || :",
            "swapoff --all",
            # [^#]: a line that is already a comment stays as it is
            r"sed -ri 's/^([^#[:space:]]+[[:space:]]+[^[:space:]]+[[:space:]]+swap[[:space:]])"
            r"/# homelab: \1/' /etc/fstab",
        ]
        live.append('[ -z "$(swapon --noheadings --show)" ]')
        units = ("systemd-timesyncd.service",)
    activate.append("sysctl --quiet --load /etc/sysctl.d/90-homelab.conf")
    return Layer(
        name="host",
        documents=tuple(documents),
        activate="set -e\n" + "\n".join(activate),
        units=units,
        live=" && ".join(live),
    )


def hosts(site: Site) -> str:
    """Every machine, and the API's name: the cluster needs no DNS of the house to find itself."""
    lines = ["127.0.0.1 localhost", "::1 localhost ip6-localhost ip6-loopback"]
    lines += [f"{m.address} {m.name}" for m in site.machines]
    lines.append(f"{site.api.vip} {site.api.name}")
    return header(site, "host") + "\n".join(lines) + "\n"


def sysctls(site: Site, machine: Machine, traits: Traits) -> dict[str, str]:
    """Kernel settings by name; in a container only those of its own network namespace."""
    # Cilium routes past the main table, so that even a loose check can drop its packets
    # (docs.cilium.io, system requirements); the kernel takes the larger of "all" and the port's.
    reverse_path = "0" if site.kubernetes.cni == "cilium" else "2"
    values = {
        "net.ipv4.ip_forward": "1" if machine in derived.nodes(site) else "0",
        "net.ipv4.ip_nonlocal_bind": "1",  # a process may bind the VIP before it is here
        "net.ipv4.conf.all.rp_filter": reverse_path,
        "net.ipv4.conf.default.rp_filter": reverse_path,
        "net.ipv4.conf.all.accept_redirects": "0",
        "net.ipv4.conf.all.send_redirects": "0",
        "net.ipv4.conf.default.send_redirects": "0",
    }
    if traits.container:
        return values
    return values | {
        "net.bridge.bridge-nf-call-iptables": "1",  # a Service's answer within one bridge
        "net.bridge.bridge-nf-call-ip6tables": "1",
        "fs.inotify.max_user_instances": "8192",  # each pod's log and config watchers
        "fs.inotify.max_user_watches": "524288",
        # These three are what kubelet would set by itself (protectKernelDefaults).
        "vm.overcommit_memory": "1",
        "kernel.panic": "10",
        "kernel.panic_on_oops": "1",
    }


def sysctl_conf(site: Site, machine: Machine, traits: Traits) -> str:
    lines = [f"{name} = {value}" for name, value in sysctls(site, machine, traits).items()]
    return header(site, "host") + "\n".join(lines) + "\n"


def _sysctl_live(site: Site, machine: Machine, traits: Traits) -> str:
    values = sysctls(site, machine, traits)
    shown = " ".join(values.values())
    return f'[ "$(echo $(sysctl -n {" ".join(values)}))" = "{shown}" ]'


def journald(site: Site) -> str:
    """Logs outlive a reboot, and never fill the disk under etcd."""
    return header(site, "host") + (
        "[Journal]\nStorage=persistent\nSystemMaxUse=1G\nSystemKeepFree=2G\nRuntimeMaxUse=200M\n"
    )


def own_kernel(site: Site) -> list[Document]:
    """Modules, clock and logind: of a machine that has a kernel of its own."""
    documents = [
        Document(
            "/etc/modules-load.d/homelab.conf", header(site, "host") + "\n".join(MODULES) + "\n"
        ),
        Document("/etc/systemd/timesyncd.conf.d/homelab.conf", timesyncd(site)),
        # An empty file here switches zram-generator off (man zram-generator.conf).
        Document("/etc/systemd/zram-generator.conf", header(site, "host")),
    ]
    if versions.graceful_shutdown(site.kubernetes.version):
        # Debian's unattended-upgrades-logind-maxdelay.conf sorts after kubelet's 99-kubelet.conf
        # and wins with 30 s; then kubelet refuses graceful shutdown. "zz" sorts after both.
        text = header(site, "host") + f"[Login]\nInhibitDelayMaxSec={SHUTDOWN_GRACE_S}\n"
        documents.append(Document("/etc/systemd/logind.conf.d/zz-homelab.conf", text))
    return documents


def timesyncd(site: Site) -> str:
    pool = " ".join(f"{n}.debian.pool.ntp.org" for n in range(4))
    own = f"NTP={' '.join(site.network.ntp)}\n" if site.network.ntp else ""
    return header(site, "host") + f"[Time]\n{own}FallbackNTP={pool}\n"


def apt(site: Site) -> list[Document]:
    """No upgrade behind the deploy's back.

    What we install as artefacts can't be installed by apt; what apt installs for us is left to
    the deploy, because restarting it is a disruptive step behind the quorum guard.
    """
    pin = (
        f"Explanation: installed by deploys/cluster.py, never by apt\n"
        f"Package: {' '.join(NOT_FROM_APT)}\nPin: release *\nPin-Priority: -1\n"
    )
    names = "".join(f'    "^{name}$";\n' for name in (*NOT_FROM_APT, *GUARDED))
    blacklist = (
        "Unattended-Upgrade::Package-Blacklist {\n"
        + names.replace(".", r"\.")  # apt passes it on as it stands here
        + "};\n"
        + 'Unattended-Upgrade::Automatic-Reboot "false";\n'
    )
    guarded = "containerd|crio|kubelet|haproxy|keepalived"
    needrestart = f"$nrconf{{override_rc}}->{{qr(^({guarded})\\.service$)}} = 0;\n"
    return [
        Document("/etc/apt/preferences.d/homelab", header(site, "host") + pin),
        Document(
            "/etc/apt/apt.conf.d/60homelab-unattended", header(site, "host", "//") + blacklist
        ),
        Document("/etc/needrestart/conf.d/homelab.conf", header(site, "host") + needrestart),
    ]
