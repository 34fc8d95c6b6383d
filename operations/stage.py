"""A stage of the story: a heading that no machine passes before all others have come to it.

pyinfra orders the steps of each machine, and lets machines that do not share a step overtake each
other. A step that all of them share is a barrier (../shared/reference/pyinfra.md, A.6).
"""

from __future__ import annotations

from collections.abc import Generator

from pyinfra import host
from pyinfra.api import StringCommand, operation


@operation()
def reached() -> Generator[StringCommand, None, None]:
    """Changes nothing.

    .. code:: python

        stage.reached(name="Stage: workers")
    """
    host.noop("a barrier only")
    return
    yield  # an operation is a generator
