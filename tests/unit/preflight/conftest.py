"""A machine on which the survey's script can run for real."""

from tests.unit.operations.conftest import machine, room

__all__ = ["machine", "room"]
