"""Thoughts that stand in the text of an answer, between `<think>` and `</think>`."""

from collections.abc import Iterator
from enum import Enum
from typing import Final

_OPENING: Final = "<think>"
_CLOSING: Final = "</think>"


class _Place(Enum):
    BEFORE = "nothing was said yet"
    INSIDE = "within the thoughts"
    BEHIND = "within the answer"


class ThinkTags:
    """Tells thoughts from the answer; law: however a text is cut, the same comes out.

    Thoughts stand at the very beginning, if there are any. White space around the tags is nobody's.
    """

    __slots__ = ("_held", "_place", "_starts")

    def __init__(self) -> None:
        self._held = ""
        self._place = _Place.BEFORE
        self._starts = False

    @property
    def is_over(self) -> bool:
        """Whether all that comes is the answer."""
        return self._place is _Place.BEHIND and not self._starts

    def feed(self, text: str) -> Iterator[tuple[bool, str]]:
        """Give more of the text piece by piece, each with whether it is a thought."""
        self._held += text
        if self._place is _Place.BEFORE:
            self._enter()
        if self._place is _Place.INSIDE:
            yield from self._think()
        if self._place is _Place.BEHIND:
            yield from self._answer()

    def rest(self) -> Iterator[tuple[bool, str]]:
        """Give what was held back, for the text is over."""
        held, self._held = self._held, ""
        if held and not self._starts:
            yield self._place is _Place.INSIDE, held

    def _enter(self) -> None:
        begun = self._held.lstrip()
        if begun.startswith(_OPENING):
            self._place, self._held, self._starts = _Place.INSIDE, begun[len(_OPENING) :], True
        elif not _OPENING.startswith(begun):
            self._place = _Place.BEHIND

    def _think(self) -> Iterator[tuple[bool, str]]:
        if self._starts:
            self._held = self._held.lstrip()
            self._starts = not self._held
        thought, closing, behind = self._held.partition(_CLOSING)
        if closing:
            self._place, self._held, self._starts = _Place.BEHIND, behind, True
            thought = thought.rstrip()
        else:
            kept = _open_end(thought)
            thought, self._held = thought[: len(thought) - kept], thought[len(thought) - kept :]
        if thought:
            yield True, thought

    def _answer(self) -> Iterator[tuple[bool, str]]:
        if self._starts:
            self._held = self._held.lstrip()
            self._starts = not self._held
        held, self._held = self._held, ""
        if held:
            yield False, held


def _open_end(text: str) -> int:
    """Return how many characters at the end may belong to the closing tag or what is before it."""
    body = text.rstrip()
    for size in range(min(len(_CLOSING) - 1, len(text)), 0, -1):
        if _CLOSING.startswith(text[-size:]):
            before = text[:-size]
            return size + len(before) - len(before.rstrip())
    return len(text) - len(body)
