"""CRI-O: does it run, which version, and the configuration that it would start with.

Settings: crio.conf(5). ``crio config`` prints the defaults merged with /etc/crio.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass

from pyinfra.api.facts import FactBase

from facts.questions import answers, questions
from facts.record import Reading, Record, parsed, unknown
from facts.units import Unit, unit_question, units


@dataclass(frozen=True)
class CrioConfig(Record):
    """What matters to Kubernetes. ``crio config`` comments out what is only a default: None."""

    cgroup_manager: str | None  # "systemd" or "cgroupfs"
    conmon_cgroup: str | None
    pause_image: str | None
    default_runtime: str | None
    storage_driver: str | None
    plugin_dirs: tuple[str, ...] | None
    insecure_registries: tuple[str, ...] | None


@dataclass(frozen=True)
class CrioState(Reading):
    unit: Unit | None = None
    version: str | None = None
    config: CrioConfig | None = None


def parse(output: list[str]) -> CrioState:
    """Output of :class:`Crio`'s command; ValueError and the like on garbage."""
    asked = answers(output)
    if not asked:
        return Crio.default()
    unread = {name: answer.failure for name, answer in asked.items() if answer.failure}
    return CrioState(
        unit=None if "unit" in unread else units(asked["unit"])[0],
        version=None if "version" in unread else _version(asked["version"].output),
        config=None if "config" in unread else config(asked["config"].output),
        unread=unread,
    )


def config(text: str) -> CrioConfig:
    """``crio config``; tomllib.TOMLDecodeError, a ValueError, on garbage."""
    crio = tomllib.loads(text)["crio"]
    runtime, image, network = (crio.get(key) or {} for key in ("runtime", "image", "network"))
    plugins, registries = network.get("plugin_dirs"), image.get("insecure_registries")
    return CrioConfig(
        cgroup_manager=runtime.get("cgroup_manager"),
        conmon_cgroup=runtime.get("conmon_cgroup"),
        pause_image=image.get("pause_image"),
        default_runtime=runtime.get("default_runtime"),
        storage_driver=crio.get("storage_driver"),
        plugin_dirs=None if plugins is None else tuple(plugins),
        insecure_registries=None if registries is None else tuple(registries),
    )


def _version(text: str) -> str:
    """``crio version 1.34.1`` in the first line, or ``Version: 1.34.1`` in a later one."""
    found = re.search(r"\bv?(\d+\.\d+\.\d+\S*)", text)
    if not found:
        raise ValueError(f"expected CRI-O's version, met {text[:60]!r}")
    return found[1]


class Crio(FactBase[CrioState]):
    """Unit, version and effective configuration of CRI-O.

    .. code:: python

        host.get_fact(Crio).config.cgroup_manager == "systemd"
    """

    def command(self) -> str:
        return questions(
            {
                "unit": unit_question("crio.service"),
                "version": "crio --version",
                "config": "crio config",
            }
        )

    @staticmethod
    def default() -> CrioState:
        return CrioState(unread=unknown("crio"))

    def process(self, output: list[str]) -> CrioState:
        return parsed("crio", parse, output)
