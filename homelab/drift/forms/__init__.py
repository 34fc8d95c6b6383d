"""Findings as people and machines read them: one pure function a form, ``render(report) -> str``.

``terminal`` has ``draw(report)`` instead, for the width there is. Whatever a machine said goes
through :func:`homelab.drift.forms.escape.visible` first, then through the form's own escaping.
"""

from collections.abc import Callable, Mapping

from homelab.drift.forms import html, json_form, junit, markdown, prometheus, sarif
from homelab.drift.report import Report

# By the option's name.
RENDER: Mapping[str, Callable[[Report], str]] = {
    "json": json_form.render,
    "html": html.render,
    "junit": junit.render,
    "sarif": sarif.render,
    "prometheus": prometheus.render,
    "markdown": markdown.render,
}
