"""Take a machine, or the whole cluster, apart.

    pyinfra inventories/homelab.py deploys/reset.py --data machine=x99-3
    pyinfra inventories/homelab.py deploys/reset.py --data cluster=homelab

A machine's pods are moved away first, then its etcd member, its node, and what is on it. A machine
that is dead is only taken out of the cluster. What would break etcd's quorum is refused, unless
it is said by name: --data break_quorum=x99-3.
"""

import pyinfra

from deploys.kubernetes import leave
from deploys.run import this_machine
from operations import stage


def main() -> None:
    plan, machine = leave.this_plan(), this_machine()

    stage.reached(name="Stage: out of the cluster")
    if machine == plan.anchor:
        leave.move_pods_away(plan)
    stage.reached(name="Stage: nothing depends on it")
    if machine in plan.leaving and plan.anchor:
        leave.give_away(plan, machine)
    if machine == plan.anchor:
        leave.forget(plan)
    stage.reached(name="Stage: what is on it")
    if machine in plan.leaving:
        leave.wipe(plan, machine)


if pyinfra.is_cli:
    main()
