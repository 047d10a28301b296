"""What the upstream of the benchmarks says, as WebSocket frames made beforehand.

A plan such as `400x8@20` means 400 deltas, 8 events a write, 20 ms between writes.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

REPLY = (
    b'{"id":"msg_bench","type":"message","role":"assistant","status":"completed",'
    b'"content":[{"type":"output_text","text":"That is all.","annotations":[]}]}'
)
"""The one output item of every response, which clients send back with their next turn."""

PLAN = re.compile(rb'"bench":"(\d+)x(\d+)@(\d+)"')
AROUND = 5
"""Events of a turn beside its deltas."""

_PREVIOUS = re.compile(rb'"previous_response_id":("[^"]*")')
_DELTA_TEXT = b"words of an answer as they come, " * 5
_ECHOED = b"Instructions that the upstream repeats in every state of a response. " * 10


@dataclass(frozen=True, slots=True)
class Plan:
    """The events between `response.created` and the terminal, and how all of them are written."""

    between: tuple[bytes, ...]
    per_write: int
    gap: float


@lru_cache
def plan(deltas: int, per_write: int, gap_ms: int) -> Plan:
    """Make the frames of a plan."""
    texts = [_delta(number) for number in range(3, deltas + 3)]
    part = b'"item_id":"msg_bench","output_index":0,"content_index":0,"part":'
    item = b'{"id":"msg_bench","type":"message","role":"assistant","content":[]}'
    events = [
        b'{"type":"response.output_item.added","sequence_number":1,"output_index":0,"item":%b}'
        % item,
        b'{"type":"response.content_part.added","sequence_number":2,%b'
        b'{"type":"output_text","text":"","annotations":[]}}' % part,
        *texts,
        b'{"type":"response.output_item.done","sequence_number":%d,"output_index":0,"item":%b}'
        % (deltas + 3, REPLY),
    ]
    return Plan(tuple(map(_frame, events)), per_write, gap_ms / 1_000)


def writes(create: bytes, response_id: bytes) -> tuple[list[bytes], float]:
    """Return what is written in answer to a create, piece by piece, and the seconds between."""
    found = PLAN.search(create)
    if found is None:
        raise ValueError("a create without a plan")
    made = plan(*map(int, found.groups()))
    previous = _PREVIOUS.search(create)
    state = b'{"id":"%b","object":"response","previous_response_id":%b,"instructions":"%b",' % (
        response_id,
        previous[1] if previous else b"null",
        _ECHOED,
    )
    frames = (
        _frame(
            b'{"type":"response.created","sequence_number":0,"response":%b"status":'
            b'"in_progress","output":[]}}' % state
        ),
        *made.between,
        _frame(
            b'{"type":"response.completed","sequence_number":%d,"response":%b"status":'
            b'"completed","output":[%b],"usage":{"input_tokens":9,"output_tokens":9}}}'
            % (len(made.between) + 1, state, REPLY)
        ),
    )
    size = made.per_write
    return [b"".join(frames[at : at + size]) for at in range(0, len(frames), size)], made.gap


def _delta(number: int) -> bytes:
    return (
        b'{"type":"response.output_text.delta","sequence_number":%d,"item_id":"msg_bench",'
        b'"output_index":0,"content_index":0,"delta":"%b","logprobs":[]}' % (number, _DELTA_TEXT)
    )


def _frame(payload: bytes) -> bytes:
    """Frame one text message as a server does (RFC 6455, 5.2); all of ours are of middle size."""
    shortest, longest = 126, 0xFFFF
    assert shortest <= len(payload) <= longest  # noqa: S101 - one length encoding is enough
    return b"\x81\x7e" + len(payload).to_bytes(2, "big") + payload
