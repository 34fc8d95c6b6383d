"""``python -m homelab.probe NAME …``: one probe, until SIGTERM; JSON lines on stdout."""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import json
import signal
import sys
from argparse import Namespace
from pathlib import Path

from homelab.probe import holders, writes
from homelab.probe.access import from_kubeconfig
from homelab.probe.api import Api
from homelab.probe.connections import connect, get
from homelab.probe.pace import Try, keep_trying
from homelab.probe.scan import open_ports


def main(argv: list[str] | None = None) -> int:
    """Run the probe that ``argv`` names; lines go out one by one, as they come."""
    arguments = _parser().parse_args(argv)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    _end_with_parent()
    arguments.run_probe(arguments)
    return 0


def _end_with_parent() -> None:
    """A harness that was killed leaves no probe behind: prctl(2), PR_SET_PDEATHSIG."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def _vip(given: Namespace) -> None:
    _keep_trying(given, {f"{given.address}:{given.port}": connect(given.address, given.port)})


def _reads(given: Namespace) -> None:
    access = from_kubeconfig(given.kubeconfig)
    url = f"https://{access.name}:{access.port}/readyz"
    _keep_trying(given, {url: get(url, address=given.address, context=access.server())})


def _service(given: Namespace) -> None:
    _keep_trying(given, {url: get(url) for url in given.urls})


def _writes(given: Namespace) -> None:
    api = Api(from_kubeconfig(given.kubeconfig), given.address, timeout=given.timeout)
    writes.keep_writing(api, given.run, given.every, sys.stdout)


def _holders(given: Namespace) -> None:
    holders.keep_asking(given.address, given.every, sys.stdout)


def _scan(given: Namespace) -> None:
    print(json.dumps({address: open_ports(address) for address in given.addresses}))


def _keep_trying(given: Namespace, tries: dict[str, Try]) -> None:
    asyncio.run(keep_trying(tries, given.every, given.timeout, sys.stdout))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m homelab.probe", description=__doc__)
    probes = parser.add_subparsers(required=True, metavar="PROBE")
    # What several probes take.
    address = argparse.ArgumentParser(add_help=False)
    address.add_argument("--address", required=True, help="the VIP")
    kubeconfig = argparse.ArgumentParser(add_help=False)
    kubeconfig.add_argument("--kubeconfig", type=Path, required=True)

    vip = probes.add_parser("vip", parents=[address], help="does the VIP take TCP connections?")
    vip.set_defaults(run_probe=_vip)
    vip.add_argument("--port", type=int, required=True)
    _pace(vip, every=0.05, timeout=0.5)

    text = "GET /readyz through the VIP, each on a fresh connection"
    reads = probes.add_parser("reads", parents=[address, kubeconfig], help=text)
    reads.set_defaults(run_probe=_reads)
    _pace(reads, every=0.1, timeout=1.0)

    text = "write through the VIP, and note what was acknowledged"
    written = probes.add_parser("writes", parents=[address, kubeconfig], help=text)
    written.set_defaults(run_probe=_writes)
    written.add_argument("--run", required=True, help="label of what this run writes")
    _pace(written, every=0.1, timeout=1.0)

    service = probes.add_parser("service", help="GET each URL, each on a fresh connection")
    service.set_defaults(run_probe=_service)
    service.add_argument("urls", nargs="+", metavar="URL")
    _pace(service, every=0.1, timeout=0.5)

    text = "which machines answer for the VIP? (root)"
    holder = probes.add_parser("holders", parents=[address], help=text)
    holder.set_defaults(run_probe=_holders)
    holder.add_argument("--every", type=float, default=0.05, help="seconds between rounds")

    text = "all open TCP ports of each address, once, as JSON (root)"
    scan = probes.add_parser("scan", help=text)
    scan.set_defaults(run_probe=_scan)
    scan.add_argument("addresses", nargs="+", metavar="ADDRESS")
    return parser


def _pace(probe: argparse.ArgumentParser, every: float, timeout: float) -> None:
    probe.add_argument("--every", type=float, default=every, help="seconds between starts")
    probe.add_argument("--timeout", type=float, default=timeout, help="seconds per attempt")


if __name__ == "__main__":
    sys.exit(main())
