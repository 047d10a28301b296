"""Gemini's parts as items of the Responses API, one of which is open at a time."""

from typing import Final

import msgspec

from longwire.dialects.client_tools import FUNCTION, Declared, called
from longwire.dialects.raw_json import tolerant
from longwire.dialects.responses.output import EMPTY, joined
from longwire.dialects.responses.writer import Item, ResponseWriter

_NULL: Final = b"null"
_decode_text: Final = tolerant(msgspec.json.Decoder(str).decode)


class Composer:
    """Writes the items of an answer with a writer, each ended when the next one begins."""

    __slots__ = ("_logprobs", "_open", "_status", "_writer")

    def __init__(self, writer: ResponseWriter) -> None:
        self._writer = writer
        self._open: Item | None = None
        self._logprobs = b""
        self._status = b"completed"

    @property
    def is_in_message(self) -> bool:
        """Whether a message is open."""
        return self._open is not None and self._open.kind == "message"

    @property
    def text(self) -> str:
        """The text of the item that is open, as far as it has come."""
        return _decode_text(joined(self._open.pieces if self._open else ()))

    def add_text(self, piece: bytes) -> None:
        """Add to the text of the message, which is opened where none is."""
        if self._open is None or self._open.kind != "message":
            self.close()
            self._open = self._writer.start_message()
        if piece != EMPTY:
            logprobs, self._logprobs = self._logprobs, b""
            self._writer.add_text(self._open, piece, logprobs)

    def add_logprobs(self, logprobs: bytes) -> None:
        """Say how likely the tokens of the next piece of text are: raw JSON without brackets."""
        self._logprobs = logprobs

    def annotate(self, annotation: bytes) -> None:
        """Add an annotation to the message that is open."""
        if self._open is not None:
            self._writer.annotate(self._open, annotation)

    def add_thought(self, piece: bytes) -> None:
        """Add to the summary of the reasoning, which is opened where none is."""
        item = self._reasoning()
        if piece != EMPTY:
            self._writer.add_thought(item, piece)

    def _reasoning(self) -> Item:
        if self._open is None or self._open.kind != "reasoning":
            self.close()
            self._open = self._writer.start_reasoning(is_summary=True)
        return self._open

    def seal(self, encrypted: bytes) -> None:
        """End reasoning with its encrypted content; it is an item of its own where none is open."""
        self._writer.end_reasoning(self._reasoning(), encrypted)
        self._open = None

    def put_item(self, kind: str, said: bytes) -> None:
        """Write a whole item; `said` are its members."""
        self.close()
        self._writer.put_item(kind, said, self._status)

    def put_call(self, tool: Declared, call_id: bytes, arguments: bytes) -> None:
        """Write a whole call as what it is to the client; its arguments are a raw JSON text."""
        self.close()
        if tool.kind == FUNCTION:
            self._writer.put_call(tool.item, tool.head(call_id), arguments, self._status)
            return
        call = called(tool, call_id, arguments)
        if call.text:
            self._writer.put_call(call.item, call.said, call.text, self._status)
        else:
            self._writer.put_item(call.item, call.said, self._status)

    def close(self) -> None:
        """End the item that is open."""
        item, self._open = self._open, None
        if item is None:
            return
        if item.kind == "message":
            self._writer.end_message(item, self._status)
        else:
            self._writer.end_reasoning(item, _NULL)

    def cut(self) -> None:
        """Take what is not done yet for incomplete: the answer stops early."""
        self._status = b"incomplete"
