"""The one error a user of the lab sees: what failed, why, and what to do next."""


class LabError(Exception):
    """Printed as one line, never as a traceback."""

    def __init__(self, what: str, why: str = "", then: str = "") -> None:
        """Join the three parts; `why` and `then` may be left out."""
        parts = [what + (f": {why}" if why else "")]
        if then:
            parts.append(then)
        super().__init__("; ".join(parts))
