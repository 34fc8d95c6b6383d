"""``python -m deploys.report INVENTORY``: every machine's bonds, and what is wrong with them.

It reads, and has no operation, so it can't change a machine. It drives pyinfra as a library and
not by ``pyinfra INVENTORY fact``: the command line stops all for one machine that fails
(``config.py`` wants that of a deploy), says why on the error stream only, and has no exit code
for "something is wrong".
"""
