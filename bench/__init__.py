"""What the project costs in time: figures only, never a verdict. ``nox -s bench`` runs it.

``bare.sh`` is the same cluster by hand, ``ansible.py`` the same host phase in the usual way,
``fleet.py`` many small hosts; ``docs/results/bench.md`` is what came out.
"""
