"""containerd: does it run, which version, and the configuration that it would start with.

Plugin names: containerd/docs/cri/config.md (version 2 of the file: 1.x, version 3: 2.x).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pyinfra.api.facts import FactBase

from facts.questions import answers, questions
from facts.record import Reading, Record, parsed, unknown
from facts.units import Unit, unit_question, units

_CRI2 = "io.containerd.grpc.v1.cri"
_RUNTIME3 = "io.containerd.cri.v1.runtime"
_IMAGES3 = "io.containerd.cri.v1.images"


@dataclass(frozen=True)
class ContainerdConfig(Record):
    """What matters to Kubernetes, of either version of the file; None where it says nothing."""

    version: int
    cri: bool  # the plugin that kubelet talks to is not disabled
    systemd_cgroup: bool | None
    sandbox_image: str | None
    snapshotter: str | None
    registry_config_path: str | None
    restrict_oom_score_adj: bool | None
    cni_bin_dir: str | None
    cni_conf_dir: str | None
    root: str | None


@dataclass(frozen=True)
class ContainerdState(Reading):
    unit: Unit | None = None
    version: str | None = None  # of the binary on disk
    server_version: str | None = None  # of the daemon that answers; differs after an upgrade
    config: ContainerdConfig | None = None


def parse(output: list[str]) -> ContainerdState:
    """Output of :class:`Containerd`'s command; ValueError and the like on garbage."""
    asked = answers(output)
    if not asked:
        return Containerd.default()
    unread = {name: answer.failure for name, answer in asked.items() if answer.failure}
    return ContainerdState(
        unit=None if "unit" in unread else units(asked["unit"])[0],
        version=None if "version" in unread else _version(asked["version"].output),
        server_version=None if "server" in unread else _server_version(asked["server"].output),
        config=None if "config" in unread else config(asked["config"].output),
        unread=unread,
    )


def config(text: str) -> ContainerdConfig:
    """``containerd config dump``; tomllib.TOMLDecodeError, a ValueError, on garbage."""
    values = tomllib.loads(text)
    version = int(values.get("version", 1))
    plugins = values.get("plugins") or {}
    runtime = plugins.get(_RUNTIME3 if version >= 3 else _CRI2) or {}
    images = plugins.get(_IMAGES3) or {} if version >= 3 else runtime
    containerd = runtime.get("containerd") or {}
    default = containerd.get("default_runtime_name", "runc")
    options = _at(containerd, "runtimes", default, "options")
    cni = runtime.get("cni") or {}
    disabled = set(values.get("disabled_plugins") or ())
    return ContainerdConfig(
        version=version,
        cri=not disabled & {"cri", _CRI2, _RUNTIME3},
        systemd_cgroup=options.get("SystemdCgroup"),
        sandbox_image=_at(images, "pinned_images").get("sandbox") or images.get("sandbox_image"),
        snapshotter=images.get("snapshotter") or containerd.get("snapshotter"),
        registry_config_path=_at(images, "registry").get("config_path"),
        restrict_oom_score_adj=runtime.get("restrict_oom_score_adj"),
        cni_bin_dir=cni.get("bin_dir") or next(iter(cni.get("bin_dirs") or ()), None),
        cni_conf_dir=cni.get("conf_dir"),
        root=values.get("root"),
    )


def _at(values: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    for key in path:
        values = values.get(key) or {}
    return values


def _version(text: str) -> str:
    """``containerd github.com/containerd/containerd 1.6.20~ds1 …`` -> ``1.6.20``."""
    found = re.search(r"\bv?(\d+\.\d+\.\d+[^\s~]*)", text)
    if not found:
        raise ValueError(f"expected containerd's version, met {text[:60]!r}")
    return found[1]


def _server_version(text: str) -> str:
    """``ctr version``: the client first, then the server."""
    _, sign, server = text.partition("Server:")
    if not sign:
        raise ValueError(f"expected the server's part of ctr version, met {text[:60]!r}")
    return _version(server)


class Containerd(FactBase[ContainerdState]):
    """Unit, versions and effective configuration of containerd.

    .. code:: python

        host.get_fact(Containerd).config.systemd_cgroup
    """

    def command(self) -> str:
        return questions(
            {
                "unit": unit_question("containerd.service"),
                "version": "containerd --version",
                "server": "ctr --connect-timeout 3s version",
                "config": "containerd config dump",
            }
        )

    @staticmethod
    def default() -> ContainerdState:
        return ContainerdState(unread=unknown("containerd"))

    def process(self, output: list[str]) -> ContainerdState:
        return parsed("containerd", parse, output)
