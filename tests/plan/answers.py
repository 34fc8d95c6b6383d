"""What machines answer in a planning test: bare ones, and finished ones that are as declared.

An answer is a part of a command and the output. pyinfra's ``@fake`` connector takes the first part
that fits; what nobody answers succeeds with no output.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from deploys import layers, packages
from deploys.machine.node import pinned
from deploys.progress import Clock
from deploys.run import Run
from facts.layer import Layers
from facts.nodes import Nodes
from homelab.artefacts import table
from homelab.documents import apiserver
from homelab.documents.document import Layer
from homelab.documents.kubeadm import control_plane_keys
from homelab.preflight.survey import Survey, parse
from homelab.site import derived
from homelab.site.model import Machine, Site
from operations.artefacts import Images, Installed
from operations.health import TrafficProven
from tests.unit.preflight.surveys import bare as survey_lines

Answer = tuple[str, str | dict[str, Any]]
Answers = dict[str, list[Answer]]

SURVEY = "@capabilities"  # in no other command
# What a run draws by lot: a token's hexadecimal digits, and the bytes of the encryption key.
TOKEN_HEX = "5ec2e7"
TOKEN_BYTES = b"encrypts the secrets of a test.."
KEY = base64.b64encode(TOKEN_BYTES).decode()
DIGEST = "5ec2e75ec2e75ec2"
# Private keys of the cluster, as they pass through the controller's memory.
AUTHORITIES = base64.b64encode(b"a tar with the keys of the authorities").decode()
KUBECONFIG = "apiVersion: v1\nclient-key-data: dGhlIGtleSBvZiB0aGUgYWRtaW4="


def bare(site: Site) -> Answers:
    """Machines on which nothing has been done; what they have of each layer is nothing."""
    surveys = {m.name: survey_lines(site, m) for m in site.machines}
    run = _run(site, surveys)
    secret: list[Answer] = [
        ("tar -c -C /etc/kubernetes/pki", AUTHORITIES),
        ("cat /etc/kubernetes/admin.conf", KUBECONFIG),
    ]
    return {
        m.name: [
            (SURVEY, "\n".join(surveys[m.name])),
            *_layers(layers.of(run, m), nothing),
            *secret,
        ]
        for m in site.machines
    }


def declared(site: Site, key: str = KEY) -> Answers:
    """Members of the finished cluster, each as the site declares it; they encrypt with ``key``."""
    surveys = {m.name: member_lines(site, m) for m in site.machines}
    run = _run(site, surveys, key)
    return {m.name: _declared(run, m, surveys[m.name]) for m in site.machines}


def member_lines(site: Site, machine: Machine) -> list[str]:
    """The survey of a machine that is a finished member (or a balancer) of its site."""
    lines = survey_lines(site, machine)
    container = parse(lines).is_container
    lines += [f"@package {name} 1.0" for name in packages.wanted(site, machine, container)]
    if machine in derived.nodes(site):
        lines.append(f"@claim {json.dumps({'site': site.name, 'phase': 'member'})}")
    planes = derived.control_planes(site)
    if machine in planes:
        before = planes[: planes.index(machine) + 1] if machine != planes[0] else ()
        initial = ",".join(f"{m.name}=https://{m.address}:2380" for m in before)
        lines += ["@ca AA:BB", "@disk 1.5", f"@etcd-initial {initial}", f"@encrypts {DIGEST}"]
    return lines


def _declared(run: Run, machine: Machine, survey: list[str]) -> list[Answer]:
    site = run.site
    found: list[Answer] = [
        (SURVEY, "\n".join(survey)),
        (f"cat {apiserver.ENCRYPTION}", apiserver.encryption(site, run.encryption_key).text),
        *_layers(layers.of(run, machine), all_of),
        ("echo met; else echo open", "met"),
        (TrafficProven().command(), run.declaration),
        ("cat /etc/kubernetes/admin.conf", KUBECONFIG),
        (Nodes().command(), nodes(site)),
    ]
    if machine in derived.nodes(site):
        wanted = pinned(site, table.needed(site, machine))
        names = "\n".join(item.artefact.name for item in wanted)
        found.append((Installed().command(wanted), names))
        images = [item.reference for item in table.needed_images(site)]
        found.append((Images().command(), "\n".join(images)))
    return found


def _run(site: Site, surveys: dict[str, list[str]], key: str = KEY) -> Run:
    """The deploy's own record, as it makes it from these surveys."""
    found: dict[str, Survey] = {name: parse(lines) for name, lines in surveys.items()}
    return Run(site, Clock(Path("timings.json")), found, encryption_key=key)


def _layers(wanted: list[Layer], state: Callable[[Layer], str]) -> list[Answer]:
    """All in one question first: it holds each single one."""
    everything = "\n".join(state(layer) for layer in wanted)
    single: list[Answer] = [(Layers().command([layer]), state(layer)) for layer in wanted]
    return [(Layers().command(wanted), everything), *single]


def nothing(layer: Layer) -> str:
    """A layer that was never applied, as the probe of facts/layer.py tells it."""
    return f"L {layer.name}"


def all_of(layer: Layer) -> str:
    """A layer that is in force."""
    lines = [f"L {layer.name}"]
    lines += [f"H {d.sha256}  {d.path}" for d in layer.documents]
    lines += [f"S {d.mode:o} {d.owner} {d.group} 1 {d.path}" for d in layer.documents]
    return "\n".join([*lines, f"A 1 {layer.digest}"])


def etcd(site: Site, dead: tuple[str, ...] = ()) -> str:
    """What etcdctl says of the declared members, of which some do not answer."""
    planes = derived.control_planes(site)
    members = [
        {
            "ID": number,
            "name": machine.name,
            "peerURLs": [f"https://{machine.address}:2380"],
            "clientURLs": [f"https://{machine.address}:2379"],
        }
        for number, machine in enumerate(planes, 1)
    ]
    healths = [
        {"endpoint": f"https://{m.address}:2379", "health": m.name not in dead, "took": "9ms"}
        for m in planes
    ]
    asked = {"members": {"members": members}, "statuses": [], "healths": healths, "alarms": {}}
    return "\n".join(f"@@ask {k}\n{json.dumps(v)}\n@@answer 0 " for k, v in asked.items())


def nodes(site: Site) -> str:
    """``kubectl get nodes -o json`` with every node Ready, labelled and tainted as declared."""
    taints = [{"key": key, "effect": "NoSchedule"} for key in control_plane_keys(site)]
    info = ("kubeletVersion", "containerRuntimeVersion", "kernelVersion", "osImage", "bootID")
    items = [
        {
            "metadata": {"name": machine.name, "labels": dict(machine.labels)},
            "spec": {"taints": [] if "worker" in machine.roles else taints},
            "status": {
                "conditions": [{"type": "Ready", "status": "True"}],
                "nodeInfo": dict.fromkeys(info, "-"),
            },
        }
        for machine in derived.nodes(site)
    ]
    return f"@@ask nodes\n{json.dumps({'items': items})}\n@@answer 0 "
