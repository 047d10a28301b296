"""What the upstream of the benchmarks says, made beforehand, as WebSocket frames or as SSE.

A plan such as `bench:400x8@20:` means 400 deltas, 8 events a write, 20 ms between writes. Behind
it may stand `*SIZE`, the bytes of a delta's text, and `+MODEL/UPLOAD/HANDSHAKE`: ms until the
model's first event, µs per KB of the request, ms until a new connection takes its first request.
`say:` in the place of `bench:` asks for an answer whose deltas add up, see `speech`.
"""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from bench import speech

REASONING = b'{"id":"rs_bench","type":"reasoning","summary":[],"encrypted_content":"%b"}' % (
    b"gAAAAB" * 80
)
CALL = (
    b'{"id":"fc_bench","type":"function_call","status":"completed","name":"edit_file",'
    b'"call_id":"call_bench","arguments":"{\\"path\\":\\"src/shop/ledger.py\\",\\"line\\":12}"}'
)
REPLIES = (REASONING, CALL)
"""The output items of every response, which clients send back with their next turn."""

PLAN = re.compile(rb"(bench|say):(\d+)x(\d+)@(\d+)(?:\*(\d+))?(?:\+(\d+)/(\d+)/(\d+))?:")
AROUND = 5
"""Events of a turn beside its deltas."""

STAMP = re.compile(rb"at=(\d{19})")
"""When a paced event was written, in ns of the machine's monotonic clock."""

_BLANK = b"at=" + b"0" * 19
_PREVIOUS = re.compile(rb'"previous_response_id":("[^"]*")')
_TEXT = b"words of an answer as they come, "
_ECHOED = b"Instructions that the upstream repeats in every state of a response. " * 10
_SIZE = 165
_SHORT, _MIDDLE = 126, 0xFFFF

Spell = Callable[[bytes, bytes], bytes]
"""Turns the type of an event and its JSON into what a transport carries."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a response consists of, and the seconds it takes."""

    deltas: int
    per_write: int
    gap: float
    size: int = _SIZE
    model: float = 0.0
    upload: float = 0.0
    handshake: float = 0.0
    adds_up: bool = False

    @property
    def events(self) -> int:
        """Count all events of a response."""
        return self.deltas + (speech.AROUND + 2 if self.adds_up else AROUND)

    @property
    def output(self) -> tuple[bytes, ...]:
        """The items of a response."""
        return speech.speech(self.deltas).output if self.adds_up else REPLIES

    def delay(self, size: int, *, is_first: bool) -> float:
        """Return the seconds until the first event, for a request of so many bytes."""
        return self.model + self.upload * size / 1_000 + (self.handshake if is_first else 0.0)


def plan_of(request: bytes) -> Plan:
    """Read the plan that a request carries. Raises `ValueError` where it has none."""
    found = PLAN.search(request)
    if found is None:
        raise ValueError("a request without a plan")
    return _plan(found[0])


@lru_cache
def _plan(text: bytes) -> Plan:
    found = PLAN.fullmatch(text)
    assert found is not None  # noqa: S101 - it was found by the same expression
    kind, *numbers = found.groups()
    deltas, per_write, gap, size, model, upload, handshake = (int(n or 0) for n in numbers)
    ms, per_kb = 1e-3, 1e-6
    delays = (model * ms, upload * per_kb, handshake * ms)
    return Plan(deltas, per_write, gap * ms, size or _SIZE, *delays, adds_up=kind == b"say")


def frame(_name: bytes, payload: bytes) -> bytes:
    """Frame one text message as a server does (RFC 6455, 5.2)."""
    size = len(payload)
    if size < _SHORT:
        return b"\x81" + size.to_bytes(1, "big") + payload
    if size <= _MIDDLE:
        return b"\x81\x7e" + size.to_bytes(2, "big") + payload
    return b"\x81\x7f" + size.to_bytes(8, "big") + payload


def sse(name: bytes, payload: bytes) -> bytes:
    """Spell one event of a stream."""
    return b"event: %b\ndata: %b\n\n" % (name, payload)


def pieces(request: bytes, response_id: bytes, spell: Spell) -> list[bytes]:
    """Return what is written in answer to a request, piece by piece."""
    plan = plan_of(request)
    state = _state(request, response_id)
    opening = b'{"type":"response.created","sequence_number":0,"response":%b,"output":[]}}' % (
        state % b"in_progress"
    )
    terminal = b'{"type":"response.completed","sequence_number":%d,"response":%b}' % (
        plan.events - 1,
        completed(request, response_id),
    )
    first, *rest = _between(plan, spell)
    written = [spell(b"response.created", opening) + first, *rest]
    written[-1] += spell(b"response.completed", terminal)
    if not plan.adds_up:
        return written
    return [piece.replace(speech.CALL_ID, b"call_" + response_id[-12:]) for piece in written]


def stamped(piece: bytes) -> bytes:
    """Write the time into a piece."""
    return piece.replace(_BLANK, b"at=%019d" % time.monotonic_ns(), 1)


def completed(request: bytes, response_id: bytes) -> bytes:
    """Return a whole response: what a terminal carries, and the body of a JSON answer."""
    return _state(request, response_id) % b"completed" + (
        b',"output":[%b],"usage":{"input_tokens":9,"output_tokens":9}}'
        % b",".join(plan_of(request).output)
    )


def _state(request: bytes, response_id: bytes) -> bytes:
    previous = _PREVIOUS.search(request)
    told = (response_id, previous[1] if previous else b"null", _ECHOED)
    return (
        b'{"id":"%b","object":"response","model":"bench","created_at":1790000000,'
        b'"previous_response_id":%b,"instructions":"%b","status":"%%b"' % told
    )


@lru_cache
def _between(plan: Plan, spell: Spell) -> tuple[bytes, ...]:
    """Make what stands between opening and terminal, in pieces of `per_write` events."""
    events = _adding_up(plan) if plan.adds_up else _repeated(plan)
    told = [spell(name, payload) for name, payload in events]
    size = plan.per_write
    return tuple(b"".join(told[at : at + size]) for at in range(0, len(told), size))


def _repeated(plan: Plan) -> Iterator[tuple[bytes, bytes]]:
    yield _added(1, CALL)
    for number in range(2, plan.deltas + 2):
        yield _delta(number, plan.size)
    for index, item in enumerate(REPLIES):
        yield _done(plan.deltas + 2 + index, index, item)


def _adding_up(plan: Plan) -> Iterator[tuple[bytes, bytes]]:
    for number, (name, members) in enumerate(speech.events(speech.speech(plan.deltas)), 1):
        yield name, b'{"type":"%b","sequence_number":%d,%b}' % (name, number, members)


def _added(number: int, item: bytes) -> tuple[bytes, bytes]:
    name = b"response.output_item.added"
    return name, b'{"type":"%b","sequence_number":%d,"output_index":1,"item":%b}' % (
        name,
        number,
        item,
    )


def _done(number: int, index: int, item: bytes) -> tuple[bytes, bytes]:
    name = b"response.output_item.done"
    return name, b'{"type":"%b","sequence_number":%d,"output_index":%d,"item":%b}' % (
        name,
        number,
        index,
        item,
    )


def _delta(number: int, size: int) -> tuple[bytes, bytes]:
    name = b"response.function_call_arguments.delta"
    text = (_TEXT * (size // len(_TEXT) + 1))[:size]
    return name, (
        b'{"type":"%b","sequence_number":%d,"item_id":"fc_bench","output_index":1,'
        b'"delta":"%b","obfuscation":"%b"}' % (name, number, text, _BLANK)
    )
