"""keepalived: which balancer holds the VIP.

What each fault takes with the default advert of 100 ms. A backup takes over after ``advert_fall``
adverts without one from the holder: with the RFC's three, and one packet of twenty lost, that
happens every few minutes without a fault; with six, once in a year of such days.

- the holder's machine dead, frozen or cut: 6 x 100 ms and the skew, then gratuitous ARP.
- keepalived dead (-9): the same; systemd takes the address away at once, so nobody holds it twice.
- HAProxy dead: systemd writes the state file, keepalived sees it by inotify, resigns (priority 0)
  and the next one takes over after its skew alone, ``(256 - priority) / 256`` of an advert: 35 ms.
- HAProxy hung: two failed runs of the script, at most 1 + 1 + 0.5 s.
- keepalived stopped, machine rebooted or drained: it resigns: under 100 ms.
- A frozen holder that wakes up resumes at once; the two masters meet within one advert, and the
  one with the lower priority yields.
"""

from __future__ import annotations

from homelab.documents.balancer import STATE
from homelab.documents.document import Document, Layer
from homelab.documents.ports import interface
from homelab.documents.text import enabled, header, unit
from homelab.documents.traits import Traits
from homelab.site import derived
from homelab.site.model import Machine, Site

CONFIG = "/etc/keepalived/keepalived.conf"
SCRIPT = "/usr/local/lib/homelab/check-haproxy"
# After a boot LACP needs seconds until adverts come through; whoever starts to vote before that
# takes the VIP from its holder.
BOND_DELAY_S = 3


def keepalived(site: Site, machine: Machine, traits: Traits) -> Layer:
    """keepalived's layer on one balancer."""
    drop_in = DROP_IN.format(vip=site.api.vip, interface=interface(site, machine, traits))
    return Layer(
        name="keepalived",
        documents=(
            Document(CONFIG, config(site, machine, traits)),
            Document(SCRIPT, CHECK.format(header=header(site, "vip")), mode=0o755),
            Document(
                "/etc/systemd/system/keepalived.service.d/homelab.conf", unit(site, "vip", drop_in)
            ),
        ),
        # keepalived refuses a script that is not there yet, or below a folder like /tmp.
        check=f"sed 's#{SCRIPT}#/bin/true#' $STAGE{CONFIG} >$STAGE/keepalived.check"
        " && keepalived -t -f $STAGE/keepalived.check",
        activate=ACTIVATE,
        units=("keepalived.service",),
    )


def priority(site: Site, machine: Machine) -> int:
    """250 downwards in the order of declaration.

    Far apart, because the skew is a share of one advert: two balancers whose skews differ by less
    than a scheduler's delay would both become master for a moment.
    """
    names = [m.name for m in derived.balancers(site)]
    return 250 - names.index(machine.name) * (200 // len(names))


def config(site: Site, machine: Machine, traits: Traits) -> str:
    """keepalived.conf for keepalived 2.2.7 (Debian 12) and later."""
    port = interface(site, machine, traits)
    peers = [m.address for m in derived.balancers(site) if m.name != machine.name]
    peer_lines = "\n".join(f"        {address}" for address in peers)
    # Unicast: no multicast filter of a switch or a CNI in the way (calico #4956). Alone it has
    # nobody to tell, and keepalived refuses unicast without peers.
    unicast = (
        f"    unicast_src_ip {machine.address}\n    unicast_peer {{\n{peer_lines}\n    }}\n"
        if peers
        else ""
    )
    delay = f"    vrrp_startup_delay {BOND_DELAY_S}\n" if machine.network == "networkd" else ""
    return (
        header(site, "vip")
        + f"""
global_defs {{
    router_id {machine.name}
    vrrp_version 3
    vrrp_down_timer_adverts {site.timings.advert_fall}
    # Adverts are due every {site.timings.advert_ms} ms, also on a busy machine.
    vrrp_priority -20
    vrrp_no_swap
    enable_script_security
    script_user root
{delay}    # Tell the switches again: at once, a second later, and every ten seconds.
    vrrp_garp_master_delay 1
    vrrp_garp_master_repeat 3
    vrrp_garp_master_refresh 10
    # Two holders met (a frozen machine woke up): the one who stays repeats its gratuitous ARP.
    vrrp_garp_lower_prio_repeat 3
    vrrp_garp_lower_prio_delay 1
    vrrp_higher_prio_send_advert true
}}

# Written by systemd when HAProxy starts or ends, however it ends; noticed at once.
track_file haproxy_down {{
    file "{STATE}"
    weight 0
    init_file 1
}}

# A hung HAProxy still runs: only asking it helps.
vrrp_script check_haproxy {{
    script "{SCRIPT}"
    interval 1
    timeout 1
    fall 2
    rise 1
    weight 0
}}

vrrp_instance api {{
    # nopreempt: a machine that comes back does not take the VIP again, so nothing flaps.
    state BACKUP
    nopreempt
    interface {port}
    virtual_router_id {site.api.vrrp_id}
    priority {priority(site, machine)}
    advert_int {site.timings.advert_ms / 1000:.2f}
{unicast}    virtual_ipaddress {{
        {site.api.vip}/32 dev {port}
    }}
    # weight 0: a failure is FAULT, which outweighs every priority. A finite weight would be worth
    # nothing here: a backup with nopreempt ignores how low the holder's priority has become.
    track_file {{
        haproxy_down weight 0
    }}
    track_script {{
        check_haproxy weight 0
    }}
}}
"""
    )


# Bash opens /dev/tcp itself: one process, nothing forked. It asks whether HAProxy's event loop
# turns, not whether it has a backend: all balancers ask the same API servers over the same network,
# so one that alone sees none is cut off, and then its peers have taken the VIP already. And
# without quorum, when nobody has a backend, the VIP stays and clients are refused at once.
CHECK = f"""#!/bin/bash
{{header}}exec 2>/dev/null
exec 3<>/dev/tcp/127.0.0.1/{derived.ALIVE_PORT} || exit 1
printf 'GET /alive HTTP/1.0\\r\\n\\r\\n' >&3
read -r -t 0.5 -u 3 version status rest && [[ $status == 200 ]]
"""

DROP_IN = """
[Unit]
After=haproxy.service
StartLimitIntervalSec=0

[Service]
Restart=always
RestartSec=1
# killed, it can't take the address away itself
ExecStopPost=-/bin/sh -c '/usr/sbin/ip -4 address del {vip}/32 dev {interface} 2>/dev/null'
"""

ACTIVATE = f"""set -e
{enabled("keepalived.service")}if systemctl is-active --quiet keepalived.service; then
    systemctl reload keepalived.service
else
    systemctl start keepalived.service
fi"""
