"""What goes wrong while measuring."""


class BenchError(Exception):
    """A run that should have been measured failed; the message says which and where to look."""
