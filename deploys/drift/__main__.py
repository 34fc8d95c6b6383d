"""``python -m deploys.drift INVENTORY``: see :mod:`deploys.drift.options` for all that it takes.

Exit code 0: all is as declared; 2: something is not; 1: something could not be told.
"""

from gevent import monkey

# Before anything opens a socket: pyinfra's greenlets would wait for each other (pyinfra_cli too).
monkey.patch_all()

import sys  # noqa: E402

from deploys.drift.show import main  # noqa: E402

raise SystemExit(main(sys.argv[1:]))
