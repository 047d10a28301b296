"""What a turn says and an upstream's API has no words for: refused, or left out and named."""

from typing import Final

from longwire.core.rules.turn import UNARY, Purpose, Turn
from longwire.dialects.fields import unsayable

_WHOLE: Final = "send the whole conversation as 'input'"
_DROP: Final = 'leave it out, or set the channel\'s unsupported = "drop"'


class Losses:
    """Collects the names of what is left out of a request.

    What changes the answer is refused, unless its channel may drop it.
    """

    __slots__ = ("_may_drop", "_names")

    def __init__(self, *, may_drop: bool) -> None:
        self._may_drop = may_drop
        self._names: set[str] = set()

    @property
    def names(self) -> tuple[str, ...]:
        """What was left out, each once."""
        return (*sorted(self._names),)

    def drop(self, name: str) -> None:
        """Leave out what can be done without."""
        self._names.add(name)

    def refuse(self, path: str, fault: str, name: str = "") -> None:
        """Leave out by its name, or its path, what changes the answer.

        Raises `Unsayable` where that must not be.
        """
        if not self._may_drop:
            raise unsayable(path, fault, _DROP)
        self._names.add(name or path)


def refuse_outside(turn: Turn, *, can_count: bool = True) -> None:
    """Raise `Unsayable` for what only an upstream of the Responses API holds, or does."""
    if turn.previous_response_id is not None:
        raise unsayable("previous_response_id", "names what this upstream cannot know", _WHOLE)
    if turn.conversation is not None:
        raise unsayable("conversation", "is kept by an upstream of the Responses API alone", _WHOLE)
    if turn.runs_in_background:
        fault = "is known to upstreams of the Responses API alone"
        raise unsayable("background", fault, "leave it out")
    if turn.members.get("generate") == b"false":
        fault = "prepares a turn, which upstreams of the Responses API alone can do"
        raise unsayable("generate", fault, "leave it out")
    if turn.purpose in UNARY and not (can_count and turn.purpose is Purpose.COUNT):
        fault = f"has no upstream here that knows how to do this ({turn.source.api})"
        raise unsayable("model", fault, "name a model that another channel serves")


def refuse_reference(path: str) -> None:
    """Raise `Unsayable` for an item that is only named."""
    fault = "refers to an item that only its own upstream holds"
    raise unsayable(path, fault, "send the item itself")
