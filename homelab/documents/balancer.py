"""HAProxy: what it balances; ``readiness.py`` decides which API servers are in."""

from __future__ import annotations

from homelab.documents import readiness
from homelab.documents.document import Document, Layer
from homelab.documents.text import enabled, header, unit
from homelab.site import derived
from homelab.site.model import Machine, Site

CONFIG = "/etc/haproxy/haproxy.cfg"
SOCKET = "/run/haproxy/admin.sock"
AGENT = "/etc/haproxy/homelab-agent.lua"
# "1" while HAProxy is not running; keepalived watches this file by inotify.
STATE = "/run/homelab/haproxy.down"


def haproxy(site: Site, machine: Machine) -> Layer:
    """HAProxy's layer on one balancer."""
    return Layer(
        name="haproxy",
        documents=(
            Document(CONFIG, config(site, machine)),
            Document(AGENT, header(site, "balancer", "--") + readiness.ANSWERS),
            Document(
                "/etc/systemd/system/haproxy.service.d/homelab.conf",
                unit(site, "balancer", DROP_IN),
            ),
        ),
        check=f"haproxy -c -q -f $STAGE{CONFIG}",
        activate=ACTIVATE,
        units=("haproxy.service",),
    )


def config(site: Site, machine: Machine) -> str:
    """haproxy.cfg for HAProxy 2.6 (Debian 12) and later."""
    timing = site.timings
    return (
        header(site, "balancer")
        + f"""
global
    log /dev/log local0 notice
    chroot /var/lib/haproxy
    user haproxy
    group haproxy
    # two file descriptors each: within the limits of a small container too
    maxconn 4000
    # Root only; there is no port for statistics or administration.
    stats socket {SOCKET} mode 600 level admin expose-fd listeners
    default-path config
    lua-load {AGENT.rpartition("/")[2]}
    # After a reload the old process serves its watches this much longer.
    hard-stop-after 60s

defaults
    mode tcp
    log global
    option dontlognull
    option redispatch 1
    retries 3
    timeout connect {timing.check_timeout_ms}ms
    timeout check {timing.check_timeout_ms}ms
    timeout queue 5s
    # Watches are silent for long; a peer that is gone is noticed by TCP keepalive (25 s).
    timeout client 24h
    timeout server 24h
    option clitcpka
    clitcpka-idle 10s
    clitcpka-intvl 5s
    clitcpka-cnt 3
    option srvtcpka
    srvtcpka-idle 10s
    srvtcpka-intvl 5s
    srvtcpka-cnt 3

frontend alive
    mode http
    bind 127.0.0.1:{derived.ALIVE_PORT}
    timeout client 2s
    monitor-uri /alive

frontend api
    bind :{derived.balanced_port(site)}
{readiness.answer_peers(site)}    default_backend api

{readiness.backends(site)}{_ingress(site, machine)}"""
    )


def _ingress(site: Site, machine: Machine) -> str:
    """80 and 443 on the DMZ host, to the node ports of every node."""
    if site.ingress is None or site.ingress.dmz != machine.name:
        return ""
    ways = (
        ("http", 80, site.ingress.http_node_port),
        ("https", 443, site.ingress.https_node_port),
    )
    return "".join(
        f"""
frontend ingress-{name}
    bind :{port}
    timeout client 1h
    default_backend ingress-{name}

backend ingress-{name}
    balance leastconn
    timeout server 1h
    default-server {readiness.reached(site)}
"""
        + "".join(
            f"    server {node.name} {node.address}:{node_port}\n" for node in derived.nodes(site)
        )
        for name, port, node_port in ways
    )


# systemd knows of a dead HAProxy at once; a script that polls needs a second or two.
DROP_IN = f"""
[Unit]
StartLimitIntervalSec=0

[Service]
RuntimeDirectory=haproxy
RuntimeDirectoryPreserve=yes
RestartSec=1
ExecStartPost=/bin/sh -c 'mkdir -p /run/homelab && echo 0 > {STATE}'
ExecStopPost=/bin/sh -c 'mkdir -p /run/homelab && echo 1 > {STATE}'
"""

# Reload, not restart: connections stay. The last line: HAProxy may have been started before our
# drop-in was there, as Debian's package does.
ACTIVATE = f"""set -e
{enabled("haproxy.service")}mkdir -p /run/haproxy /run/homelab
if systemctl is-active --quiet haproxy.service; then
    systemctl reload haproxy.service
else
    systemctl start haproxy.service
fi
echo 0 > {STATE}"""
