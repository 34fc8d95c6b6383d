"""Text that a machine said, made harmless to look at.

A host name or a line of a file may hold what moves the cursor, recolours, hides or reverses text.
"""

from __future__ import annotations

import unicodedata

# Lines and paragraphs end with these, too, but no reader of lines expects it.
SEPARATORS = {"Zl", "Zp"}
# They have no width, and say nothing where no emoji is meant; text has been hidden in them.
SELECTORS = {*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)}


def visible(text: str, *, lines: bool = False) -> str:
    r"""``text`` with what cannot be seen as ``\xNN``, ``\uNNNN`` or ``\UNNNNNNNN``.

    That is all of Unicode's categories C: control (with tab), format (with bidi overrides), lone
    surrogates, private and unassigned; U+2028 and U+2029; and variation selectors. Newlines stay
    only with ``lines``. A backslash stays as it is, so this cannot be undone: it is for eyes.
    """
    return "".join(c if _plain(c) or (lines and c == "\n") else _notation(c) for c in text)


def _plain(character: str) -> bool:
    category = unicodedata.category(character)
    hidden = category in SEPARATORS or ord(character) in SELECTORS
    return not category.startswith("C") and not hidden


def _notation(character: str) -> str:
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
