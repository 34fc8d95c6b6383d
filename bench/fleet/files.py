"""The deploy's shape without its services: survey, one look at all layers, and what differs.

    pyinfra bench/fleet/site.py bench/fleet/files.py -y

Hosts of the fleet run no systemd, so a layer is its documents here.
"""

from pathlib import Path

import pyinfra
from pyinfra import host

from bench.render import machine_layers
from facts.layer import Layers, differences
from facts.survey import MachineSurvey
from homelab.documents.document import Layer
from homelab.site import derived, load_site
from operations import layer


def main() -> None:
    site = load_site(Path(host.data.site_file))
    machine = derived.machine(site, host.name)
    traits = host.get_fact(MachineSurvey).traits(machine.address)
    wanted = [Layer(each.name, each.documents) for each in machine_layers(site, machine, traits)]
    found = host.get_fact(Layers, layers=wanted)
    for each in wanted:
        if differences(each, found[each.name]):
            layer.apply(name=f"Files: {each.name}", layer=each)


if pyinfra.is_cli:
    main()
