"""The arguments of a call that come in pieces, each with the JSON path where it belongs."""

import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

import msgspec

from longwire.dialects.generate_content.chunks import PartialArgument

_STEP: Final = re.compile(
    r"\.(?P<name>[^.\[\]]+)|\[(?P<index>\d{1,9})\]|\[(?P<quote>['\"])(?P<quoted>.*?)(?P=quote)\]"
)
_NULL: Final = b"null"
_DEEPEST: Final = 64
"""So many steps a path may have; deeper arguments are nobody's."""


@dataclass(slots=True)
class _Text:
    """A text in pieces."""

    pieces: list[str] = field(default_factory=list)


class PartialArguments:
    """Puts arguments together; numbers keep their digits."""

    def __init__(self) -> None:
        self._root: dict[str, Any] = {}

    def add(self, piece: PartialArgument) -> None:
        """Put a piece where it belongs; the pieces of one text stand behind each other."""
        steps = [
            int(found["index"]) if found["index"] else found["name"] or found["quoted"]
            for found in _STEP.finditer(piece.json_path)
        ]
        if not 0 < len(steps) <= _DEEPEST:
            return
        place: Any = self._root
        for step, following in pairwise(steps):
            place = _inside(place, step, [] if isinstance(following, int) else {})
        _put(place, steps[-1], piece)

    def encoded(self) -> bytes:
        """Return the arguments as raw JSON."""
        return msgspec.json.encode(_plain(self._root))


def _inside(place: Any, step: int | str, empty: Any) -> Any:  # noqa: ANN401 - a tree of JSON
    """Return what stands at a step, which is made where there is nothing of its kind."""
    found = _at(place, step)
    if type(found) is type(empty):
        return found
    _set(place, step, empty)
    return empty


def _at(place: Any, step: int | str) -> Any:  # noqa: ANN401 - a tree of JSON
    if isinstance(place, dict):
        return place.get(str(step))
    return place[step] if isinstance(step, int) and step < len(place) else None


def _set(place: Any, step: int | str, value: Any) -> None:  # noqa: ANN401 - a tree of JSON
    """Set a value; an index beyond the end of an array is its end."""
    if isinstance(place, dict):
        place[str(step)] = value
    elif isinstance(step, int) and step < len(place):
        place[step] = value
    else:
        place.append(value)


def _put(place: Any, step: int | str, piece: PartialArgument) -> None:  # noqa: ANN401 - likewise
    if piece.string_value is not None:
        text = _at(place, step)
        if not isinstance(text, _Text):
            text = _Text()
            _set(place, step, text)
        text.pieces.append(piece.string_value)
    elif bytes(piece.number_value) != _NULL:
        _set(place, step, piece.number_value)
    else:
        _set(place, step, piece.bool_value)


def _plain(value: Any) -> Any:  # noqa: ANN401 - a tree of JSON
    if isinstance(value, _Text):
        return "".join(value.pieces)
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value
