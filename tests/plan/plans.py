"""The plans that are tested: of the rack and of the lab, bare and finished."""

from __future__ import annotations

from pathlib import Path

from homelab.site import load_site
from homelab.site.model import Site
from tests.plan import answers
from tests.plan.cli import REPO, Ran, hand_over, pyinfra

FILES = {"rack": REPO / "inventories/homelab.py", "lab": REPO / "inventories/lab.py"}
DRY = ("--dry", "--json")


def site(name: str) -> Site:
    """The rack or the lab, from its own file."""
    return load_site(FILES[name])


def plan(name: str, folder: Path, answered: answers.Answers, *flags: str) -> Ran:
    """The plan for machines that answer so; with flags of another kind, what a run does."""
    return pyinfra(folder, FILES[name], answered, *(flags or DRY))


def bare(name: str, folder: Path, *flags: str) -> Ran:
    """Machines on which nothing has been done yet."""
    return plan(name, folder, answers.bare(site(name)), *flags)


def finished(name: str, folder: Path) -> Ran:
    """The cluster as it is declared, and its kubeconfig on the controller."""
    hand_over(folder, site(name).name)
    return plan(name, folder, answers.declared(site(name)))
