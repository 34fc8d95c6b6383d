"""Reads all machines at the same time: two round trips each, and a third where files differ.

Nothing is changed and nothing written: the script goes to ``sh`` on standard input, its answers
come on standard output. A machine that fails keeps no other one from being read.
"""

from __future__ import annotations

import base64
import secrets
import shlex
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import gevent
from paramiko import SSHException
from pyinfra.api.command import StringCommand
from pyinfra.api.config import Config
from pyinfra.api.exceptions import FactProcessError, PyinfraError
from pyinfra.api.host import Host
from pyinfra.api.inventory import Inventory
from pyinfra.api.state import State
from pyinfra.context import ctx_host, ctx_state

from deploys import layers as layers_of
from deploys import packages
from deploys.drift import ask
from deploys.drift.admin_keys import admin_keys
from deploys.progress import Clock
from deploys.run import Run
from facts import batch
from homelab.drift.view import Told, View
from homelab.preflight.survey import Survey
from homelab.site import derived
from homelab.site.model import Site

# What connecting, asking and reading an answer raise; another exception is a mistake of ours.
FAILURES = (PyinfraError, SSHException, OSError, EOFError, ValueError)
TEXT = 100_000  # bytes of a file: more is no configuration
SECONDS = 300  # for one round trip of an emulated machine; each fact has 30 of them at most


def read(site: Site, hosts: Iterable[tuple[str, dict[str, Any]]]) -> View:
    """Everything that all machines say now. Raises nothing for what a machine does."""
    inventory = Inventory((list(hosts), {}))
    state = State(inventory, Config(CONNECT_TIMEOUT=10))
    targets = {target.name: target for target in inventory}
    told = {
        machine.name: Told(machine, silent="" if machine.name in targets else "it was not asked")
        for machine in site.machines
    }

    def everyone(step: Callable[[Host, Told], Told]) -> None:
        """One step on all machines that have not fallen silent."""

        def one(target: Host) -> None:
            with ctx_state.use(state), ctx_host.use(target):
                before = told[target.name]
                try:
                    told[target.name] = step(target, before)
                except FAILURES as error:
                    told[target.name] = replace(before, silent=_why(error))

        speaking = [targets[name] for name, t in told.items() if not t.silent]
        gevent.joinall([gevent.spawn(one, target) for target in speaking], raise_error=True)

    try:
        everyone(lambda target, before: _first(site, target, before))
        run = _run(site, told, targets, state)
        everyone(lambda target, before: _second(run, target, before))
        everyone(_contents)
    finally:
        for target in targets.values():
            target.disconnect()
    return View(site, tuple(told.values()), datetime.now(UTC))


def _first(site: Site, target: Host, before: Told) -> Told:
    target.connect(show_errors=False, raise_exceptions=True)
    asked = time.time()
    facts, unread = _ask(target, ask.first(site))
    survey = facts.get("survey")
    if isinstance(survey, Survey):
        survey.asked, survey.answered = asked, time.time()
    return replace(before, facts=replace(before.facts, **facts), unread=unread)


def _run(site: Site, told: Mapping[str, Told], targets: Mapping[str, Host], state: State) -> Run:
    """The deploy's own view of the machines, so that drift expects what the deploy would write."""
    surveys = {name: t.facts.survey for name, t in told.items() if t.facts.survey is not None}
    run = Run(site, Clock(derived.out_folder(site) / "timings.json"), surveys)
    if site.kubernetes.encrypt_secrets:
        digests = Counter(s.encrypts for s in surveys.values() if s.encrypts)
        having = [m.name for m in run.members if surveys[m.name].encrypts]
        # the key that most of them have: the odd one out is the drift
        for name in sorted(having, key=lambda n: -digests[surveys[n].encrypts]):
            with ctx_state.use(state), ctx_host.use(targets[name]):
                try:
                    run.encryption_key = layers_of.read_encryption_key(targets[name])
                    break
                except FAILURES:
                    continue  # the file's own finding, and another member has the same key
    return run


def _second(run: Run, target: Host, before: Told) -> Told:
    survey, machine = before.facts.survey, before.machine
    if survey is None:  # its reason stands in ``unread``; without it nothing else can be asked
        return before
    speaker = run.anchor == machine
    declared = layers_of.of(run, machine)
    facts, unread = _ask(target, ask.second(run.site, machine, survey, declared, speaker))
    return replace(
        before,
        facts=replace(before.facts, **facts),
        unread={**before.unread, **unread},
        layers=tuple(declared),
        packages=packages.wanted(run.site, machine, survey.is_container),
        admin_keys=admin_keys(machine),
    )


def _ask(target: Host, asked: Mapping[str, ask.Question]) -> tuple[dict[str, Any], dict[str, str]]:
    mark = secrets.token_hex(16)
    commands = {name: str(fact.command(**words)) for name, (fact, words) in asked.items()}
    output = _sh(target, batch.script(commands, mark))
    parts = batch.parts(output, mark)
    facts: dict[str, Any] = {}
    unread: dict[str, str] = {}
    for name, (fact, _) in asked.items():
        part = parts.get(name)
        if part is None or part.failure:
            unread[name] = part.failure if part else "the machine did not get to it"
            continue
        try:
            facts[name] = fact.process(list(part.lines))
        except FactProcessError as error:
            unread[name] = str(error)
    return facts, unread


def _contents(target: Host, before: Told) -> Told:
    """The second look, for a diff."""
    paths = worth_a_diff(before)
    if not paths:
        return before
    try:
        return replace(before, contents=texts(paths, _sh(target, texts_script(paths))))
    except FAILURES as error:  # all else of this machine has been told by now
        return replace(before, unread={**before.unread, "files that differ": _why(error)})


def _why(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def worth_a_diff(told: Told) -> list[str]:
    """Files that differ, but none that is declared to be secret or for root's eyes alone: a hand
    may have put a token there."""
    states = told.facts.layers or {}
    return [
        document.path
        for layer in told.layers
        for document in layer.documents
        if not document.secret and document.mode & 0o004 and layer.name in states
        and (now := states[layer.name].files.get(document.path)) is not None
        and now.sha256 != document.sha256
    ]  # fmt: skip


def texts_script(paths: Sequence[str]) -> str:
    """Shell: a line for each file, also for one that is empty or gone by now."""
    return "\n".join(
        f"printf '= '; head -c {TEXT} {shlex.quote(path)} 2>/dev/null | base64 -w0; echo"
        for path in paths
    )


def texts(paths: Sequence[str], lines: Sequence[str]) -> dict[str, str]:
    """Texts by path; ValueError unless there is a line for each."""
    told = [line.removeprefix("=").strip() for line in lines if line.startswith("=")]
    return {
        path: base64.b64decode(text).decode(errors="replace")
        for path, text in zip(paths, told, strict=True)
    }


def _sh(target: Host, script: str) -> list[str]:
    try:
        done, output = target.run_shell_command(
            StringCommand("sh"),
            _stdin=script,
            _sudo=bool(target.data.get("_sudo")),
            _timeout=SECONDS,
            print_output=False,
            print_input=False,
        )
    except TimeoutError as error:
        raise PyinfraError(f"no answer within {SECONDS} s") from error
    if not done and not output.stdout_lines:
        lines = [line for line in output.stderr_lines if line.strip()]
        raise PyinfraError(lines[-1] if lines else "the command failed, and said nothing")
    return list(output.stdout_lines)
