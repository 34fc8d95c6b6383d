"""How a balancer decides which API servers are in.

A lost packet must not look like a dead machine, and still a dead one must be out within two
seconds. No single check does both: a TLS request that loses its SYN waits a second for the next
one, as long as a hung server would. So two questions, each asked where it can be answered:

- *Is the machine there?* Each balancer tries the API server's port every ``reach_ms``. The kernel
  answers, however busy the machine is; only ``reach_fall`` tries lost in a row (8 x 150 ms) mean
  that the machine is gone.
- *Is its API server ready?* The control plane's own HAProxy asks over loopback, where nothing is
  lost, and its peers ask that HAProxy for the result (agent-check: "down" counts at once, no
  answer counts for nothing). It asks three things, because ``/readyz`` asks etcd for a quorum, and
  that goes over the network: TCP waits 0.2 s after a lost packet, then 0.4, 0.8, 1.6 and 3.2 s, so
  after five in a row an answer takes 6 s, and that is no fault. So the API server (without its
  etcd) and the process of etcd must answer fast, and ``/readyz`` may take ``ready_ms``.
  Where balancers are machines of their own, control planes have no HAProxy, and the balancers ask
  the API servers themselves.

What each fault takes with the default timings:

- API server dead: each new connection is tried on another backend at once (``redispatch 1``), so
  nothing is seen from outside; its own watches end with it.
- its machine gone: at most 150 + 8 x 150 + 7 x 50 = 1.7 s until it is out and its sessions are cut;
  until then a new connection to it waits for ``timeout connect`` (500 ms) and goes elsewhere.
- API server or its etcd hung: at most 500 (until the next check) + 500 (time-out) + 100
  (fastinter) + 500 (time-out) + 200 ms (until the peers ask) = 1.8 s.
- no quorum, all processes alive: at most 500 + 4000 + 100 + 4000 + 200 ms = 8.8 s until all are
  out and a client's connection is closed at once; until then it waits for its own time-out.
"""

from __future__ import annotations

from homelab.site import derived
from homelab.site.model import Site

QUESTION = "ready?"
CUT = "on-marked-down shutdown-sessions"
ALIVE = "/livez?exclude=etcd"
ETCD_PORT = 2381  # kubeadm's listener for metrics: plain HTTP on loopback

# HAProxy's own words for agent-check, as Lua services: its configuration can only speak HTTP.
ANSWERS = """
for _, answer in ipairs({"up", "down"}) do
  core.register_service(answer, "tcp", function(applet)
    applet:send(answer .. "\\n")
  end)
end
"""


def path(site: Site) -> str:
    """What an API server is asked.

    ``/readyz`` includes etcd: without quorum no API server is ready, all are out, and a client's
    connection is closed at once ("closed"). ``/livez`` includes etcd as well (AddHealthChecks in
    k8s.io/apiserver/pkg/server/config.go), so "open" leaves that check out and keeps every API
    server that answers.
    """
    return "/readyz" if site.api.without_quorum == "closed" else ALIVE


def answer_peers(site: Site) -> str:
    """Rules of the API's own frontend, so that there is no other port to open.

    Peers that speak TLS, as everyone else does, are balanced as everyone else.
    """
    if not _on_control_planes(site):
        return ""
    peers = " ".join(machine.address for machine in derived.balancers(site))
    ready = " ".join(f"{{ nbsrv({name}) gt 0 }}" for name in _own(site))
    asked = f"{{ req.payload(0,{len(QUESTION)}) -m str {QUESTION} }}"
    return f"""    tcp-request inspect-delay 1s
    tcp-request content accept unless {{ src {peers} }}
    tcp-request content use-service lua.up if {asked} {ready}
    tcp-request content use-service lua.down if {asked}
"""


def backends(site: Site) -> str:
    """Backend ``api``; and what this machine's own API server is asked, where it has one."""
    # Sessions live for hours: with leastconn a backend that comes back gets the new ones.
    api = "backend api\n    balance leastconn\n"
    if not _on_control_planes(site):
        asked = f"{_request(path(site), site)}    default-server {_asked(site)} {CUT}\n"
        return f"{api}{asked}{_servers(site)}"
    return (
        f"{api}    default-server {reached(site)} {_agent(site)} {CUT}\n{_servers(site)}\n"
        "# They carry no traffic: what peers hear when they ask.\n" + "\n".join(_own(site).values())
    )


def _own(site: Site) -> dict[str, str]:
    """Backends by name that must all be up for this machine's API server to be ready."""
    server = f"    server self 127.0.0.1:{derived.API_PORT} {_asked(site)}\n"
    alive = f"backend self-alive\n{_request(ALIVE, site)}{server}"
    if site.api.without_quorum == "open":
        return {"self-alive": alive}
    # Any answer will do, and there is nothing at "/" that would ask the other members.
    etcd = (
        "backend self-etcd\n    option httpchk GET /\n    http-check expect status 404\n"
        f"    server self 127.0.0.1:{ETCD_PORT} check {_pace(site)}\n"
    )
    ready = (
        f"backend self-ready\n    timeout check {site.timings.ready_ms}ms\n"
        f"{_request(path(site), site)}{server}"
    )
    return {"self-alive": alive, "self-etcd": etcd, "self-ready": ready}


def reached(site: Site) -> str:
    """The check of a port alone: fast, and not misled by lost packets."""
    timing = site.timings
    return (
        f"check inter {timing.reach_ms}ms fastinter {max(timing.reach_ms // 3, 1)}ms "
        f"downinter {timing.check_ms}ms fall {timing.reach_fall} rise {timing.check_rise}"
    )


def _on_control_planes(site: Site) -> bool:
    return site.api.balancers == "control_planes"


def _agent(site: Site) -> str:
    """The question to the control plane's own HAProxy."""
    return (
        f'agent-check agent-port {derived.balanced_port(site)} agent-send "{QUESTION}\\n" '
        f"agent-inter {max(site.timings.check_ms * 2 // 5, 1)}ms"
    )


def _asked(site: Site) -> str:
    """The check of readiness itself.

    ``verify none``: the cluster's CA does not exist before its first control plane does. The check
    sends no secret, and clients verify the API server themselves, through the TCP proxy.
    """
    return f"check check-ssl verify none {_pace(site)}"


def _pace(site: Site) -> str:
    timing = site.timings
    return (
        f"inter {timing.check_ms}ms fastinter {max(timing.check_ms // 5, 1)}ms "
        f"fall {timing.check_fall} rise {timing.check_rise}"
    )


def _request(uri: str, site: Site) -> str:
    return f"""    option httpchk
    http-check send meth GET uri {uri} ver HTTP/1.1 hdr Host {site.api.name}
    http-check expect status 200
"""


def _servers(site: Site) -> str:
    return "".join(
        f"    server {machine.name} {machine.address}:{derived.API_PORT}\n"
        for machine in derived.control_planes(site)
    )
