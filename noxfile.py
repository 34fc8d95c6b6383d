"""Everything a person runs: `./nox -l` lists it, `./nox` alone runs all tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nox

nox.options.default_venv_backend = "uv"
nox.options.error_on_missing_interpreters = True
# A second command beside a running one must not pull its environment away.
nox.options.reuse_venv = "yes"

REPO = Path(__file__).parent
CODE = (
    *("homelab", "facts", "operations", "deploys", "inventories", "bench", "tests"),
    *("noxfile.py", "config.py"),
)
# The real checkers of our documents, and a real etcd; their services are not started.
CHECKERS = (
    *("haproxy", "keepalived", "nftables", "udev", "openssl", "busybox-static"),
    *("etcd-server", "etcd-client"),
)
PYTHONS = ("3.11", "3.12", "3.13", "3.14")


def install(session: nox.Session, *groups: str) -> None:
    """Exactly what uv.lock says: the project's dependencies and those of ``groups``."""
    session.run_install(
        *("uv", "sync", "--frozen", "--quiet", "--no-default-groups", "--inexact"),
        *("--no-install-project", *(f"--group={group}" for group in groups)),
        env={"UV_PROJECT_ENVIRONMENT": session.virtualenv.location},
        external=True,
    )


def as_root(session: nox.Session, *words: str) -> None:
    """The lab needs namespaces, mounts and a Docker daemon of its own: sudo, where not root."""
    passed = ("HOMELAB_", "XDG_CACHE_", "CI")
    kept = [f"{k}={v}" for k, v in os.environ.items() if k.startswith(passed)]
    sudo = [] if os.geteuid() == 0 else ["sudo", "env", f"PATH={os.environ['PATH']}", *kept]
    python = str(Path(session.virtualenv.bin) / "python")
    session.run(*sudo, python, *words, external=True, env={"PYTHONPATH": str(REPO)})


def plain(session: nox.Session, *words: str) -> None:
    session.run("python", *words, env={"PYTHONPATH": str(REPO)})


def reading(session: nox.Session, module: str) -> None:
    """Its exit code is the session's: 2, something is wrong; 1, not all could be read."""
    install(session)
    words = ("python", "-m", module, *session.posargs)
    try:
        session.run(*words, env={"PYTHONPATH": str(REPO)})
    except nox.command.CommandFailed as failure:
        raise SystemExit(failure.return_code or 1) from None


@contextmanager
def told() -> Iterator[None]:
    """The program has said what is wrong: of every failure nox itself would make 1."""
    try:
        yield
    except nox.command.CommandFailed:
        raise SystemExit(2) from None


@nox.session
def lint(session: nox.Session) -> None:
    """Style and slips: ruff, and the lock file's age."""
    install(session, "lint")
    session.run("ruff", "check", *CODE)
    session.run("ruff", "format", "--check", *CODE)
    session.run("uv", "lock", "--check", "--quiet", external=True)


@nox.session
def types(session: nox.Session) -> None:
    """mypy, strict."""
    install(session, "lint", "types", "test", "e2e")
    session.run("mypy")


@nox.session
def unit(session: nox.Session) -> None:
    """Pure logic, parsers, documents by their real checkers, plans by pyinfra's own CLI."""
    install(session, "test")
    as_root(session, "-m", "homelab.lab.debian", *CHECKERS)
    session.run("pytest", "-n", "2", *session.posargs)


@nox.session
def e2e(session: nox.Session) -> None:
    """The lab, the deploy, every fault; then a VM and its bond: docs/tests.md (-- --all: more)."""
    install(session, "test", "e2e")
    words = ["tests/vms" if word == "bonds" else word for word in session.posargs]
    # No cache: it would be root's, in a clone that is the user's.
    plugins = ("-p", "no:randomly", "-p", "no:cacheprovider")
    chosen = any(word.startswith("tests/") for word in words)
    as_root(session, "-m", "pytest", *plugins, *(() if chosen else ("tests/e2e",)), *words)
    if not words:  # what needs a kernel, emulated: a quarter of an hour
        as_root(session, "-m", "pytest", *plugins, "tests/vms")


@nox.session(default=False)
def lab(session: nox.Session) -> None:
    """The lab: up and deploy; -- up|deploy|status|ssh|logs|kill|start|freeze|cut|heal|down …"""
    install(session)
    as_root(session, "-m", "homelab.lab", *session.posargs)


@nox.session(default=False)
def check(session: nox.Session) -> None:
    """Validate a site and show it: -- inventories/homelab.py."""
    install(session)
    with told():
        plain(session, "-m", "homelab.check", *session.posargs)


@nox.session(default=False)
def switch(session: nox.Session) -> None:
    """The switch against the site: -- INVENTORY [--apply|--cables]."""
    install(session)
    with told():
        plain(session, "-m", "homelab.switch", *session.posargs)


@nox.session(default=False)
def router(session: nox.Session) -> None:
    """What to set on the router: -- INVENTORY [--probe ADDRESS], that from outside."""
    install(session)
    run = as_root if "--probe" in session.posargs else plain  # a probe has raw sockets
    with told():
        run(session, "-m", "homelab.router", *session.posargs)


@nox.session(default=False)
def network(session: nox.Session) -> None:
    """The bonds of all machines, what is wrong and what to do: -- inventories/homelab.py."""
    reading(session, "deploys.report")


@nox.session(default=False)
def drift(session: nox.Session) -> None:
    """What is no longer as declared; reads only: -- inventories/homelab.py [--html FILE …]."""
    reading(session, "deploys.drift")


@nox.session(default=False)
def bundle(session: nox.Session) -> None:
    """Collect all that a site needs into a folder, verified: -- INVENTORY [--into FOLDER]."""
    install(session)
    env = {"PYTHONPATH": str(REPO)}
    session.run("python", "-m", "homelab.artefacts", *session.posargs, env=env)


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Figures, no verdicts: the deploy against a bare script, the no-op against Ansible."""
    install(session, "bench")
    as_root(session, "-m", "bench", *session.posargs)


@nox.session(default=False)
def wheels(session: nox.Session) -> None:
    """Every locked dependency has a wheel for each Python that we support."""
    install(session)
    locked = Path(session.create_tmp()) / "locked.txt"
    export = ("uv", "export", "--frozen", "--quiet", "--all-groups", "--no-emit-project")
    session.run(*export, "--no-hashes", "-o", str(locked), external=True)
    for python in PYTHONS:
        resolve = ("uv", "pip", "compile", "--quiet", "--python-version", python)
        session.run(
            *resolve, "--only-binary", ":all:", str(locked), "-o", os.devnull, external=True
        )
