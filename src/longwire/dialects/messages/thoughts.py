"""Thinking in messages that are passed on: what is sealed there, and a message without it."""

from collections.abc import Callable
from typing import Final

import msgspec

from longwire.dialects.raw_json import NULL, map_items, splice, split_items, split_members

SEALED: Final = (b'"thinking"', b'"redacted_thinking"')
_TYPES: Final = frozenset({"thinking", "redacted_thinking"})


class Block(msgspec.Struct):
    """A block, as far as it may be thinking."""

    type: str | None = None
    signature: str | None = None
    data: str | None = None

    @property
    def seal(self) -> str | None:
        """What is sealed in it; None where it is no thinking."""
        return (self.signature or self.data or "") if self.type in _TYPES else None


_decode_block: Final = msgspec.json.Decoder(Block).decode


def block_of(raw: bytes) -> Block:
    """Read a block, also one that is none."""
    try:
        return _decode_block(raw)
    except msgspec.MsgspecError:
        return Block()


def sealed_in(message: bytes) -> bytes:
    """Return all that a message has sealed, b"" for nothing."""
    content = _content_of(message)
    blocks = [block_of(bytes(each)) for each in split_items(content)] if content else []
    return "\n".join(each.seal for each in blocks if each.seal is not None).encode()


def without_sealed(message: bytes, is_sealed: Callable[[Block], bool] | None = None) -> bytes:
    """Return a message without its thinking, or that part of it; b"" where nothing is left."""
    content = _content_of(message)
    if not content:
        return message
    leaves = is_sealed or _thinks
    kept = map_items(content, lambda block: None if leaves(block_of(block)) else block)
    return b"" if kept == b"[]" else splice(message, {"content": kept})


def _thinks(block: Block) -> bool:
    return block.seal is not None


def _content_of(message: bytes) -> bytes:
    """Return the list of a message's blocks, b"" where it has none."""
    content = bytes(split_members(message).get("content", NULL)) if message[:1] == b"{" else b""
    return content if content[:1] == b"[" else b""
