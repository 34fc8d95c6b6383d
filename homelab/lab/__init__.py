"""The lab: machines made of containers that stand in for the rack, and what can happen to them.

    from homelab.lab import Lab
    lab = Lab("lab")
    lab.kill("cp1"); lab.start("cp1")

Without a lab, `python -m homelab.lab up` makes one. Nothing here imports pyinfra.
"""

from homelab.lab.errors import LabError
from homelab.lab.faults import Lab

__all__ = ["Lab", "LabError"]
