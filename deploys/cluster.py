"""From bare machines to a highly available cluster, and the same again when something changed.

    pyinfra inventories/homelab.py deploys/cluster.py

Reading order: this file is the table of contents. ``this_run()`` has gathered every machine and
refused to go on if any of them is not sound; nothing has been changed until then.
"""

import pyinfra
from pyinfra import host

from deploys.kubernetes import first, health, join, pod_network, rolling
from deploys.machine import balancer, base, network, node
from deploys.run import this_machine, this_run
from homelab.site import derived
from operations import stage


def main() -> None:
    run, machine = this_run(), this_machine()
    site = run.site

    stage.reached(name="Stage: every machine for itself")
    base.install_packages(run, machine)
    base.configure_host(run, machine)
    network.prepare(run, machine)
    for target in host.loop(network.to_change(run)):
        stage.reached(name=f"Stage: the network of {target.name}, no other")
        if machine == target:
            network.change(run, machine)

    if machine in derived.nodes(site):
        node.install_artefacts(run, machine)
        node.run_runtime(run, machine)
        node.load_images(run, machine)
        node.configure_pod_network(run, machine)
    if machine in derived.balancers(site):
        balancer.balance(run, machine)
    if machine in derived.control_planes(site):
        first.approve_serving(run, machine)

    for target in host.loop(rolling.to_roll(run)):
        stage.reached(name=f"Stage: {target.name} is interrupted, no other")
        if machine == target:
            rolling.roll(run, machine)

    stage.reached(name="Stage: the first control plane")
    if machine in first.new_control_planes(run):
        first.write_configuration(run, machine)
    if run.founding and machine == run.anchor:
        first.create_authorities(run)
    stage.reached(name="Stage: certificate authorities")
    if machine in join.joining(run):
        first.share_authorities(run)
    if machine in first.new_control_planes(run):
        first.start_nodes(run, machine)
    if run.founding and machine == run.anchor:
        first.record_cluster(run, machine)

    for target in host.loop(join.joining(run)):
        stage.reached(name=f"Stage: control plane {target.name}")
        if machine == target:
            join.join_control_plane(run, machine)
    stage.reached(name="Stage: control planes are well")
    if machine in join.joining(run):
        join.finish_control_plane(run, machine)

    stage.reached(name="Stage: workers")
    if join.new_workers(run) and machine == run.anchor and not run.founding:
        join.offer_token(run, machine)
    stage.reached(name="Stage: workers join")
    if machine in join.new_workers(run):
        join.join_worker(run, machine)

    stage.reached(name="Stage: pod network")
    if machine == run.anchor:
        pod_network.install(run)

    stage.reached(name="Stage: health")
    if machine in derived.control_planes(site):
        health.verify_control_plane(run)
    if machine == run.anchor:
        health.mark_nodes(run)
        health.verify(run)
    if (run.founding or join.new_workers(run)) and machine == run.anchor:
        join.withdraw_token(run)
    if machine == run.anchor:
        health.hand_over(run)


if pyinfra.is_cli:
    main()
