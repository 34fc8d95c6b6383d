"""``python -m deploys.report INVENTORY``: draw the bonds of all machines.

Exit code 0: all is as declared; 2: something is wrong; 1: a machine (or the site) can't be read.
"""

from gevent import monkey

# Before anything opens a socket: pyinfra's greenlets would wait for each other (pyinfra_cli too).
monkey.patch_all()

import sys  # noqa: E402

from deploys.report.show import main  # noqa: E402

raise SystemExit(main(sys.argv[1:]))
