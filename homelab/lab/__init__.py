"""The lab: containers or VMs that stand in for the rack's machines, and what can happen to them.

    from homelab.lab import opened
    lab = opened("lab")
    lab.kill("cp1"); lab.start("cp1")

Without a lab, `python -m homelab.lab up` makes one. Nothing here imports pyinfra.
"""

from homelab.lab.errors import LabError
from homelab.lab.faults import Lab
from homelab.lab.provider import opened

__all__ = ["Lab", "LabError", "opened"]
