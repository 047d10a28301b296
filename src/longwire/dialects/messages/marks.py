"""Where the cache is to remember a request: at most four `cache_control` marks.

Law: what one request has marked last, the next one of a growing history marks again at the very
same place, and so reads all of it from the cache, however much has been added: it is the end of
what the user said before the last answer. So no mark moves onto a block that was never cached.
The others are the last tool, the last block of the system prompt and the end of the user's word.
Thoughts and blank texts, which must bear none, stand at none of these places.
"""

from collections.abc import Sequence
from typing import Final

from longwire.dialects.messages.from_items import Message

_MARK: Final = b',"cache_control":{"type":"ephemeral"}}'


def marked(block: bytes) -> bytes:
    """Return a block or a tool, as raw JSON, with a mark."""
    return block[:-1] + _MARK


def last_marked(blocks: Sequence[bytes]) -> list[bytes]:
    """Return blocks with a mark on the last of them."""
    return [*blocks[:-1], marked(blocks[-1])] if blocks else []


def with_marks(messages: Sequence[Message]) -> list[Message]:
    """Return messages with a mark where this request ends, and where the one before did."""
    said = list(messages)
    for index in _ends(messages):
        role, blocks = said[index]
        said[index] = Message(role, last_marked(blocks))
    return said


def _ends(messages: Sequence[Message]) -> list[int]:
    """Return the last user's message, and the last one before the last answer."""
    ends: list[int] = []
    has_answered = False
    for index in range(len(messages) - 1, -1, -1):
        role = messages[index].role
        if role == "user" and (has_answered or not ends):
            ends.append(index)
            if has_answered:
                break
        has_answered = has_answered or role == "assistant"
    return ends
