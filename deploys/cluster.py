"""From bare machines to a highly available cluster, and the same again when something changed.

    pyinfra inventories/homelab.py deploys/cluster.py

Reading order: this file is the table of contents. ``this_run()`` has gathered every machine and
refused to go on if any of them is not sound; nothing has been changed until then.
"""

import pyinfra
from pyinfra import host

from deploys.kubernetes import first, health, join, rolling
from deploys.machine import balancer, base, node
from deploys.run import this_machine, this_run
from homelab.site import derived


def main() -> None:
    run, machine = this_run(), this_machine()
    planes, nodes = derived.control_planes(run.site), derived.nodes(run.site)
    changed = run.anything_differs

    # Every machine for itself, all at once.
    base.install_packages(run, machine)
    base.configure_host(run, machine)
    base.configure_network(run, machine)
    if machine in nodes:
        node.install_artefacts(run, machine)
        node.run_runtime(run, machine)
        node.load_images(run, machine)
        node.configure_pod_network(run, machine)
    if machine in derived.balancers(run.site):
        balancer.balance(run, machine)

    # Members that must be interrupted: one at a time.
    for target in host.loop(rolling.to_roll(run)):
        if machine == target:
            rolling.roll(run, machine)

    # The first control plane; the others prepare beside it.
    if first.is_new(run, machine):
        first.write_configuration(run, machine)
        first.create_authorities(run, machine)
        first.start_nodes(run, machine)

    # The others become members one at a time, whatever else happens.
    members = [m for m in planes if run.phase(m) == "ours" or (run.founding and m == run.anchor)]
    for target in host.loop([m for m in planes if m not in members]):
        if machine == target:
            join.join_control_plane(run, machine, members + planes_before(planes, target, members))

    # Workers, all at once.
    if join.new_workers(run):
        if machine == run.anchor:
            join.offer_token(run, machine)
        if machine in join.new_workers(run):
            join.join_worker(run, machine)
        if machine == run.anchor:
            join.withdraw_token(run)

    if machine == run.anchor:
        health.verify(run, machine, changed)
        health.hand_over(run, machine)


def planes_before(planes: tuple[object, ...], target: object, members: list[object]) -> list[object]:
    """The control planes that this run makes members before ``target``."""
    new = [plane for plane in planes if plane not in members]
    return new[: new.index(target)]


if pyinfra.is_cli:
    main()
