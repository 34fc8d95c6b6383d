"""The survey of a machine as a pyinfra fact, with the state of its layers in the same breath."""

from __future__ import annotations

from pyinfra.api import FactBase
from pyinfra.api.exceptions import FactProcessError

from homelab.preflight.survey import Survey, parse, script


class MachineSurvey(FactBase[Survey]):
    """Everything that preflight wants to know of one machine, in one round trip.

    .. code:: python

        host.get_fact(MachineSurvey, vip="192.168.0.100").cores
    """

    def command(self, vip: str = "") -> str:
        return script(vip)

    @staticmethod
    def default() -> Survey:
        return Survey()

    def process(self, output: list[str]) -> Survey:
        try:
            return parse(output)
        except ValueError as error:
            raise FactProcessError(f"survey: {error}") from error
