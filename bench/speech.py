"""What the upstream says where clients of several APIs send it back: a text, then a call.

Unlike the deltas of `wire`, these add up to the items that they belong to, so that a client which
gathers its answer from deltas sends back what was said. Half of them are the call's arguments.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

Event = tuple[bytes, bytes]
"""The type of an event, and its other members as raw JSON without the brackets."""

AROUND = 10
"""Events of an answer beside its deltas, its opening and its terminal."""

_WORDS = b"word %06d, as said; "
SEALED = b"gAAAAB" * 80
"""Reasoning that only the upstream can read."""

_REASONING = b'{"id":"rs_bench","type":"reasoning","summary":[],"encrypted_content":"%b"}' % SEALED
_OPENED_REASONING = b'{"id":"rs_bench","type":"reasoning","summary":[]}'
_MESSAGE = b'{"id":"msg_bench","type":"message","status":"%b","role":"assistant","content":[%b]}'
_PART = b'{"type":"output_text","annotations":[],"logprobs":[],"text":"%b"}'
CALL_ID = b"call_000000000000"
"""Stands for the id of the call, which is another one in every answer."""

_CALL = (
    b'{"id":"fc_bench","type":"function_call","status":"%%b","name":"edit_file",'
    b'"call_id":"%b","arguments":"%%b"}' % CALL_ID
)
_TEXT_DELTA = (
    b'"item_id":"msg_bench","output_index":1,"content_index":0,"delta":"%b","logprobs":[],'
    b'"obfuscation":"at=0000000000000000000"'
)
_ARGUMENTS_DELTA = (
    b'"item_id":"fc_bench","output_index":2,"delta":"%b","obfuscation":"at=0000000000000000000"'
)
_OPENS, _CLOSES = b'{\\"path\\":\\"src/shop/ledger.py\\",\\"text\\":\\"', b'\\"}'


@dataclass(frozen=True, slots=True)
class Speech:
    """An answer: the deltas of its text and of its arguments."""

    text: tuple[bytes, ...]
    arguments: tuple[bytes, ...]

    @property
    def output(self) -> tuple[bytes, ...]:
        """The items that it comes to."""
        part = _PART % b"".join(self.text)
        call = _CALL % (b"completed", b"".join(self.arguments))
        return _REASONING, _MESSAGE % (b"completed", part), call


@lru_cache
def speech(deltas: int) -> Speech:
    """Return an answer in so many deltas, four at least, of a few tokens; no two are equal."""
    of_text = deltas // 2
    inner = deltas - of_text - 2
    words = [_WORDS % number for number in range(of_text + inner)]
    return Speech((*words[:of_text],), (_OPENS, *words[of_text:], _CLOSES))


def events(said: Speech) -> Iterator[Event]:
    """Give all events of an answer between its opening and its terminal."""
    reasoning, message, call = said.output
    yield _item(b"added", 0, _OPENED_REASONING)
    yield _item(b"done", 0, reasoning)
    yield from _text(said, message)
    yield _item(b"added", 2, _CALL % (b"in_progress", b""))
    for delta in said.arguments:
        yield b"response.function_call_arguments.delta", _ARGUMENTS_DELTA % delta
    whole = b'"item_id":"fc_bench","output_index":2,"arguments":"%b"' % b"".join(said.arguments)
    yield b"response.function_call_arguments.done", whole
    yield _item(b"done", 2, call)


def _text(said: Speech, message: bytes) -> Iterator[Event]:
    about = b'"item_id":"msg_bench","output_index":1,"content_index":0'
    whole = b"".join(said.text)
    yield _item(b"added", 1, _MESSAGE % (b"in_progress", b""))
    yield b"response.content_part.added", b'%b,"part":%b' % (about, _PART % b"")
    for delta in said.text:
        yield b"response.output_text.delta", _TEXT_DELTA % delta
    yield b"response.output_text.done", b'%b,"text":"%b"' % (about, whole)
    yield b"response.content_part.done", b'%b,"part":%b' % (about, _PART % whole)
    yield _item(b"done", 1, message)


def _item(state: bytes, index: int, item: bytes) -> Event:
    return b"response.output_item.%b" % state, b'"output_index":%d,"item":%b' % (index, item)
