"""``python -m bench [deploy|noop|ansible|growth|all]``: measure, print, keep in docs/results.

deploy   the bare script and the deploy, each on fresh machines
noop     the deploy again on the machines of the last one (deployed if there are none)
ansible  ansible-core on the same machines
growth   the no-op on 1, 3, 10 and 30 hosts
"""

from __future__ import annotations

import argparse
import sys

from rich.console import Console
from rich.markdown import Markdown

from bench import ansible, cluster
from bench.errors import BenchError
from bench.fleet import growth
from bench.results import FOLDER, Results, page
from homelab.lab import Lab, LabError, lifecycle

COUNTS = (1, 3, 10, 30)


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser("bench", description=__doc__, formatter_class=_Plain)
    commands = ("deploy", "noop", "ansible", "growth", "all")
    made.add_argument("command", choices=commands, nargs="?", default="all")
    made.add_argument("--repeats", type=int, default=1, help="of what needs fresh machines (1)")
    made.add_argument("--noops", type=int, default=3, help="repeats of what changes nothing (3)")
    made.add_argument("--hosts", type=int, nargs="+", default=COUNTS, help="for growth (1 3 10 30)")
    made.add_argument("--keep", action="store_true", help="leave the lab up afterwards")
    return made


class _Plain(argparse.RawDescriptionHelpFormatter):
    """Keeps the lines of the module's docstring."""


def deployed() -> Lab:
    """The lab with the cluster on it; made if it is not there."""
    lab = Lab(cluster.NAME)
    if not lab.docker.alive():
        lab = cluster.fresh_lab()
    cluster.deploy(lab, "deploy")  # after a first deploy this is the run that warms the caches up
    return lab


def measure(args: argparse.Namespace, results: Results) -> None:
    """Run what was asked for and keep each figure as soon as it is known."""
    wanted = {"deploy", "noop", "ansible", "growth"} if args.command == "all" else {args.command}
    if "deploy" in wanted:
        results.runs |= {"bare": [], "deploy": []}
        for _ in range(args.repeats):
            results.runs["bare"].append(cluster.bare(cluster.fresh_lab()))
            results.runs["deploy"].append(cluster.deploy(cluster.fresh_lab(), "deploy"))
        keep(results, "deploy")
    if wanted & {"noop", "ansible"}:
        lab = deployed()
        if "noop" in wanted:
            results.runs["no-op"] = [cluster.deploy(lab, "no-op") for _ in range(args.noops)]
            keep(results, "noop")
        if "ansible" in wanted:
            results.runs["ansible"] = ansible.noop(lab, args.noops)
            keep(results, "ansible")
    if wanted - {"growth"} and not args.keep:
        lifecycle.down(cluster.NAME)
    if "growth" in wanted:
        results.growth = growth.measure(tuple(args.hosts), args.noops)
        keep(results, "growth")


def keep(results: Results, command: str) -> None:
    results.stamp(command)
    results.write()


def main(argv: list[str] | None = None) -> int:
    """0 if everything could be measured, whatever it was; 1 if a run failed."""
    args = parser().parse_args(argv)
    results = Results.read(FOLDER / "bench.json")
    try:
        measure(args, results)
    except (BenchError, LabError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    Console().print(Markdown(page(results)))
    print(f"kept in {FOLDER}/bench.md and bench.json")
    return 0


if __name__ == "__main__":
    sys.exit(main())
