"""The content blocks of a stream as its events, one after the other.

Law: one block is open at a time, and their indices are dense.
"""

from typing import Final

from msgspec import Raw

from longwire.core import sse

END: Final = b"}}\n\n"
_DELTAS: Final = {
    "text": b'"text_delta","text":',
    "thinking": b'"thinking_delta","thinking":',
    "tool_use": b'"input_json_delta","partial_json":',
}


class Blocks:
    """The blocks of one stream: which one is open, and what was written since it was taken.

    Events of the type `plain` for the item `index` go on with the open block: their deltas are
    written between `prefix` and `END` as they came, and noted in `said` of this item. `last` is the
    kind of the block that ended last.
    """

    __slots__ = ("_count", "_kind", "index", "last", "parts", "plain", "prefix", "said")

    def __init__(self) -> None:
        self.parts: list[bytes | Raw] = []
        self.said: list[bytes] = []
        self.plain = self.last = ""
        self.index: int | None = None
        self.prefix = b""
        self._count = 0
        self._kind = ""

    @property
    def is_open(self) -> bool:
        """Whether a block is open."""
        return bool(self._kind)

    def open(self, kind: str, start: bytes, plain: str = "") -> None:
        """Begin a block; further events of type `plain` are its deltas."""
        count = self._count
        body = b'{"type":"content_block_start","index":%d,"content_block":%b}' % (count, start)
        self.parts.append(sse.encode("content_block_start", body))
        delta = b'{"type":"content_block_delta","index":%d,"delta":{"type":' % count
        self.prefix = sse.prefix("content_block_delta") + delta + _DELTAS[kind]
        self._kind, self.plain = kind, plain

    def write(self, text: bytes | Raw) -> None:
        """Write a piece of the open block, as raw JSON text."""
        self.parts += (self.prefix, text, END)

    def say(self, text: bytes | Raw) -> None:
        """Write a piece, and note it."""
        self.said.append(bytes(text))
        self.write(text)

    def sign(self, signature: bytes) -> None:
        """Write the signature of the open block of thinking, whole."""
        at = len(self.prefix) - len(_DELTAS["thinking"])
        self.parts += (self.prefix[:at], b'"signature_delta","signature":', signature, END)

    def close(self) -> None:
        """End the open block, if there is one."""
        if self._kind:
            body = b'{"type":"content_block_stop","index":%d}' % self._count
            self.parts.append(sse.encode("content_block_stop", body))
            self._count += 1
            self.last = self._kind
        self._kind = self.plain = ""

    def put(self, block: bytes) -> None:
        """Write a block that has no deltas."""
        self.open("tool_use", block)
        self.close()

    def take(self) -> bytes:
        """Return what was written since the last time."""
        written = b"".join(self.parts)
        self.parts.clear()
        return written
