"""``python -m deploys.drift INVENTORY``: what is no longer as declared, on all machines at once.

It reads, and has no operation, so it can't change a machine; ``--mend`` runs the ordinary deploys.
"""
