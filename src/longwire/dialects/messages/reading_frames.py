"""What Anthropic sends: the events of a stream, and a message that comes whole, as decoded."""

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Raw

from longwire.dialects.raw_json import NULL, keeping_halves, tolerant


class Target(msgspec.Struct, gc=False):
    """The model that took over."""

    model: str | None = None


class Block(msgspec.Struct, gc=False):
    """What is read of a content block, whatever its type; texts stay raw."""

    type: str = ""
    text: Raw = NULL
    thinking: Raw = NULL
    signature: str | None = None
    data: str | None = None
    id: str | None = None
    name: str | None = None
    input: Raw = NULL
    tool_use_id: str | None = None
    content: Raw = NULL
    citations: list[Raw] | None = None
    to: Target | None = None


class Delta(msgspec.Struct, gc=False):
    """What is new of a block, or of the message."""

    type: str = ""
    text: Raw = NULL
    thinking: Raw = NULL
    partial_json: Raw = NULL
    signature: str | None = None
    citation: Raw = NULL
    content: Raw = NULL
    stop_reason: str | None = None


class Message(msgspec.Struct, gc=False):
    """A message as it begins, or whole."""

    type: str = ""
    id: str | None = None
    model: str | None = None
    content: Sequence[Block] | None = None
    stop_reason: str | None = None
    usage: Raw = NULL
    input_tokens: int | None = None


class Frame(msgspec.Struct, gc=False):
    """One event of a stream."""

    type: str = ""
    index: int = 0
    delta: Delta | None = None
    content_block: Block | None = None
    message: Message | None = None
    usage: Raw = NULL


frame_of: Final = keeping_halves(
    msgspec.json.Decoder(Frame).decode, "text", "thinking", "partial_json"
)
"""Decodes an event; halves of an emoji stay in its pieces. Raises `msgspec.MsgspecError`."""

decode_message: Final = tolerant(msgspec.json.Decoder(Message).decode)
