"""Artefacts."""

from __future__ import annotations

from tests.unit.site.cases.case import Case, one

CASES: list[Case] = [
    ("base-missing", "artefacts.base", {"artefacts.source": "mirror"}),
    ("base-missing", "artefacts.base", {"artefacts.source": "bundle", "artefacts.base": ""}),
    *one("base-superfluous", "artefacts.base", "http://mirror.lan", ""),
    *(
        ("mirror-url", "artefacts.base", {"artefacts.source": "mirror", "artefacts.base": url})
        for url in (
            "mirror.lan",
            "ftp://a/b",
            "http://",
            "http://a:x/",
            "http://[a",
            "http://u:p@a/",
        )
    ),
    *(
        ("bundle-missing", "artefacts.base", {"artefacts.source": "bundle", "artefacts.base": path})
        for path in ("/nowhere", "/dev/null", "a\0b", "a" * 5000, "~nobody-here")
    ),
    (
        "bundle-incomplete",
        "artefacts.base",
        {"artefacts.source": "bundle", "artefacts.base": "/dev"},
    ),
]
