"""HAProxy's documents, in its own eyes."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from homelab.documents import readiness
from homelab.documents.balancer import CONFIG, SOCKET, haproxy
from homelab.site import derived
from homelab.site.model import Machine, Site
from tests.unit.documents.document_sites import (
    lab,
    rack,
    run_check,
    shell,
    stage,
    text,
    tool,
)

BALANCERS = [(site, m) for site in (lab(), rack()) for m in derived.balancers(site)]
NAMES = [m.name for _, m in BALANCERS]


@pytest.mark.parametrize(("site", "machine"), BALANCERS, ids=NAMES)
def test_haproxy_takes_its_configuration(site: Site, machine: Machine, tmp_path: Path) -> None:
    assert run_check(haproxy(site, machine), tmp_path) == ""


def test_the_api_is_balanced_to_every_control_plane_and_nothing_else() -> None:
    for site, port in ((lab(), 8443), (rack(), 6443)):
        machine = derived.balancers(site)[-1]
        config = text(haproxy(site, machine), CONFIG)
        assert f"\n    bind :{port}\n" in config
        backend = config.partition("\nbackend api\n")[2].partition("\n\n")[0]
        servers = re.findall(r"^    server (\S+) (\S+)$", backend, re.M)
        assert servers == [(m.name, f"{m.address}:6443") for m in derived.control_planes(site)]


def test_only_the_dmz_host_takes_the_worlds_traffic() -> None:
    for site in (lab(), rack()):
        for machine in derived.balancers(site):
            config = text(haproxy(site, machine), CONFIG)
            assert site.ingress
            assert ("bind :443\n" in config) == (machine.name == site.ingress.dmz)
            if "bind :443\n" in config:
                for node in derived.nodes(site):
                    assert f"server {node.name} {node.address}:30443\n" in config


def test_nobody_but_root_administers_haproxy() -> None:
    config = text(haproxy(lab(), lab().machines[0]), CONFIG)
    assert f"stats socket {SOCKET} mode 600" in config
    assert re.findall(r"bind +([\d.]+)", config) == ["127.0.0.1"]
    assert "stats enable" not in config


def test_what_happens_without_quorum_is_the_sites_choice() -> None:
    site = lab()
    assert readiness.path(site) == "/readyz"
    opened = site.replace(api=site.api.replace(without_quorum="open"))
    assert readiness.path(opened) == "/livez?exclude=etcd"
    config = text(haproxy(opened, opened.machines[0]), CONFIG)
    assert "uri /livez?exclude=etcd ver" in config
    assert "/readyz" not in config
    assert "self-etcd" not in config


def test_a_dead_backend_is_out_within_two_seconds_by_default() -> None:
    timing = lab().timings
    worst = timing.check_ms + timing.check_timeout_ms * 2 + timing.check_ms // 2
    assert timing.check_fall == 2
    assert worst < 2000


READY = """
import http.server, ssl, sys, time
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/readyz":
            time.sleep(1)  # etcd's quorum may take its time
        self.send_response(200 if self.path in ("/readyz", "/livez?exclude=etcd") else 404)
        self.end_headers()
server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Ready)
if len(sys.argv) > 2:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2])
    server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
"""


def test_peers_hear_whether_this_machines_api_server_is_ready(tmp_path: Path) -> None:
    """The real HAProxy: asked without an API server, with one, and with one part that hangs."""
    program = tool("haproxy")
    tool("openssl")
    if os.geteuid() != 0:
        pytest.skip("HAProxy drops to its own user: only root can start it so")
    site = lab()
    config = stage(haproxy(site, site.machines[0]), tmp_path) / CONFIG.lstrip("/")
    config.write_text(config.read_text().replace(SOCKET, str(tmp_path / "admin.sock")))
    own = site.machines[0].address
    said = shell(
        f"""set -e
        ip link set lo up; ip address add {own}/32 dev lo
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=api \
            -keyout {tmp_path}/key -out {tmp_path}/certificate 2>/dev/null
        cat {tmp_path}/key {tmp_path}/certificate > {tmp_path}/pem
        {program} -db -f {config} >/dev/null 2>&1 & balancer=$!
        trap 'kill -9 $balancer $server $etcd' EXIT
        ask() {{  # as agent-check does, from a peer's address
            bash -c 'exec 3<>/dev/tcp/{own}/8443; printf "ready?\\n" >&3; head -1 <&3' || echo none
        }}
        hears() {{ for i in $(seq 60); do [ "$(ask)" = $1 ] && break; sleep 0.1; done; ask; }}
        hears down
        python3 -c "$READY" 6443 {tmp_path}/pem >/dev/null 2>&1 & server=$!
        python3 -c "$READY" 2381 >/dev/null 2>&1 & etcd=$!
        hears up
        kill -STOP $server; hears down; kill -CONT $server; hears up
        kill -STOP $etcd; hears down
        """,
        namespace=True,
        READY=READY,
    )
    assert [line for line in said.splitlines() if line in ("up", "down")] == [
        "down",
        "up",
        "down",
        "up",
        "down",
    ]


def test_a_lost_packet_does_not_take_a_backend_out_and_silence_does_in_two_seconds() -> None:
    timing = lab().timings
    lost = 1 - 0.95**2  # of every twenty packets one, there or back
    tries = 1800_000 / timing.reach_ms * 6  # in half an hour, by three balancers
    assert lost**timing.reach_fall * tries < 0.01
    worst = timing.reach_ms + timing.reach_fall * timing.reach_ms
    assert worst + (timing.reach_fall - 1) * timing.reach_ms // 3 < 2000
    adverts = 1800_000 / timing.advert_ms * 2
    assert 0.05**timing.advert_fall * adverts < 0.01
    assert timing.advert_fall * timing.advert_ms + timing.advert_ms < 1000


def test_balancers_of_their_own_ask_the_api_servers_themselves() -> None:
    site = rack()
    config = text(haproxy(site, site.machines[3]), CONFIG)
    assert "agent-check" not in config
    assert "backend self-" not in config
    assert "default-server check check-ssl" in config
