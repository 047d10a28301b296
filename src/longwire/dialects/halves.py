r"""Halves of an emoji: unpaired surrogates such as `\ud83d`, which JSON has and Unicode has not.

Law: a body that is decoded and written anew keeps each of its halves as it was written.
"""

import re
from typing import Final

from longwire.core.errors import InvalidRequest

_OTHER = rb"(?:[^u]|u(?![dD][89a-fA-F]))"
_ESCAPES = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2})"
    rb"|" + _OTHER + rb"(?:[^\\]*+\\" + _OTHER + rb")*+)",
    re.DOTALL,
)
"""The escapes of a pair of surrogates, or of one alone, or all up to the next of these."""

_FIRST = b"89abAB"
"""What the second digit of the first half of an emoji may be."""

_PRIVATE = range(0xE000, 0xF900)
_TAKEN = re.compile(rb"\\u(?P<escape>[eEfF][0-9a-fA-F]{3})|[\xee\xef][\x80-\xbf]{2}")
"""Characters for private use, and some more, as they are or by their escapes."""


def without_halves(raw: bytes) -> bytes | None:
    """Return JSON with U+FFFD for each half of an emoji, as long as it was; None without any."""
    whole = _ESCAPES.sub(lambda found: rb"\ufffd" if found["half"] else found[0], raw)
    return None if whole == raw else whole


class Halves:
    """Gives each half in these members of a body a stand-in that is a character.

    Stand-ins are for private use, and such as the body does not use itself: texts that differ by
    their halves differ by these, too, and what is written with them is restored.
    """

    def __init__(self, *members: str) -> None:
        self.members: Final = frozenset(members)
        self._stand_ins: dict[bytes, bytes] = {}
        self._written: dict[bytes, bytes] = {}
        self._found = re.compile(b"")

    def find(self, raw: bytes) -> None:
        """Choose a stand-in for each half in here. Raises `InvalidRequest` if none is left."""
        halves = sorted({each["half"] for each in _ESCAPES.finditer(raw) if each["half"]})
        taken = set(map(_code, _TAKEN.finditer(raw)))
        free = [code for code in _PRIVATE if code not in taken][: len(halves)]
        if len(free) < len(halves):
            raise InvalidRequest("The request body has too many different halves of an emoji.")
        for half, code in zip(halves, free, strict=True):
            self._stand_ins[half] = rb"\u%04x" % code
            for written in (rb"\u%04x" % code, chr(code).encode()):
                self._written[written] = b"\\" + half
        self._found = re.compile(b"|".join(map(re.escape, self._written)))

    def hide(self, raw: bytes) -> bytes:
        """Return JSON with stand-ins for its halves."""
        stand_ins = self._stand_ins
        return _ESCAPES.sub(
            lambda found: stand_ins[found["half"]] if found["half"] else found[0], raw
        )

    def restore(self, raw: bytes) -> bytes:
        """Return JSON with its halves for their stand-ins."""
        if not self._written:
            return raw
        return self._found.sub(lambda found: self._written[found[0]], raw)

    def restore_in(self, members: dict[str, bytes]) -> dict[str, bytes]:
        """Return members with their halves, likewise."""
        if not self._written:
            return members
        return {name: self.restore(raw) for name, raw in members.items()}


NO_HALVES: Final = Halves()


def _code(found: re.Match[bytes]) -> int:
    return int(found["escape"], 16) if found["escape"] else ord(found[0].decode("utf-8", "replace"))


class Pieces:
    """Puts a text together that comes in pieces, as raw JSON, of which one may end within an emoji.

    Its first half `is_held` for the next piece. One that stays alone is U+FFFD.
    """

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held = b""

    @property
    def is_held(self) -> bool:
        """Whether a half waits for the other one."""
        return bool(self._held)

    def joined(self, piece: bytes) -> bytes:
        """Return the next piece behind what was held, without the half at its end."""
        text, self._held = b'"%b%b' % (self._held, piece[1:]), b""
        if b"\\u" not in text:
            return text
        for found in _ESCAPES.finditer(text):
            if found["half"] and found.end() == len(text) - 1 and found["half"][2:3] in _FIRST:
                text, self._held = text[: found.start()] + b'"', found[0]
        return without_halves(text) or text

    def rest(self) -> bytes:
        """Return what is left of a text that is over."""
        rest, self._held = (rb'"\ufffd"' if self._held else b'""'), b""
        return rest
