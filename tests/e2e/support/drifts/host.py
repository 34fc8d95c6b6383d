"""The base of a machine, its packages, and who gets in."""

from __future__ import annotations

from tests.e2e.support.drifts.drift import MANIFESTS, PKI, edited, fake_package, gone, made, mode

STRANGER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHUAb1Yq4fXGuKEeBG5vYPwtGvvVeHCYEbn9XzQF5wZR eve"

HOST = (
    made(
        "hosts-edited",
        "cp2",
        *edited("/etc/hosts", "10.9.9.9 registry.k8s.io"),
        "host.file/cp2/etc-hosts",
        core=True,
    ),
    made("hostname-changed", "cp2", "hostname other", "hostname cp2", "host.hostname/cp2"),
    made(
        "sysctl-live",
        "w1",
        "sysctl -qw net.ipv4.ip_nonlocal_bind=0",
        "sysctl -qw net.ipv4.ip_nonlocal_bind=1",
        "host.sysctl/w1",
        core=True,
    ),
    made(
        "sysctl-file-edited",
        "w1",
        *edited("/etc/sysctl.d/90-homelab.conf", "net.ipv4.ip_forward = 0"),
        "host.file/w1/etc-sysctl.d",
    ),
    made(
        "sysctl-overridden",
        "w1",
        "echo net.ipv4.ip_nonlocal_bind=0 > /etc/sysctl.d/99-mine.conf",
        "rm /etc/sysctl.d/99-mine.conf",
        "host.sysctl-override/w1",
        kind="undeclared",
    ),
    made(
        "journald-file-gone",
        "w2",
        *gone("/etc/systemd/journald.conf.d/homelab.conf"),
        "host.file/w2",
    ),
    made(
        "file-writable",
        "w2",
        *mode("/etc/sysctl.d/90-homelab.conf", "666", "644"),
        "host.mode/w2",
        core=True,
    ),
    made(
        "owner-changed",
        "w2",
        "chown games /etc/sysctl.d/90-homelab.conf",
        "chown root /etc/sysctl.d/90-homelab.conf",
        "host.mode/w2",
    ),
    made(
        "unit-failed",
        "w1",
        "systemd-run -q --unit=drift-breaks false; sleep 1",
        "systemctl reset-failed",
        "host.failed-unit/w1",
        core=True,
    ),
    made(
        "drop-in",
        "w1",
        "mkdir -p /etc/systemd/system/haproxy.service.d /etc/systemd/system/containerd.service.d; "
        "printf '[Service]\\nNice=1\\n' > /etc/systemd/system/containerd.service.d/mine.conf",
        "rm /etc/systemd/system/containerd.service.d/mine.conf",
        "host.unit-override/w1",
        core=True,
        kind="undeclared",
    ),
    made(
        "time-zone",
        "w2",
        "ln -sf ../usr/share/zoneinfo/Asia/Seoul /etc/localtime",
        "ln -sf ../usr/share/zoneinfo/Etc/UTC /etc/localtime",
        "host.time-zone/w2",
    ),
)
PACKAGES = (
    made(
        "apt-pin-gone",
        "cp3",
        *gone("/etc/apt/preferences.d/homelab"),
        "host.file/cp3/etc-apt-preferences.d",
    ),
    made(
        "apt-source",
        "w1",
        "echo 'deb http://deb.example.org/debian bookworm main' > /etc/apt/sources.list.d/mine.list",
        "rm /etc/apt/sources.list.d/mine.list",
        "packages.foreign-source/w1",
        core=True,
        kind="undeclared",
    ),
    made(
        "kubelet-by-apt", "w1", *fake_package("kubelet"), "packages.unwanted/w1", kind="undeclared"
    ),
    made("firewall-by-apt", "w1", *fake_package("ufw"), "packages.unwanted/w1", kind="undeclared"),
    made(
        "half-installed",
        "w1",
        *fake_package("drift-broken", broken=True),
        "packages.half-installed/w1",
    ),
    made(
        "package-removed",
        "w2",
        "cp -a /var/lib/dpkg/status /root/status; dpkg -r --force-all socat >/dev/null 2>&1; dpkg-query -L socat > /root/list || true",
        "cp -a /root/status /var/lib/dpkg/status",
        "packages.missing/w2",
        core=True,
    ),
)
ACCESS = (
    made(
        "key-of-root",
        "w1",
        f"mkdir -p -m 700 /root/.ssh; echo '{STRANGER}' >> /root/.ssh/authorized_keys",
        "rm /root/.ssh/authorized_keys",
        "access.root-key/w1",
        core=True,
        kind="undeclared",
    ),
    made(
        "key-of-the-user",
        "w1",
        f"cp -p ~vagrant/.ssh/authorized_keys /root/k; echo '{STRANGER}' >> ~vagrant/.ssh/authorized_keys",
        "cat /root/k > ~vagrant/.ssh/authorized_keys; rm /root/k",
        "access.key/w1",
        kind="undeclared",
    ),
    made(
        "one-more-user",
        "w2",
        "useradd -m -s /bin/bash eve",
        "userdel -r eve 2>/dev/null",
        "access.user/w2",
        kind="undeclared",
    ),
    made(
        "root-by-another-name",
        "w2",
        "echo 'toor:x:0:0::/root:/bin/bash' >> /etc/passwd",
        "sed -i /^toor:/d /etc/passwd",
        "access.uid-0/w2",
        kind="undeclared",
    ),
    made(
        "sudoers",
        "w2",
        "echo 'games ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/games; chmod 440 /etc/sudoers.d/games",
        "rm /etc/sudoers.d/games",
        "access.sudoers/w2",
        core=True,
        kind="undeclared",
    ),
    made(
        "sudo-group",
        "w2",
        "usermod -aG sudo games",
        "gpasswd -d games sudo >/dev/null",
        "access.group/w2",
        kind="undeclared",
    ),
    made(
        "sshd-root",
        "w1",
        "echo 'PermitRootLogin yes' > /etc/ssh/sshd_config.d/0.conf",
        "rm /etc/ssh/sshd_config.d/0.conf",
        "access.sshd/w1",
    ),
    made(
        "admin-conf-readable",
        "cp2",
        *mode("/etc/kubernetes/admin.conf", "644", "600"),
        "access.mode/cp2",
    ),
    made(
        "ca-key-readable",
        "cp2",
        *mode(f"{PKI}/ca.key", "644", "600"),
        "certificate.key-mode/cp2",
        core=True,
    ),
    made(
        "manifest-writable", "cp2", *mode(f"{MANIFESTS}/etcd.yaml", "666", "600"), "access.mode/cp2"
    ),
    made(
        "encryption-readable",
        "cp3",
        *mode("/etc/kubernetes/encryption/config.yaml", "644", "600"),
        "control-plane.mode/cp3",
    ),
)
