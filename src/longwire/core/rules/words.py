"""Which words a text has, what a search for them means, and where they stand in it.

Words are runs of letters and digits, in any case. Chinese, Japanese and Korean write none apart:
there each letter is one, so that any part of a text is found. A text and a search are made plain
alike, so that a text finds itself, however its accents are written.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final

_APART: Final = "\u1100-\u11ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
_WORD: Final = re.compile(rf"[{_APART}]|[^\W_{_APART}]+")
_LETTER: Final = re.compile(rf"[{_APART}]")
_PHRASE: Final = re.compile(r'"([^"]*)"?|([^\s"]+)')
_MARKS: Final = re.compile("[\u0300-\u036f\u200b]+")
_PICTURES: Final = re.compile("[\ue000-\uf8ff]+")
_DOTTED: Final = "\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}"
_MOST_PHRASES: Final = 16
_AROUND: Final = 80

Phrase = tuple[str, ...]
"""Words that follow each other."""


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


def words(text: str) -> list[str]:
    """Return the words of a plain text in its order, as they are written."""
    return _WORD.findall(text)


def is_letter(word: str) -> bool:
    """Whether a word is one letter of a script that writes no words apart."""
    return _LETTER.fullmatch(word) is not None


def phrases(search: str) -> tuple[Phrase, ...]:
    """Return what a text must have, all of it: words, and phrases that stand between quotes.

    Any text is a search; what is written together, as `src/app.py`, is a phrase, too.
    """
    parts = (quoted or bare for quoted, bare in _PHRASE.findall(search))
    found = (tuple(words(part)) for part in parts)
    return tuple(dict.fromkeys(each for each in found if each))[:_MOST_PHRASES]


def snippet(text: str, wanted: Sequence[Phrase]) -> list[tuple[str, bool]]:
    """Return the text around the first place that has something wanted, in pieces.

    Each piece says whether it is one that was looked for. Without any it is the text's beginning.
    """
    pattern = re.compile("|".join(map(_pattern, wanted)), re.IGNORECASE)
    first = pattern.search(text)
    start = max(0, first.start() - _AROUND) if first else 0
    end = (first.end() if first else 0) + 2 * _AROUND
    return list(_pieces(text, pattern, start, min(end, len(text))))


def _pieces(
    text: str, pattern: re.Pattern[str], start: int, end: int
) -> Iterator[tuple[str, bool]]:
    if start > 0:
        yield "…", False
    at = start
    for found in pattern.finditer(text, start, end):
        if at < found.start():
            yield text[at : found.start()], False
        yield found[0], True
        at = found.end()
    if at < end:
        yield text[at:end], False
    if end < len(text):
        yield "…", False


def _pattern(phrase: Phrase) -> str:
    """Match the words of a phrase, whatever stands between them that is none."""
    begins = "" if is_letter(phrase[0]) else r"(?<![^\W_])"
    ends = "" if is_letter(phrase[-1]) else r"(?![^\W_])"
    return begins + r"[\W_]*".join(map(re.escape, phrase)) + ends
