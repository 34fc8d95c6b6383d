"""kubelet: does it run, is it healthy by its own word, and with what configuration."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from pyinfra.api.facts import FactBase

from facts.questions import answers, questions
from facts.record import Reading, parsed, unknown
from facts.units import Unit, unit_question, units
from homelab.documents.kept import CONFIG, FLAGS


@dataclass(frozen=True)
class KubeletState(Reading):
    """``config`` is None without ``unread`` where the file does not exist (before kubeadm)."""

    unit: Unit | None = None
    version: str | None = None  # of the binary on disk, "v1.36.4"; the API knows the running one
    healthy: bool | None = None  # its /healthz; None: it did not answer
    health: str | None = None  # the answer's text
    config: Mapping[str, Any] | None = None  # KubeletConfiguration, as on disk
    flags: tuple[str, ...] | None = None  # that kubeadm gives it


def parse(output: list[str]) -> KubeletState:
    """Output of :class:`Kubelet`'s command; ValueError and the like on garbage."""
    asked = answers(output)
    if not asked:
        return Kubelet.default()
    unread = {name: answer.failure for name, answer in asked.items() if answer.failure}
    health = None if "health" in unread else _health(asked["health"].output)
    return KubeletState(
        unit=None if "unit" in unread else units(asked["unit"])[0],
        version=None if "version" in unread else _version(asked["version"].output),
        healthy=None if health is None else health[0] == 200,
        health=None if health is None else health[1],
        config=None if "config" in unread else _config(asked["config"].output),
        flags=None if "flags" in unread else _flags(asked["flags"].output),
        unread=unread,
    )


def _version(text: str) -> str:
    found = re.search(r"\bv\d+\.\d+\.\d+\S*", text)
    if not found:
        raise ValueError(f"expected kubelet's version, met {text[:60]!r}")
    return found[0]


def _health(text: str) -> tuple[int, str]:
    """An HTTP answer: its status and body."""
    head, _, body = text.replace("\r\n", "\n").partition("\n\n")
    status = re.match(r"HTTP/1\.[01] (\d{3})", head)
    if not status:
        raise ValueError(f"expected an HTTP answer of kubelet's, met {text[:60]!r}")
    return int(status[1]), body.strip()


def _config(text: str) -> Mapping[str, Any] | None:
    if not text.strip():
        return None
    try:
        config = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(f"{CONFIG} is no YAML: {' '.join(str(error).split())}") from error
    if not isinstance(config, Mapping) or config.get("kind") != "KubeletConfiguration":
        raise ValueError(f"{CONFIG} holds no KubeletConfiguration: {text[:60]!r}")
    return config


def _flags(text: str) -> tuple[str, ...] | None:
    """``KUBELET_KUBEADM_ARGS="--a=b --c=d"``; None where kubeadm has not been."""
    found = re.search(r"^KUBELET_KUBEADM_ARGS=(.*)$", text, re.MULTILINE)
    return tuple(" ".join(shlex.split(found[1])).split()) if found else None


class Kubelet(FactBase[KubeletState]):
    """kubelet's unit, version, health and configuration.

    .. code:: python

        host.get_fact(Kubelet).healthy
    """

    def command(self, port: int = 10248) -> str:
        # bash can speak TCP by itself; a bare Debian has no curl.
        get = (
            f"exec 9<>/dev/tcp/127.0.0.1/{int(port)} && "
            "printf 'GET /healthz HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' >&9 && cat <&9"
        )
        return questions(
            {
                "unit": unit_question("kubelet.service"),
                "version": "kubelet --version",
                "health": f"bash -c {shlex.quote(get)}",
                "config": f"[ ! -e {CONFIG} ] || cat {CONFIG}",
                "flags": f"[ ! -e {FLAGS} ] || cat {FLAGS}",
            },
            seconds=5,
        )

    @staticmethod
    def default() -> KubeletState:
        return KubeletState(unread=unknown("kubelet"))

    def process(self, output: list[str]) -> KubeletState:
        return parsed("kubelet", parse, output)
