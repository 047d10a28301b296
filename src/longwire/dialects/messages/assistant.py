"""What the model said before, as the client sends it back: blocks of the assistant as items.

Law: one text block is one message, and every block stands where it stood. The same function makes
the image of an answer, so that what a client sends back is known again.
"""

from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import Raw

from longwire.dialects.fields import invalid, no_text
from longwire.dialects.messages.blocks import QUOTE, Block, blocks_of, is_blank, unknown_block
from longwire.dialects.messages.ids import upstream_call_id
from longwire.dialects.messages.thinking import opened, reasoning_item
from longwire.dialects.names import shortened
from longwire.dialects.raw_json import tolerant

SEARCH_ID: Final = "srvtoolu_lw_"
"""What the id of a search begins with that the gateway has shown as a server tool."""

_MESSAGE: Final = b'{"type":"message","role":"assistant",'
_CONTENT: Final = b'"content":[{"type":"output_text","text":'
_OF_USERS: Final = frozenset({"image", "document", "search_result", "tool_result"})
_SEALED: Final = frozenset({"thinking", "redacted_thinking"})
_UNPARSED: Final = b'"__unparsedToolInput"'
_encode: Final = msgspec.json.Encoder().encode


class _Unparsed(msgspec.Struct, forbid_unknown_fields=True):
    raw: Raw
    len: int | None = None


class _Input(msgspec.Struct, forbid_unknown_fields=True):
    unparsed: _Unparsed = msgspec.field(name="__unparsedToolInput")


_decode_input: Final = tolerant(msgspec.json.Decoder(_Input).decode)


def assistant_items(content: Raw, at: str, left_out: list[str]) -> Iterator[bytes]:
    """Give the items of an assistant's content. Raises `InvalidRequest`, naming the block.

    Blocks of servers' tools and of other issuers' reasoning are left out by the names of their
    types: they were never ours. So is a search whose reasoning is not sent back before it:
    upstreams refuse the id of one without the other.
    """
    phase: str | None = None
    is_reasoned = False
    for number, block in enumerate(blocks_of(content, at)):
        kind, place, following = block.type, f"{at}.{number}", None
        if kind == "tool_use":
            yield _call(block, place)
        elif kind == "text":
            if not is_blank(block.text):
                yield _message(block.text, phase, place)
        elif kind in _SEALED and (seal := opened(block.signature or block.data)) is not None:
            following = seal.phase
            if seal.has_item:
                is_reasoned = True
                yield reasoning_item(seal, block.thinking, place)
        elif is_reasoned and kind == "server_tool_use" and _is_ours(block.id):
            yield _search(block.id or "", block.input)
        else:
            _leave_out(block, place, left_out)
        phase = following


def _is_ours(identity: str | None) -> bool:
    return identity is not None and identity.startswith(SEARCH_ID)


def _leave_out(block: Block, at: str, left_out: list[str]) -> None:
    """Name a block, unless what it says is known upstream: the result of the gateway's search."""
    if block.type in _OF_USERS:
        raise unknown_block(block, at)
    if not _is_ours(block.tool_use_id):
        left_out.append(block.type)


def _message(words: Raw, phase: str | None, at: str) -> bytes:
    if memoryview(words)[0] != QUOTE:
        raise no_text(words, f"{at}.text")
    said = b'"phase":%b,' % _encode(phase) if phase is not None else b""
    return b"".join((_MESSAGE, said, _CONTENT, words, b"}]}"))


def _call(block: Block, at: str) -> bytes:
    if not block.id or not block.name:
        raise invalid(f"{at}.{'name' if block.id else 'id'}", "is required")
    return b'{"type":"function_call","call_id":%b,"name":%b,"arguments":%b}' % (
        _encode(upstream_call_id(block.id)),
        _encode(shortened(block.name)),
        _arguments(block.input, f"{at}.input"),
    )


def _arguments(value: Raw, at: str) -> bytes:
    """Return the input of a tool as a raw JSON text; where it never was JSON, as it was."""
    raw = bytes(value)
    if raw == b"null":
        return b'"{}"'
    if raw[:1] != b"{":
        raise invalid(at, "must be an object")
    unparsed = _unparsed(raw) if _UNPARSED in raw else b""
    return unparsed or _encode(raw.decode("utf-8", "replace"))


def _unparsed(raw: bytes) -> bytes:
    """Return the text that a client has wrapped, b"" for what is more than that wrapping."""
    try:
        text = bytes(_decode_input(raw).unparsed.raw)
    except msgspec.MsgspecError:
        return b""  # it only mentions the word
    return text if text[:1] == b'"' else b""


def _search(identity: str, action: Raw) -> bytes:
    own = _encode(identity[len(SEARCH_ID) :])
    return b'{"type":"web_search_call","id":%b,"status":"completed","action":%b}' % (own, action)
