"""sshd's settings that let more people in than Debian's do. Narrower ones are nobody's business.

Passwords are Debian's default (PasswordAuthentication yes), so they are no finding.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from homelab.drift.finding import Finding
from homelab.drift.view import Told

# sshd_config(5) and Debian's /etc/ssh/sshd_config: values that are no wider than Debian's. sshd -T
# says without-password for prohibit-password.
NARROW: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "permitrootlogin": ("without-password", "prohibit-password", "forced-commands-only", "no"),
    "permitemptypasswords": ("no",),
    "permituserenvironment": ("no",),
    "hostbasedauthentication": ("no",),
    "gssapiauthentication": ("no",),
    "kerberosauthentication": ("no",),
    "strictmodes": ("yes",),
    "usepam": ("yes",),
    "authorizedkeyscommand": ("none",),
    "trustedusercakeys": ("none",),
    "gatewayports": ("no",),
    "permittunnel": ("no",),
})  # fmt: skip
KEY_FILES = "authorizedkeysfile"
HOME_FILES = (".ssh/authorized_keys", ".ssh/authorized_keys2")


def sshd_findings(told: Told) -> Iterator[Finding]:
    """One for each setting that is wider; a Match block's own settings are named with it."""
    if told.facts.sshd is None:
        return
    yield from _wider(told, told.facts.sshd.settings or {}, "")
    for match in told.facts.sshd.matches or ():
        yield from _wider(told, match.settings, f" (Match {match.criteria})")


def _wider(told: Told, settings: Mapping[str, str], where: str) -> Iterator[Finding]:
    for name, narrow in NARROW.items():
        value = settings.get(name)  # None: this sshd was built without it
        if value is not None and value.lower() not in narrow:
            yield Finding("access.sshd", told.name, name + where, " or ".join(narrow), value)
    files = [file.removeprefix("%h/") for file in settings.get(KEY_FILES, "").split()]
    if any(file not in (*HOME_FILES, "none") for file in files):
        expected = " ".join(HOME_FILES)
        yield Finding("access.sshd", told.name, KEY_FILES + where, expected, settings[KEY_FILES])
