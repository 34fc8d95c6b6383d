"""Errors of this package: what, why, how to mend, in one line."""


class ArtefactError(Exception):
    """An artefact that can't be named, found or trusted."""

    def __init__(self, what: str, why: str = "", mend: str = "") -> None:
        parts = [what + (f": {why}" if why else "")]
        super().__init__("; ".join([*parts, *([mend] if mend else [])]))
