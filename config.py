"""pyinfra's own settings; it runs this file before the inventory and the deploy."""

import sys
from pathlib import Path

from pyinfra import config

config.REQUIRE_PYINFRA_VERSION = ">=3.10,<4"
# A machine that fails stops the run for all: the next control plane is not touched after it.
# A reset may be about a machine that is dead for good, so it goes on without those it can't reach.
config.FAIL_PERCENT = 100 if any(word.endswith("deploys/reset.py") for word in sys.argv) else 0
config.CONNECT_TIMEOUT = 10

_root = str(Path(__file__).resolve().parent)
if _root not in sys.path:
    sys.path.insert(0, _root)

from homelab.site import refuse  # noqa: E402  (found by the line above)

refuse(sys.argv)  # a faulty site file: one clear line each, before pyinfra reads it
