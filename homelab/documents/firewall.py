"""What may reach a machine: an nftables table of our own, derived from the port table.

Only ``inet homelab`` is ours: kube-proxy's, Cilium's and Docker's tables are never touched, and a
reload replaces the table in one transaction. A new ruleset is on trial (``ARM``) until a new SSH
connection has proven it (``CONFIRM``); else it rolls back by itself, also over a reboot.
"""

from __future__ import annotations

from homelab.documents.document import Document, Layer
from homelab.documents.text import enabled, header, unit
from homelab.documents.traits import Traits
from homelab.site.model import Machine, Site
from homelab.site.ports import NODE_PORTS, Port, Source, addresses, forwarded, ports

RULES = "/etc/nftables.d/homelab.nft"
SCRIPT = "/usr/local/lib/homelab/firewall"
ARM = f"{SCRIPT} try"
CONFIRM = f"{SCRIPT} confirm"
ROLLBACK = f"{SCRIPT} rollback"
TRIAL_S = 30

MATCH = {
    "tcp": "tcp dport {number}",
    "udp": "udp dport {number}",
    "vrrp": "ip protocol vrrp",  # a protocol of its own, without ports
}
ICMP = "echo-request, destination-unreachable, time-exceeded, parameter-problem"
ICMPV6 = (
    "echo-request, destination-unreachable, packet-too-big, time-exceeded, parameter-problem, "
    "nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert"
)


def firewall(site: Site, machine: Machine, traits: Traits) -> Layer:
    """The ruleset on trial; the deploy runs ``CONFIRM`` over a new connection within 30 s."""
    return Layer(
        name="firewall",
        documents=(
            Document(RULES, ruleset(site, machine), mode=0o600),
            Document(SCRIPT, _script(site), mode=0o755),
            Document("/etc/systemd/system/homelab-firewall.service", unit(site, "firewall", UNIT)),
        ),
        check=f"nft -c -f $STAGE{RULES}",
        activate=f"set -e\n{enabled('homelab-firewall.service')}"
        f"systemctl start homelab-firewall.service\n{ARM}",
        units=("homelab-firewall.service",),
        live=f"nft list table inet homelab >/dev/null 2>&1 && {SCRIPT} proven",
    )


def ruleset(site: Site, machine: Machine) -> str:
    """The whole table; it replaces its predecessor in one transaction."""
    table = [port for port in ports(site, machine) if port.protocol in MATCH]
    used = dict.fromkeys(name for port in table for name in sorted(port.sources))
    used |= dict.fromkeys(("nodes", "pods"))
    known = {name: addresses(site, name) for name in used if name not in ("world", "local")}
    sets = "".join(_set(name, members) for name, members in known.items() if members)
    allowed = "".join(
        _rule(port, source)
        for port in table
        for source in _widest(port)
        if source == "world" or known.get(source)
    )
    return (
        header(site, "firewall")
        + f"""
table inet homelab
delete table inet homelab
table inet homelab {{
{sets}
	chain node_ports {{
		# Before kube-proxy translates them (dstnat, -100); a filter on input comes too late.
		type filter hook prerouting priority mangle; policy accept;
		ct state established,related accept
{_node_ports(table)}	}}

	chain input {{
		type filter hook input priority filter; policy drop;
		ct state established,related accept
		iif lo accept
		icmp type {{ {ICMP} }} accept
		icmpv6 type {{ {ICMPV6} }} accept
{_dhcp(machine)}{allowed}		counter comment "dropped"
	}}
{_forward(site, machine)}}}
"""
    )


def _set(name: str, members: tuple[str, ...]) -> str:
    elements = ", ".join(members)
    return (
        f"\tset {name} {{\n\t\ttype ipv4_addr\n\t\tflags interval\n\t\tauto-merge\n"
        f"\t\telements = {{ {elements} }}\n\t}}\n"
    )


def _widest(port: Port) -> list[Source]:
    """The sources that need a rule: none for lo (always open), one if the world may come in."""
    if "world" in port.sources:
        return ["world"]
    return [source for source in sorted(port.sources) if source != "local"]


def _rule(port: Port, source: Source) -> str:
    who = "" if source == "world" else f"ip saddr @{source} "
    what = MATCH[port.protocol].format(number=port.number)
    return f'\t\t{who}{what} accept comment "{port.service}"\n'


def _dhcp(machine: Machine) -> str:
    """A rebinding client hears broadcasts, which conntrack can't match with its request."""
    if machine.network == "networkd" and machine.first_address is None:
        return ""
    return '\t\tudp sport 67 udp dport 68 accept comment "dhcp"\n'


def _node_ports(table: list[Port]) -> str:
    """Closed to all but their sources; nothing, where no node port is in the table."""
    return "".join(
        f"\t\tfib daddr type local {port.protocol} dport {NODE_PORTS} "
        + "".join(f"ip saddr != @{source} " for source in _widest(port))
        + "counter drop\n"
        for port in table
        if port.number == NODE_PORTS
    )


def _forward(site: Site, machine: Machine) -> str:
    """The world reaches pods through the balancers only; a machine without pods is no router."""
    if not forwarded(site, machine):
        policy, rule = "drop", ""
    else:
        policy = "accept"
        inside = f"{site.network.pod_cidr}, {site.network.service_cidr}"
        rule = (
            "\t\tct state established,related accept\n"
            "\t\tmeta nfproto ipv6 drop\n"
            f"\t\tip saddr != @nodes ip saddr != @pods ip daddr {{ {inside} }} counter drop\n"
        )
    return (
        f"\n\tchain forward {{\n\t\ttype filter hook forward priority filter; policy {policy};\n"
        f"{rule}\t}}\n"
    )


def _script(site: Site) -> str:
    return (
        "#!/bin/sh\n"
        + header(site, "firewall")
        + f"""#
# try       load the rules; unless confirmed within {TRIAL_S} s, roll back
# confirm   they are proven: keep them; fails if the trial is over, for then they are gone
# rollback  back to the rules proven last, or none
# load      at boot: proven rules only
# proven    succeeds if the rules on disk are the proven ones
set -eu
rules={RULES}
proven=/var/lib/homelab/firewall.proven
trial=homelab-firewall-trial

disarm() {{
	systemctl stop "$trial.timer" 2>/dev/null || :
	systemctl reset-failed "$trial.timer" "$trial.service" 2>/dev/null || :
}}

case "${{1-}}" in
try)
	disarm
	systemd-run --quiet --collect --unit="$trial" --on-active={TRIAL_S} \\
		--timer-property=AccuracySec=100ms "$0" rollback
	nft -f "$rules"
	;;
confirm)
	systemctl is-active --quiet "$trial.timer" || {{
		echo "the trial of {TRIAL_S} s is over: the old rules are back; run it again" >&2
		exit 1
	}}
	disarm
	mkdir -p -m 0700 "${{proven%/*}}"
	cp "$rules" "$proven.new"
	mv "$proven.new" "$proven"
	;;
rollback)
	if [ -e "$proven" ]; then
		nft -f "$proven"
		cp "$proven" "$rules"
	else
		nft delete table inet homelab 2>/dev/null || :
		rm -f "$rules"
	fi
	logger -t homelab-firewall "rolled back: the new rules were not confirmed" || :
	;;
load)
	[ ! -e "$proven" ] || nft -f "$proven"
	;;
proven)
	cmp -s "$rules" "$proven"
	;;
*)
	echo "usage: $0 try|confirm|rollback|load|proven" >&2
	exit 2
	;;
esac
"""
    )


# Without DefaultDependencies it is not stopped at shutdown, and it runs before any address is up.
UNIT = f"""
[Unit]
Description=Firewall from the port table (table inet homelab)
DefaultDependencies=no
Wants=network-pre.target
Before=network-pre.target
# nftables.service begins with "flush ruleset"
After=local-fs.target systemd-modules-load.service nftables.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart={SCRIPT} load
ExecReload={SCRIPT} load

[Install]
WantedBy=multi-user.target
"""
