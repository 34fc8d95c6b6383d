"""``python -m bench [up|deploy|noop|ansible|growth|all]``: measure, print, keep in docs/results.

up       machines and cluster from nothing, as `nox -s lab` makes them, with everything built
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
from homelab.lab import Lab, LabError, lifecycle, opened

COMMANDS = ("up", "deploy", "noop", "ansible", "growth")
COUNTS = (1, 3, 10, 30)


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser("bench", description=__doc__, formatter_class=_Plain)
    made.add_argument("command", choices=(*COMMANDS, "all"), nargs="?", default="all")
    made.add_argument("--repeats", type=int, default=1, help="of what needs fresh machines (1)")
    made.add_argument("--noops", type=int, default=3, help="repeats of what changes nothing (3)")
    made.add_argument("--hosts", type=int, nargs="+", default=COUNTS, help="for growth (1 3 10 30)")
    made.add_argument("--keep", action="store_true", help="leave the lab up afterwards")
    return made


class _Plain(argparse.RawDescriptionHelpFormatter):
    """Keeps the lines of the module's docstring."""


def deployed() -> Lab:
    """The lab with the cluster on it; made if it is not there."""
    lab = opened(cluster.NAME)
    if not lab.alive():
        lab = cluster.fresh_lab()
    cluster.deploy(lab, "deploy")  # after a first deploy this is the run that warms the caches up
    return lab


def measure(args: argparse.Namespace, results: Results) -> None:
    """Run what was asked for and keep each figure as soon as it is known."""
    wanted = {*COMMANDS} if args.command == "all" else {args.command}
    if on_the_lab := wanted - {"growth"}:
        try:
            measure_on_the_lab(on_the_lab, args, results)
        finally:  # the logs of a run that failed lie elsewhere
            if not args.keep:
                lifecycle.down(cluster.NAME)
    if "growth" in wanted:
        results.growth = {}
        for count, found in growth.measure(tuple(args.hosts), args.noops):
            results.growth[count] = found
            keep(results, "growth")


def measure_on_the_lab(wanted: set[str], args: argparse.Namespace, results: Results) -> None:
    """All but growth."""
    if "up" in wanted:
        results.runs["up"] = [cluster.from_nothing() for _ in range(args.repeats)]
        keep(results, "up")
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
