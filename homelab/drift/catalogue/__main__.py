"""``python -m homelab.drift.catalogue``: docs/drift-rules.md."""

from homelab.drift.catalogue.table import table

print(table(), end="")
