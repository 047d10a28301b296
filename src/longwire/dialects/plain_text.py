"""Texts made plain, to be searched.

Law: a text and a search are made plain alike, so that a text finds itself, however its accents are
written.
"""

import re
import unicodedata
from typing import Final

_MARKS: Final = re.compile("[\u0300-\u036f\u200b]+")
_PICTURES: Final = re.compile("[\ue000-\uf8ff]+")
_DOTTED: Final = "\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}"


def plain(text: str) -> str:
    """Return a text whose accents stand in its letters; those that no letter has are left out.

    So is the space without width, and what fonts of their own draw stands for a space.
    """
    if text.isascii():
        return text
    composed = _MARKS.sub("", unicodedata.normalize("NFC", text)).replace(_DOTTED, "I")
    return _PICTURES.sub(" ", composed)


def lowered(word: str) -> str:
    """Return a word as it is compared; a sigma at its end is one."""
    return word.lower().replace(
        "\N{GREEK SMALL LETTER FINAL SIGMA}", "\N{GREEK SMALL LETTER SIGMA}"
    )
