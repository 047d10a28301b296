"""Where the cache is to remember a request: at most four `cache_control` marks.

Law: what one request has marked last, the next one of a growing history marks at the very same
place: the end of what the user said before the last answer. So it reads all of it, and no mark
moves onto a block that was never cached. Thoughts and blank texts stand at none of these places.
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


def with_marks_in_thread(messages: Sequence[Message]) -> list[Message]:
    """Return what is new in a thread with a mark at its end, and one at its beginning.

    The latter finds, a few blocks before it, what the request before has marked last.
    """
    said = [Message(each.role, [unmarked(block) for block in each.blocks]) for each in messages]
    heard = [index for index, each in enumerate(said) if each.role == "user"]
    if heard:
        first, last = said[heard[0]], said[heard[-1]]
        said[heard[-1]] = Message(last.role, last_marked(last.blocks))
        if len(first.blocks) > 1 or len(heard) > 1:
            blocks = said[heard[0]].blocks
            said[heard[0]] = Message(first.role, [marked(first.blocks[0]), *blocks[1:]])
    return said


def unmarked(block: bytes) -> bytes:
    """Return a block without its mark."""
    return block[: -len(_MARK)] + b"}" if block.endswith(_MARK) else block


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
