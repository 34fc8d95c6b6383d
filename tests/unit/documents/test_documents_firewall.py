"""The ruleset, in the kernel's own eyes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from homelab.documents.firewall import CONFIRM, RULES, SCRIPT, firewall, ruleset
from homelab.site.model import Machine, Site
from homelab.site.ports import ports
from tests.unit.documents.document_sites import (
    BARE,
    document,
    lab,
    rack,
    run_check,
    shell,
    stage,
    tool,
)

SITES = [(site, machine) for site in (lab(), rack()) for machine in site.machines]


@pytest.mark.parametrize(("site", "machine"), SITES, ids=[m.name for _, m in SITES])
def test_nft_takes_the_ruleset_twice_and_leaves_other_tables(
    site: Site, machine: Machine, tmp_path: Path
) -> None:
    layer = firewall(site, machine, BARE)
    run_check(layer, tmp_path)
    rules = tmp_path / RULES.lstrip("/")
    listed = shell(
        f"nft add table ip kube; nft -f {rules}; nft -f {rules}; nft list ruleset",
        namespace=True,
    )
    assert listed.count("chain input") == 1
    assert "table ip kube" in listed
    assert "policy drop" in listed


@pytest.mark.parametrize(("site", "machine"), SITES, ids=[m.name for _, m in SITES])
def test_every_port_of_the_table_is_open_to_its_sources_alone(site: Site, machine: Machine) -> None:
    rules = ruleset(site, machine)
    opened = set(re.findall(r"^\t\t(?:ip saddr @(\w+) )?(tcp|udp) dport (\S+) accept", rules, re.M))
    expected = set()
    for port in ports(site, machine):
        if port.protocol in ("tcp", "udp"):
            sources = {"world"} if "world" in port.sources else port.sources - {"local"}
            sources -= {"admin"} if not site.network.admin_cidrs else set()
            expected |= {(s.replace("world", ""), port.protocol, str(port.number)) for s in sources}
    assert opened == expected


def test_admin_networks_may_come_in_where_there_are_any() -> None:
    site = lab()
    outside = lab(network=site.network.replace(admin_cidrs=("10.9.0.0/16",)))
    rules = ruleset(outside, outside.machines[0])
    assert "ip saddr @admin tcp dport 22 accept" in rules
    assert "10.9.0.0/16" in rules


def test_a_machine_without_pods_forwards_nothing() -> None:
    site = rack()
    assert "hook forward priority filter; policy drop" in ruleset(site, site.machines[3])
    assert "hook forward priority filter; policy accept" in ruleset(site, site.machines[0])


PACKETS = """set -e
for name in host world node; do ip netns add $name; ip -n $name link set lo up; done
for peer in world node; do
  ip link add $peer netns host type veth peer name eth0 netns $peer
  ip -n host link set $peer up; ip -n $peer link set eth0 up
done
ip -n host address add 203.0.113.1/24 dev world
ip -n world address add 203.0.113.9/24 dev eth0
ip -n world route add default via 203.0.113.1
ip -n host address add 192.168.0.11/24 dev node
ip -n node address add 192.168.0.12/24 dev eth0
ip -n node route add default via 192.168.0.11
ip netns exec host sysctl -qw net.ipv4.ip_forward=1
ip -n host route add 10.244.12.0/24 via 192.168.0.12
ip -n node address add 10.244.12.2/32 dev lo
ip netns exec host nft -f "$RULES"
# as kube-proxy: a node port, translated to a pod on the other machine
ip netns exec host nft -f - <<'END'
table ip kube {
  chain pre {
    type nat hook prerouting priority dstnat;
    fib daddr type local tcp dport 30080 dnat to 10.244.12.2:80
  }
  chain post {
    type nat hook postrouting priority srcnat;
    ct status dnat masquerade
  }
}
END
ip netns exec host python3 -c "$LISTEN" 22 80 2379 6443 8443 10250 31000 >/dev/null & one=$!
ip netns exec node python3 -c "$LISTEN" 80 >/dev/null & two=$!
trap 'kill $one $two' EXIT
sleep 1
ask() {  # from, address, port
  printf '%s %s:%s ' $1 $2 $3
  ip netns exec $1 timeout 0.4 bash -c "exec 3<>/dev/tcp/$2/$3 && head -1 <&3" 2>/dev/null ||
    echo no
}
for port in 22 80 2379 6443 8443 10250 31000 30080; do ask world 203.0.113.1 $port; done
ask world 10.244.12.2 80
for port in 22 2379 6443 8443 10250 31000 30080; do ask node 192.168.0.11 $port; done
"""

LISTEN = """
import select, socket, sys
listening = [socket.create_server(("", int(port))) for port in sys.argv[1:]]
while True:
    for one in select.select(listening, [], [])[0]:
        with one.accept()[0] as connection:
            connection.sendall(b"yes\\n")
"""


def test_packets_from_the_world_and_from_a_node(tmp_path: Path) -> None:
    """Real sockets through the real ruleset: three namespaces, one of them the machine."""
    for name in ("ip", "nft", "bash"):
        tool(name)
    site = lab()
    rules = stage(firewall(site, site.machines[0], BARE), tmp_path) / RULES.lstrip("/")
    command = f"mount -t tmpfs none /run && ({PACKETS})"
    lines = shell(command, namespace=True, RULES=str(rules), LISTEN=LISTEN).splitlines()
    answers = dict(line.rsplit(" ", 1) for line in lines)
    assert answers == {
        "world 203.0.113.1:22": "no",
        "world 203.0.113.1:80": "yes",  # the DMZ host's ingress
        "world 203.0.113.1:2379": "no",
        "world 203.0.113.1:6443": "no",
        "world 203.0.113.1:8443": "yes",  # the API on the VIP
        "world 203.0.113.1:10250": "no",
        "world 203.0.113.1:31000": "no",
        "world 203.0.113.1:30080": "no",  # a node port, closed before its translation
        "world 10.244.12.2:80": "no",  # a pod
        "node 192.168.0.11:22": "yes",
        "node 192.168.0.11:2379": "yes",
        "node 192.168.0.11:6443": "yes",
        "node 192.168.0.11:8443": "yes",
        "node 192.168.0.11:10250": "yes",
        "node 192.168.0.11:31000": "yes",
        "node 192.168.0.11:30080": "yes",
    }


def test_the_trial_rolls_back_to_the_proven_rules(tmp_path: Path) -> None:
    """The script itself, with its paths moved below a folder of the test's."""
    tool("nft")
    site = lab()
    layer = firewall(site, site.machines[0], BARE)
    rules = tmp_path / "rules"
    script = tmp_path / "firewall"
    text = document(layer, SCRIPT).text.replace(RULES, str(rules))
    script.write_text(text.replace("/var/lib/homelab", str(tmp_path / "lib")))
    script.chmod(0o755)
    # systemd is not asked here: what it would do after 30 s is "rollback", which is called below
    for name in ("systemctl", "systemd-run", "logger"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    running = f'[ "$1" != is-active ] || [ -e {tmp_path}/timer ]'
    (tmp_path / "systemctl").write_text(f"#!/bin/sh\n{running}\n")
    good, bad = ruleset(site, site.machines[0]), ruleset(site, site.machines[3])
    rules.write_text(good)
    (tmp_path / "bad").write_text(bad)
    shell(
        f"""set -e
        PATH={tmp_path}:$PATH
        {script} load                          # first boot: nothing proven, nothing loaded
        ! nft list table inet homelab 2>/dev/null
        {script} try
        ! {script} proven
        ! {script} confirm                     # too late
        ! {script} proven
        touch {tmp_path}/timer
        {script} confirm
        {script} proven
        cp {tmp_path}/bad {rules}
        {script} try
        ! {script} proven
        ! nft list table inet homelab | grep -q 'dport 2379'
        {script} rollback
        nft list table inet homelab | grep -q 'dport 2379'
        {script} proven
        nft flush ruleset
        {script} load
        nft list table inet homelab | grep -q 'dport 2379'
        """,
        namespace=True,
    )
    assert CONFIRM.endswith(" confirm")


def test_without_proven_rules_a_rollback_opens_the_machine_again(tmp_path: Path) -> None:
    tool("nft")
    site = lab()
    layer = firewall(site, site.machines[0], BARE)
    rules, script = tmp_path / "rules", tmp_path / "firewall"
    text = document(layer, SCRIPT).text.replace(RULES, str(rules))
    script.write_text(text.replace("/var/lib/homelab", str(tmp_path / "lib")))
    script.chmod(0o755)
    rules.write_text(ruleset(site, site.machines[0]))
    shell(
        f"""set -e
        nft -f {rules}
        logger() {{ :; }}
        {script} rollback
        ! nft list table inet homelab 2>/dev/null
        test ! -e {rules}
        """,
        namespace=True,
    )
