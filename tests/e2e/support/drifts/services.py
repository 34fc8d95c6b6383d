"""Network, balancers, runtime and kubelet."""

from __future__ import annotations

from tests.e2e.support.drifts.drift import edited, gone, made, replaced

SOCKET = (
    "python3 -c 'import socket,sys; s=socket.socket(socket.AF_UNIX); "
    's.connect("/run/haproxy/admin.sock"); s.sendall(sys.argv[1].encode()+b"\\n"); s.recv(9)\' '
)

NETWORK = (
    made(
        "firewall-gone",
        "w1",
        "nft delete table inet homelab",
        "systemctl restart homelab-firewall || nft -f /etc/nftables.d/homelab.nft",
        "firewall.live/w1",
        core=True,
    ),
    made(
        "one-more-address",
        "w1",
        "ip addr add 10.77.0.99/24 dev eth0",
        "ip addr del 10.77.0.99/24 dev eth0",
        "network.address/w1",
        core=True,
        kind="undeclared",
    ),
    made(
        "another-gateway",
        "w2",
        "ip route replace default via 10.77.0.12",
        "ip route replace default via 10.77.0.1",
        "network.default-route/w2",
    ),
    made(
        "cni-edited", "w2", *edited("/etc/cni/net.d/10-homelab.conflist", " "), "cni-bridge.file/w2"
    ),
    made(
        "pod-route-gone",
        "w2",
        "ip route show proto static > /root/r; ip route | grep -m1 ' via 10.77.0.1[12]' > /root/r; ip route del $(cat /root/r)",
        "ip route add $(cat /root/r)",
        "pod-routes.live/w2",
    ),
)
BALANCER = (
    made(
        "haproxy-edited",
        "cp1",
        *edited("/etc/haproxy/haproxy.cfg", "# mine"),
        "haproxy.file/cp1",
        core=True,
    ),
    made(
        "backend-disabled",
        "cp1",
        f"{SOCKET} 'disable server api/cp2'",
        f"{SOCKET} 'enable server api/cp2'",
        "balancer.disabled/cp1/cp2",
        core=True,
        patience=20,
    ),
    made(
        "backend-drained",
        "cp2",
        f"{SOCKET} 'set server api/cp3 state drain'",
        f"{SOCKET} 'set server api/cp3 state ready'",
        "balancer.disabled/cp2/cp3",
        patience=20,
    ),
    made(
        "haproxy-stopped",
        "cp3",
        "systemctl stop haproxy",
        "systemctl start haproxy",
        "haproxy.unit/cp3",
        beside=("read.fact", "balancer.backend", "vip.none"),
        patience=30,
    ),
    made(
        "keepalived-edited",
        "cp2",
        *edited("/etc/keepalived/keepalived.conf", "# mine"),
        "keepalived.file/cp2",
    ),
    made(
        "keepalived-stopped",
        "cp3",
        "systemctl stop keepalived",
        "systemctl start keepalived",
        "keepalived.unit/cp3",
        core=True,
        patience=30,
    ),
    made(
        "keepalived-disabled",
        "cp3",
        "systemctl disable -q keepalived",
        "systemctl enable -q keepalived",
        "keepalived.unit/cp3",
    ),
    made(
        "two-holders",
        "w1",
        "ip addr add 10.77.0.10/32 dev lo",
        "ip addr del 10.77.0.10/32 dev lo",
        "vip.two/cluster",
        core=True,
    ),
)
RUNTIME = (
    made(
        "containerd-edited",
        "w1",
        *edited("/etc/containerd/config.toml", "# mine"),
        "runtime.file/w1",
        core=True,
    ),
    made("crictl-gone", "w1", *gone("/etc/crictl.yaml"), "runtime.file/w1/etc-crictl.yaml"),
    made(
        "containerd-disabled",
        "w1",
        "systemctl disable -q containerd",
        "systemctl enable -q containerd",
        "runtime.unit/w1",
    ),
    made(
        "kubelet-config-edited",
        "w1",
        *replaced(
            "/var/lib/kubelet/config.yaml", "containerLogMaxFiles: 5", "containerLogMaxFiles: 6"
        ),
        "kubelet.config/w1",
        core=True,
    ),
    made(
        "kubelet-runs-another",
        "w1",
        " && ".join(
            (
                replaced(
                    "/var/lib/kubelet/config.yaml",
                    "containerLogMaxFiles: 5",
                    "containerLogMaxFiles: 6",
                )[0],
                "systemctl restart kubelet; sleep 8",
                replaced(
                    "/var/lib/kubelet/config.yaml",
                    "containerLogMaxFiles: 5",
                    "containerLogMaxFiles: 6",
                )[1],
            )
        ),
        "systemctl restart kubelet; sleep 5",
        "kubelet.running/w1/containerLogMaxFiles",
        patience=60,
    ),
    made(
        "kubelet-flags",
        "w2",
        *replaced("/var/lib/kubelet/kubeadm-flags.env", "--node-ip", "--v=4 --node-ip"),
        "kubelet.flags/w2",
    ),
    made(
        "kubelet-extra-args",
        "w2",
        "echo KUBELET_EXTRA_ARGS=--v=6 > /etc/default/kubelet",
        "rm /etc/default/kubelet",
        "kubelet.extra-args/w2",
        kind="undeclared",
    ),
    made(
        "kubelet-stopped",
        "w2",
        "systemctl stop kubelet",
        "systemctl start kubelet",
        "kubelet.health/w2",
        beside=("node.not-ready", "read.fact", "node.taint-undeclared"),
        patience=90,
    ),
    made(
        "kubelet-unit-edited",
        "w2",
        *edited("/etc/systemd/system/kubelet.service", "# mine"),
        "kubelet.file/w2",
    ),
    made(
        "kubelet-disabled",
        "w2",
        "systemctl disable -q kubelet",
        "systemctl enable -q kubelet",
        "kubelet.live/w2",
    ),
)
