"""HAProxy: what it balances, and how it decides that a backend is out.

What each fault takes with the default timings (check 500 ms, time-out 500 ms, fall 2):

- API server dead (port closed): each new connection is tried on another backend at once
  (``redispatch 1``), so nothing is seen from outside; its own watches end with it.
- API server hung, or its machine gone: new connections to it wait ``timeout connect`` (500 ms) when
  the machine is gone, then go elsewhere. Marked down after at most 500 (until the next check)
  + 500 (time-out) + 250 (``fastinter``) + 500 (time-out) = 1,750 ms; then its sessions are cut,
  so that watches reconnect elsewhere.
"""

from __future__ import annotations

from homelab.documents.document import Document, Layer
from homelab.documents.text import header, unit
from homelab.site import derived
from homelab.site.model import Machine, Site

CONFIG = "/etc/haproxy/haproxy.cfg"
SOCKET = "/run/haproxy/admin.sock"
# Loopback only: says 200 while HAProxy's event loop turns (homelab/documents/vip.py asks it).
ALIVE_PORT = 8404
# "1" while HAProxy is not running; keepalived watches this file by inotify.
STATE = "/run/homelab/haproxy.down"


def haproxy(site: Site, machine: Machine) -> Layer:
    """HAProxy's layer on one balancer."""
    return Layer(
        name="haproxy",
        documents=(
            Document(CONFIG, config(site, machine)),
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
    bind 127.0.0.1:{ALIVE_PORT}
    timeout client 2s
    monitor-uri /alive

frontend api
    bind :{derived.balanced_port(site)}
    default_backend api

backend api
    # Sessions live for hours: a backend that comes back gets the new ones until it is even.
    balance leastconn
{_readiness(site)}
    default-server {_checks(site)} on-marked-down shutdown-sessions
{_api_servers(site)}
{_ingress(site, machine)}"""
    )


def readiness_path(site: Site) -> str:
    """What an API server is asked.

    ``/readyz`` includes etcd: without quorum no API server is ready, all are out, and a client's
    connection is closed at once ("closed"). ``/livez`` includes etcd as well (AddHealthChecks in
    k8s.io/apiserver/pkg/server/config.go), so "open" leaves that check out and keeps every API
    server that answers.
    """
    return "/readyz" if site.api.without_quorum == "closed" else "/livez?exclude=etcd"


def _readiness(site: Site) -> str:
    return f"""    option httpchk
    http-check send meth GET uri {readiness_path(site)} ver HTTP/1.1 hdr Host {site.api.name}
    http-check expect status 200"""


def _checks(site: Site) -> str:
    timing = site.timings
    return (
        f"inter {timing.check_ms}ms fastinter {max(timing.check_ms // 2, 1)}ms "
        f"downinter {timing.check_ms}ms fall {timing.check_fall} rise {timing.check_rise}"
    )


def _api_servers(site: Site) -> str:
    """One line per control plane.

    ``verify none``: the cluster's CA does not exist before its first control plane does. The check
    sends no secret, and clients verify the API server themselves, through the TCP proxy.
    """
    width = max(len(m.name) for m in derived.control_planes(site))
    return "\n".join(
        f"    server {m.name:<{width}} {m.address}:{derived.API_PORT} check check-ssl verify none"
        for m in derived.control_planes(site)
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
    default-server {_checks(site)}
"""
        + "".join(
            f"    server {node.name} {node.address}:{node_port} check\n"
            for node in derived.nodes(site)
        )
        for name, port, node_port in ways
    )


# systemd knows of a dead HAProxy at once; a script that polls needs a second or two.
DROP_IN = f"""
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
systemctl daemon-reload
systemctl enable haproxy.service
mkdir -p /run/haproxy /run/homelab
if systemctl is-active --quiet haproxy.service; then
    systemctl reload haproxy.service
else
    systemctl start haproxy.service
fi
echo 0 > {STATE}"""
