"""Calls in Gemini's answers, whole or in pieces, and the items that they are to the client."""

from typing import Final

import msgspec

from longwire.dialects.generate_content.chunks import FunctionCall
from longwire.dialects.generate_content.partial_args import PartialArguments

_encode: Final = msgspec.json.Encoder().encode
_NULL: Final = b"null"


class OpenCall:
    """A call as far as it has come."""

    __slots__ = ("args", "id", "name", "pieces", "signature")

    def __init__(self, name: str, identity: str) -> None:
        self.name = name
        self.id = identity
        self.signature = ""
        self.args = b""
        self.pieces: PartialArguments | None = None

    def add(self, call: FunctionCall, signature: str | None) -> None:
        """Add a piece, or all of it."""
        self.signature = self.signature or signature or ""
        if bytes(call.args) != _NULL:
            self.args = bytes(call.args)
        for piece in call.partial_args or ():
            self.pieces = self.pieces or PartialArguments()
            self.pieces.add(piece)

    @property
    def arguments(self) -> bytes:
        """All arguments as raw JSON."""
        return self.args or (self.pieces.encoded() if self.pieces else b"{}")
