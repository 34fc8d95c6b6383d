"""Before pyinfra reads an inventory: one clear line for a site file that does not even run.

pyinfra's own answer to such a file is a traceback. Its ``config.py`` runs first, and calls this.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path

from homelab.site.fault import SiteError
from homelab.site.load import load_site


def refuse(argv: Sequence[str]) -> None:
    """Validate each site file among the arguments; SystemExit(2) with its faults on stderr."""
    for argument in argv[1:]:
        if _is_site_file(argument):
            try:
                load_site(argument)
            except SiteError as error:
                tell(error)
                raise SystemExit(2) from None


def tell(error: SiteError) -> None:
    """All faults on stderr, one a line, and their number."""
    count = len(error.faults)
    print(error, file=sys.stderr)
    if error.faults[0].field:
        counted = "1 fault" if count == 1 else f"{count} faults"
        print(f"{error.faults[0].file}: {counted}; nothing was connected to", file=sys.stderr)


def _is_site_file(argument: str) -> bool:
    try:
        text = Path(argument).read_text(encoding="utf-8") if argument.endswith(".py") else ""
    except (OSError, ValueError):
        return False
    return re.search(r"^_site\b.*=", text, re.MULTILINE) is not None
