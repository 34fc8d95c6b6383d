"""Bonds, VLANs, addresses and routes alone: over that same network, from a chair.

    pyinfra inventories/homelab.py deploys/network.py

One machine at a time; a control plane first gives away the VIP and etcd's leadership. Each takes
its old network back by itself if the new one is not proven in time (docs/bonding.md).
"""

import pyinfra
from pyinfra import host

from deploys.machine import base, network
from deploys.run import this_machine, this_run
from operations import stage


def main() -> None:
    run, machine = this_run(), this_machine()

    stage.reached(name="Stage: every machine for itself")
    base.install_packages(run, machine)
    network.prepare(run, machine)
    for target in host.loop(network.to_change(run)):
        stage.reached(name=f"Stage: the network of {target.name}, no other")
        if machine == target:
            network.change(run, machine)


if pyinfra.is_cli:
    main()
