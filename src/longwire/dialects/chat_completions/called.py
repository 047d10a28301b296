"""Calls of an answer of Chat Completions, put together from pieces however a vendor cuts them."""

from collections.abc import Iterable
from typing import Final

import msgspec
from msgspec import Raw

from longwire.dialects.chat_completions.chunks import CallDelta, decode_any, decode_text, text_in
from longwire.dialects.raw_json import NULL
from longwire.dialects.responses.output import joined
from longwire.dialects.responses.writer import Item

_NULL: Final = bytes(NULL)
_NOTHING: Final = b'"{}"'


class Call:
    """One call under way; `item` is what is written of it, once it is known what it calls."""

    __slots__ = ("_is_whole", "_name", "arguments", "extra", "id", "item")

    def __init__(self) -> None:
        self.id = b""
        self._name: list[bytes] = []
        self.arguments: list[bytes] = []
        self._is_whole: bool | None = False
        self.extra = b""
        self.item: Item | None = None

    @property
    def name(self) -> bytes:
        """The name of what is called as raw JSON, an empty text where nobody said it."""
        return joined(self._name)

    @property
    def text(self) -> bytes:
        """The arguments as a raw JSON text; nothing at all is an empty object."""
        return joined(self.arguments) if self.arguments else _NOTHING

    @property
    def is_whole(self) -> bool:
        """Whether its arguments are whole as they are.

        All of them are read once behind each brace alone, since pieces are many.
        """
        if self._is_whole is None:
            self._is_whole = _is_object(self.text)
        return self._is_whole

    def add(self, delta: CallDelta) -> bytes:
        """Take more of the call, and return what is new of its arguments, b"" for nothing.

        Its name may come in fragments before the arguments, or again with each of them.
        """
        self.id = self.id or text_in(delta.id)
        if bytes(delta.extra_content)[:1] == b"{":
            self.extra = bytes(delta.extra_content)
        function = delta.function
        if function is None:
            return b""
        name = text_in(function.name)
        if name and not self.arguments and name != self.name:
            self._name.append(name)
        piece = _arguments(function.arguments)
        if piece:
            self.arguments.append(piece)
            if end := decode_text(piece).rstrip():
                self._is_whole = None if end[-1] == "}" else False
        return piece

    def is_left_by(self, delta: CallDelta) -> bool:
        """Whether a delta of the same place begins another call: two may have one index."""
        own_id, name = text_in(delta.id), b""
        if delta.function is not None:
            name = text_in(delta.function.name)
        if not name or (own_id and own_id == self.id):
            return False
        if own_id and self.id:
            return name != self.name or self.is_whole or not self.arguments
        return self.is_whole


class Calls:
    """The calls of one answer in the order in which they began, each found by its index."""

    def __init__(self) -> None:
        self.all: list[Call] = []
        self._by_index: dict[int, Call] = {}

    def sort_in(self, deltas: Iterable[CallDelta]) -> Iterable[tuple[Call, CallDelta]]:
        """Give each delta with its call; one without an index stands at its place."""
        for position, delta in enumerate(deltas):
            raw = bytes(delta.index)
            index = int(raw) if raw.isdigit() else position
            call = self._by_index.get(index)
            if call is None or call.is_left_by(delta):
                call = Call()
                self.all.append(call)
                self._by_index[index] = call
            yield call, delta


def _is_object(text: bytes) -> bool:
    try:
        return isinstance(decode_any(decode_text(text).encode()), dict)
    except (msgspec.MsgspecError, RecursionError):
        return False


def _arguments(raw: Raw) -> bytes:
    """Return arguments as a raw JSON text; some vendors write the object itself."""
    value = bytes(raw)
    if value[:1] in (b"{", b"["):
        return msgspec.json.encode(msgspec.json.format(value, indent=-1).decode())
    return text_in(raw)
