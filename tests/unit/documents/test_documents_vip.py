"""keepalived's documents, and the check of HAProxy that it relies on."""

from __future__ import annotations

import http.server
import itertools
import os
import re
import socket
import subprocess
import threading
from pathlib import Path

import pytest

from homelab.documents.balancer import CONFIG, SOCKET, haproxy
from homelab.documents.traits import Traits
from homelab.documents.vip import CONFIG as KEEPALIVED
from homelab.documents.vip import SCRIPT, keepalived, priority
from homelab.site import derived
from homelab.site.model import Machine, Site
from tests.unit.documents.document_sites import (
    BARE,
    CONTAINER,
    lab,
    rack,
    shell,
    stage,
    text,
    tool,
)

ALONE = lab(machines=lab().machines[:1], allow_no_ha=True)
BALANCERS = [(site, m) for site in (lab(), rack(), ALONE) for m in derived.balancers(site)]
NAMES = [m.name if site is not ALONE else "alone" for site, m in BALANCERS]


@pytest.mark.parametrize(("site", "machine"), BALANCERS, ids=NAMES)
def test_keepalived_takes_its_configuration(site: Site, machine: Machine, tmp_path: Path) -> None:
    tool("keepalived")
    layer = keepalived(site, machine, BARE)
    port = re.search(r"interface (\S+)", text(layer, KEEPALIVED))
    assert port
    folder = stage(layer, tmp_path)
    shell(
        f"ip link add {port[1]} type veth peer name peer && ip link set {port[1]} up\n"
        f"ip address add {machine.address}/24 dev {port[1]}\n{layer.check}",
        namespace=True,
        STAGE=str(folder),
    )


def test_keepalived_refuses_a_misspelt_key(tmp_path: Path) -> None:
    """The checker that the deploy relies on does check."""
    tool("keepalived")
    layer = keepalived(lab(), lab().machines[0], BARE)
    config = stage(layer, tmp_path) / KEEPALIVED.lstrip("/")
    config.write_text(config.read_text().replace("advert_int", "advert_interval"))
    link = "ip link add eth0 type veth peer name peer"
    with pytest.raises(AssertionError, match="advert_interval"):
        shell(f"{link}\n{layer.check}", namespace=True, STAGE=str(tmp_path))


def test_vrrp_is_unicast_between_the_balancers_alone() -> None:
    for site in (lab(), rack()):
        machines = derived.balancers(site)
        for machine in machines:
            config = text(keepalived(site, machine, BARE), KEEPALIVED)
            assert f"unicast_src_ip {machine.address}\n" in config
            block = re.search(r"unicast_peer \{([^}]*)\}", config)
            assert block
            assert block[1].split() == [m.address for m in machines if m != machine]
            assert f"{site.api.vip}/32" in config
            assert "state BACKUP" in config
            assert "nopreempt" in config


def test_one_balancer_has_no_peers() -> None:
    """keepalived refuses unicast without any."""
    assert "unicast_" not in text(keepalived(ALONE, ALONE.machines[0], BARE), KEEPALIVED)


def test_priorities_are_distinct_and_their_skews_far_apart() -> None:
    site = lab()
    found = [priority(site, machine) for machine in derived.balancers(site)]
    assert found == sorted(set(found), reverse=True)
    skews = [(256 - p) / 256 * site.timings.advert_ms for p in found]
    assert min(b - a for a, b in itertools.pairwise(skews)) > 20
    many = tuple(m.replace(name=f"m{n}") for n in range(9) for m in site.machines[:1])
    big = lab(machines=many)
    assert all(1 <= priority(big, machine) <= 254 for machine in many)


def test_the_interface_is_the_bond_where_we_make_it_and_as_found_elsewhere() -> None:
    config = text(keepalived(lab(), lab().machines[0], Traits(interface="ens3")), KEEPALIVED)
    assert "interface ens3\n" in config
    assert "vrrp_startup_delay" not in config
    site = rack(api=rack().api.replace(balancers="control_planes"))
    config = text(keepalived(site, site.machines[0], BARE), KEEPALIVED)
    assert "interface bond0\n" in config
    assert "vrrp_startup_delay 3" in config


class Alive(http.server.BaseHTTPRequestHandler):
    """Answers as HAProxy's monitor-uri does."""

    def do_GET(self) -> None:
        self.wfile.write(
            b"HTTP/1.0 200 OK\r\n\r\n" if self.path == "/alive" else b"HTTP/1.0 503 X\r\n"
        )

    def log_message(self, format: str, *arguments: object) -> None:
        pass


def check_script(folder: Path, port: int) -> int:
    layer = keepalived(lab(), lab().machines[0], CONTAINER)
    script = folder / "check"
    script.write_text(text(layer, SCRIPT).replace("/127.0.0.1/8404", f"/127.0.0.1/{port}"))
    script.chmod(0o755)
    return subprocess.run([script], timeout=5, stdin=subprocess.DEVNULL, check=False).returncode


def test_the_check_sees_haproxy_alive_hung_and_dead(tmp_path: Path) -> None:
    tool("bash")
    with http.server.HTTPServer(("127.0.0.1", 0), Alive) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        assert check_script(tmp_path, server.server_port) == 0
        server.shutdown()
    with socket.create_server(("127.0.0.1", 0)) as hung:  # accepts in the kernel, never answers
        assert check_script(tmp_path, hung.getsockname()[1]) != 0
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    assert check_script(tmp_path, port) != 0


def test_the_check_asks_haproxy_itself(tmp_path: Path) -> None:
    """The real HAProxy, with our configuration, stopped and continued."""
    program = tool("haproxy")
    if os.geteuid() != 0:
        pytest.skip("HAProxy drops to its own user: only root can start it so")
    layer = haproxy(lab(), lab().machines[0])
    config = stage(layer, tmp_path) / CONFIG.lstrip("/")
    config.write_text(config.read_text().replace(SOCKET, str(tmp_path / "admin.sock")))
    keeper = keepalived(lab(), lab().machines[0], CONTAINER)
    script = stage(keeper, tmp_path) / SCRIPT.lstrip("/")
    shell(
        f"""set -e
        ip link set lo up
        {program} -db -f {config} 2>/dev/null & pid=$!
        trap 'kill -9 $pid' EXIT
        for i in $(seq 50); do {script} && break; sleep 0.1; done
        {script}
        kill -STOP $pid
        ! {script}
        kill -CONT $pid
        {script}
        kill -9 $pid; sleep 0.1
        trap - EXIT
        ! {script}
        """,
        namespace=True,
    )
