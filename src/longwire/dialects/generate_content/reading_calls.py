"""Calls in Gemini's answers, whole or in pieces, and the items that they are to the client."""

from typing import Final

import msgspec
from msgspec import Raw

from longwire.dialects.generate_content.chunks import FunctionCall
from longwire.dialects.generate_content.client_tools import CLIENT_TOOLS, TOOL_SEARCH
from longwire.dialects.generate_content.declarations import Declared
from longwire.dialects.generate_content.partial_args import PartialArguments
from longwire.dialects.responses.writer import ResponseWriter

_encode: Final = msgspec.json.Encoder().encode
_NULL: Final = b"null"


class _Input(msgspec.Struct):
    input: Raw


_decode_input: Final = msgspec.json.Decoder(_Input).decode


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


def write_call(writer: ResponseWriter, call: OpenCall, own: Declared | None) -> None:
    """Write a call as that of the client's own tool, a function's where none was declared."""
    own = own or Declared("function", call.name)
    said = b'"call_id":%b' % _encode(call.id)
    tool = CLIENT_TOOLS.get(own.kind)
    if tool is not None:
        held = b'%b,"%b":%b' % (said, tool.member.encode(), tool.call_of(call.arguments))
        writer.put_item(f"{own.kind}_call", held)
        return
    if own.kind == TOOL_SEARCH:
        held = b'%b,"execution":"client","arguments":%b' % (said, call.arguments)
        writer.put_item(f"{TOOL_SEARCH}_call", held)
        return
    said += b',"name":%b' % _encode(own.name)
    if own.namespace:
        said += b',"namespace":%b' % _encode(own.namespace)
    if own.kind == "custom":
        writer.put_custom_call(said, _input_of(call.arguments))
    else:
        writer.put_call(said, _encode(call.arguments.decode("utf-8", "replace")))


def _input_of(arguments: bytes) -> bytes:
    """Return the text that a custom tool is called with; arguments of another form are it."""
    try:
        text = bytes(_decode_input(arguments).input)
    except msgspec.MsgspecError:
        text = b""
    return text if text[:1] == b'"' else _encode(arguments.decode("utf-8", "replace"))
