"""The end of a run: proof by traffic, the admin kubeconfig, the summary."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

from pyinfra import host, logger, state
from pyinfra.api import FactBase, FunctionCommand, StringCommand, operation

from facts.layer import APPLIED
from facts.nodes import Nodes
from homelab.site import derived
from operations import quiet

if TYPE_CHECKING:
    from deploys.run import Run


PROVEN = f"{APPLIED}/traffic"


class TrafficProven(FactBase[str]):
    """For which declaration the traffic test has passed last; "" if never.

    .. code:: python

        host.get_fact(TrafficProven)
    """

    def command(self) -> str:
        return f"cat {PROVEN} 2>/dev/null || true"

    @staticmethod
    def default() -> str:
        return ""

    def process(self, output: list[str]) -> str:
        return "".join(output).strip()


@operation()
def traffic(
    script: tuple[str, str], declaration: str, anew: bool
) -> Generator[StringCommand, None, None]:
    """Run a script with its standard input; it fails with the pod and the target in its words.

    Once for each ``declaration`` (a digest of all that is in force), however often a run was
    killed before it came to this; ``anew`` when a machine has joined.
    """
    if not anew and host.get_fact(TrafficProven) == declaration:
        host.noop("proven for this declaration")
        return
    command, manifests = script
    yield StringCommand(command, _stdin=manifests)
    yield StringCommand(f"echo {declaration} > {PROVEN}.new && mv -f {PROVEN}.new {PROVEN}")


@operation()
def fetch_kubeconfig(source: str, target: str) -> Generator[FunctionCommand, None, None]:
    """Copy the admin kubeconfig to the controller, readable by its user alone."""
    path = Path(target)
    try:
        wanted = quiet.read(host, f"cat {source} 2>/dev/null || true")
    except Exception:  # before the cluster exists there is none
        wanted = ""
    right = path.exists() and path.read_text() == wanted and path.stat().st_mode & 0o777 == 0o600
    if wanted and right:
        host.noop(f"{target} is the cluster's")
        return
    yield FunctionCommand(_write, [path, source], {})


def _write(path: Path, source: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(quiet.read(host, f"cat {source}"))
    temporary.replace(path)


@operation()
def summary(run: Run) -> Generator[StringCommand, None, None]:
    """What runs where, how to use it, how long each phase took; changes nothing."""
    if state.is_executing:
        for line in summary_lines(run):
            logger.info(line)
    return
    yield  # an operation is a generator


def summary_lines(run: Run) -> list[str]:
    """One screen of text."""
    site = run.site
    api = f"https://{site.api.vip}:{derived.balanced_port(site)}"
    config = derived.out_folder(site) / "admin.conf"
    lines = ["", f"{site.name}: Kubernetes {site.kubernetes.version}, API at {api}"]
    ready = {node.name: node for node in host.get_fact(Nodes).nodes or ()}
    for machine in site.machines:
        node = ready.get(machine.name)
        shown = "Ready" if node and node.ready else "balancer" if node is None else "not Ready"
        lines.append(
            f"  {machine.name:<12} {machine.address:<15} {'+'.join(machine.roles):<24} {shown}"
        )
    times = ", ".join(
        f"{name.lower()} {seconds:.0f} s"
        for name, seconds in run.clock.phases.items()
        if seconds >= 1
    )
    lines += [
        f"  use it:   export KUBECONFIG={config}; kubectl get nodes",
        f"  it took:  {times or 'no time: nothing to do'}",
    ]
    return lines
