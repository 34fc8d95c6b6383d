"""Findings as people and machines read them: one pure function a form, ``render(report) -> str``.

``terminal`` has ``draw(report)`` instead, for the width there is. Whatever a machine said goes
through :func:`homelab.drift.forms.escape.visible` first, then through the form's own escaping.
"""
