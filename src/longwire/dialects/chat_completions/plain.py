"""Chunks that differ from the one before by one text alone, known again without decoding them.

Law: what is read so is what decoding it would read. A text with an escape in it is decoded.
"""

import re
from typing import Final

from longwire.dialects.chat_completions.chunks import Chunk, Delta, text_in
from longwire.dialects.raw_json import NULL

_NULL: Final = bytes(NULL)
_PLAIN: Final = re.compile(rb'"[^"\\\x00-\x1f]++"')
_TEXTS: Final = ("content", "reasoning_content", "reasoning")
_NOTHING: Final = (_NULL, b"[]", b'""')
_TRIES: Final = 8
"""So many chunks are learned from in vain: some vendors write something else into each."""


class PlainChunks:
    """What stands around the text of a chunk; `member` is which text of the message that is."""

    __slots__ = ("_after", "_before", "_tries", "member")

    def __init__(self) -> None:
        self._before = self._after = b""
        self._tries = _TRIES
        self.member = ""

    def text_in(self, data: bytes) -> bytes:
        """Return the text of a chunk, as raw JSON, b"" where it must be decoded."""
        before, after = self._before, self._after
        if not before or not data.startswith(before) or not data.endswith(after):
            return b""
        text = data[len(before) : -len(after)]
        if _PLAIN.fullmatch(text) is None or not (text.isascii() or _is_utf8(text)):
            return b""
        self._tries = _TRIES
        return text

    def learn(self, data: bytes, chunk: Chunk) -> None:
        """Know the next chunk again, if it is like this one and its text alone is another."""
        self._before = b""
        if self._tries <= 0:
            return
        self._tries -= 1
        member, text = _only_text(chunk)
        if not member:
            return
        for key in (b'"%b":' % member.encode(), b'"%b": ' % member.encode()):
            parts = data.split(key + text)
            if len(parts) == len(("before", "after")):
                self.member, self._before, self._after = member, parts[0] + key, parts[1]
                return


def _only_text(chunk: Chunk) -> tuple[str, bytes]:
    """Return the one text that a chunk says, with its name; "" where it says anything else."""
    if chunk.choices is None or len(chunk.choices) != 1:
        return "", b""
    choice = chunk.choices[0]
    delta, logprobs = choice.delta, choice.logprobs
    others = (chunk.usage, chunk.error, choice.finish_reason, choice.error)
    if delta is None or any(bytes(each) != _NULL for each in others) or _says_more(delta):
        return "", b""
    if logprobs is not None and bytes(logprobs.content) != _NULL:
        return "", b""
    found = [(name, text) for name in _TEXTS if (text := text_in(getattr(delta, name)))]
    return found[0] if len(found) == 1 else ("", b"")


def _says_more(delta: Delta) -> bool:
    """Whether a delta says anything but its texts."""
    others = (delta.reasoning_details, delta.refusal)
    is_called = delta.tool_calls or delta.function_call is not None
    return bool(is_called) or any(bytes(each) not in _NOTHING for each in others)


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True
