"""What the model said before, as the client sends it back: blocks of the assistant as items.

Law: one text block is one message, and every block stands where it stood. The same function makes
the image of an answer, so that what a client sends back is known again.
"""

from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import Raw

from longwire.dialects.fields import invalid
from longwire.dialects.messages.blocks import Block, blocks_of, is_blank
from longwire.dialects.messages.ids import upstream_call_id
from longwire.dialects.messages.thinking import opened, reasoning_item
from longwire.dialects.names import shortened
from longwire.dialects.raw_json import tolerant

SEARCH_ID: Final = "srvtoolu_lw_"
"""What the id of a search begins with that the gateway has shown as a server tool."""

_MESSAGE: Final = b'{"type":"message","role":"assistant",'
_CONTENT: Final = b'"content":[{"type":"output_text","text":'
_SEALED: Final = frozenset({"thinking", "redacted_thinking"})
_UNPARSED: Final = b'"__unparsedToolInput"'
_encode: Final = msgspec.json.Encoder().encode


class _Unparsed(msgspec.Struct):
    raw: Raw


class _Input(msgspec.Struct):
    unparsed: _Unparsed = msgspec.field(name="__unparsedToolInput")


_decode_input: Final = tolerant(msgspec.json.Decoder(_Input).decode)


def assistant_items(content: Raw, at: str) -> Iterator[bytes]:
    """Give the items of an assistant's content. Raises `InvalidRequest`, naming the block.

    Blocks of servers' tools and of other issuers' reasoning are left out: they were never ours.
    """
    phase: str | None = None
    for block in blocks_of(content, at):
        kind, following = block.type, None
        if kind == "tool_use":
            yield _call(block, at)
        elif kind == "text":
            if not is_blank(block.text):
                yield _message(block.text, phase)
        elif kind in _SEALED and (seal := opened(block.signature or block.data)) is not None:
            following = seal.phase
            if seal.has_item:
                yield reasoning_item(seal, block.thinking)
        elif kind == "server_tool_use" and block.id and block.id.startswith(SEARCH_ID):
            yield _search(block.id, block.input)
        phase = following


def _message(text: Raw, phase: str | None) -> bytes:
    said = b'"phase":%b,' % _encode(phase) if phase is not None else b""
    return b"".join((_MESSAGE, said, _CONTENT, text, b"}]}"))


def _call(block: Block, at: str) -> bytes:
    if not block.id or not block.name:
        raise invalid(at, "has a tool_use without 'id' or 'name'")
    return b'{"type":"function_call","call_id":%b,"name":%b,"arguments":%b}' % (
        _encode(upstream_call_id(block.id)),
        _encode(shortened(block.name)),
        _arguments(block.input),
    )


def _arguments(value: Raw) -> bytes:
    """Return the input of a tool as a raw JSON text; where it never was JSON, as it was."""
    raw = bytes(value)
    if raw == b"null":
        return b'"{}"'
    if _UNPARSED in raw:
        try:
            return bytes(_decode_input(raw).unparsed.raw)
        except msgspec.MsgspecError:
            pass  # it only mentions the word
    return _encode(raw.decode("utf-8", "replace"))


def _search(identity: str, action: Raw) -> bytes:
    own = _encode(identity[len(SEARCH_ID) :])
    return b'{"type":"web_search_call","id":%b,"status":"completed","action":%b}' % (own, action)
