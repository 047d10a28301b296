"""What an upstream of the Responses API sends: frames decoded to events, of which each has a kind.

Only the head of an event is decoded; all else stays raw.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Raw

from longwire.core.events import SHOWN, Event, Kind
from longwire.dialects.raw_json import splice, split_members, tolerant
from longwire.dialects.responses.errors import (
    ends_connection,
    rule_of_failed,
    standard_error,
)
from longwire.dialects.responses.odd_output import has_kind, mended_event, mending

KINDS = {
    "response.created": Kind.OPENING,
    "response.queued": Kind.OPENING,
    "response.in_progress": Kind.OPENING,
    "response.output_item.done": Kind.ITEM,
    "response.completed": Kind.COMPLETED,
    "response.done": Kind.COMPLETED,
    "response.incomplete": Kind.INCOMPLETE,
    "response.failed": Kind.FAILED,
    "response.cancelled": Kind.CANCELLED,
    "error": Kind.ERROR,
    "response.error": Kind.ERROR,
    "response.metadata": Kind.VENDOR,
}
"""The kinds of events by their type; `kind_of` knows the rest."""

_DONE_ALIASES = {
    "completed": "response.completed",
    "incomplete": "response.incomplete",
    "cancelled": "response.cancelled",
    # A background response is answered before it is done; the turn is over all the same.
    "queued": "response.completed",
    "in_progress": "response.completed",
}
_NULL = b"null"
_NOTHING = Raw(_NULL)
_OUTPUT = Kind.OUTPUT  # for every event: on Python 3.11 a member is dear to name
WITH_RESPONSE = frozenset(
    {Kind.OPENING, Kind.COMPLETED, Kind.INCOMPLETE, Kind.FAILED, Kind.CANCELLED}
)
"""The kinds of events that carry the state of their response."""


class Head(msgspec.Struct):
    """What is read of every event."""

    name: str = msgspec.field(name="type")
    sequence: int | None = msgspec.field(name="sequence_number", default=None)
    lane: str | None = msgspec.field(name="stream_id", default=None)


class _Identity(msgspec.Struct):
    id: str | None = None
    status: str | None = None
    error: Raw = _NOTHING


class _Carrier(msgspec.Struct):
    response: _Identity | None = None


class _Finished(msgspec.Struct):
    item: Raw
    output_index: int


class _AnyHead(msgspec.Struct):
    type: Any = None
    stream_id: Any = None
    error: Raw = _NOTHING
    detail: Raw = _NOTHING


_decode_carrier = tolerant(msgspec.json.Decoder(_Carrier).decode)
_decode_any_head = tolerant(msgspec.json.Decoder(_AnyHead).decode)
_decode_finished = mending(msgspec.json.Decoder(_Finished).decode, mended_event)
decode_head = msgspec.json.Decoder(Head).decode
"""Decode the head of an event."""

_decode_head_with_halves = tolerant(decode_head)


def kind_of(name: str) -> Kind:
    """Return the kind of a type: other `response.*` are output, all else is a vendor's own."""
    known = KINDS.get(name)
    if known is not None:
        return known
    return Kind.OUTPUT if name.startswith("response.") else Kind.VENDOR


class MalformedEvent(ValueError):
    """What an upstream sent is cut or broken."""


class NoEvent(MalformedEvent):
    """What an upstream sent is whole, and no event: nothing depends on it."""


def decode_event(raw: bytes) -> Event:
    """Decode the head of one upstream event; all else stays raw.

    An envelope of an error without a type is that error. Raises `NoEvent` or `MalformedEvent`.
    """
    try:
        try:
            head = decode_head(raw)
        except msgspec.DecodeError:
            head = _odd_head(raw)
        kind = _printable_kind(head.name)
        if kind is _OUTPUT:
            return Event(kind, head.name, raw, None, head.sequence, head.lane)
        if head.name == "response.done":
            return _standard_terminal(raw)
        if kind is Kind.ERROR and ends_connection(raw):
            kind = Kind.FATAL_ERROR
        carried = _decode_carrier(raw).response if kind in WITH_RESPONSE else None
        if kind is Kind.FAILED and carried is not None and bytes(carried.error) != _NULL:
            raw = _with_standard_error(raw)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise MalformedEvent(str(error)) from error
    response_id = carried.id if carried else None
    return Event(kind, head.name, raw, response_id, head.sequence, head.lane)


def _odd_head(raw: bytes) -> Head:
    """Decode the head of an event as no event of the API has it. Raises `NoEvent`.

    A lane of whatever type stays one: such an event is of another response.
    """
    try:
        return _decode_head_with_halves(raw)
    except msgspec.ValidationError as error:
        problem = str(error)
    try:
        head = _decode_any_head(raw)
    except msgspec.ValidationError as error:
        raise NoEvent(str(error)) from error
    lane = None if head.stream_id is None else str(head.stream_id)
    if isinstance(head.type, str):
        return Head(head.type, lane=lane)
    if bytes(head.error) == _NULL and bytes(head.detail) == _NULL:
        raise NoEvent(problem)
    return Head("error", lane=lane)


def _with_standard_error(raw: bytes) -> bytes:
    """Return a response's event whose error has a code that is a text, and a message."""
    response = split_members(raw)["response"]
    error = bytes(split_members(response)["error"])
    standard = standard_error(error)
    if standard is error:
        return raw
    return splice(raw, {"response": splice(response, {"error": standard})})


def failed_as(raw: bytes) -> Kind:
    """Return what a response means that failed before it had output: the error that struck it.

    It stays a failed response where its error speaks of the request, or says nothing known.
    """
    rule = rule_of_failed(raw)
    if rule is None:
        return Kind.FAILED
    return Kind.FATAL_ERROR if rule.ends_connection else Kind.ERROR


def decode_outputs(frames: Sequence[bytes], start: int) -> list[Event]:
    """Decode frames from `start` on up to one that is no output event on no lane.

    The rest of a read, in one call: these are most of all events. What comes back may be empty.
    """
    events: list[Event] = []
    for index in range(start, len(frames)):
        raw = frames[index]
        try:
            head = decode_head(raw)
            kind = _printable_kind(head.name)
        except (msgspec.MsgspecError, RecursionError, MalformedEvent):
            break  # it is decoded once more, and refused there
        if kind is not _OUTPUT or head.lane is not None:
            break
        # The tuple itself: the class of a named one is a call into Python.
        parts = (kind, head.name, raw, None, head.sequence, None, b"")
        events.append(tuple.__new__(Event, parts))
    return events


@lru_cache(maxsize=256)
def is_output(name: str) -> bool:
    """Whether events of a type are output, finished items among them: they may pass undecoded."""
    return name.isprintable() and kind_of(name) in SHOWN


@lru_cache(maxsize=256)
def _printable_kind(name: str) -> Kind:
    if not name.isprintable():
        raise MalformedEvent(repr(name))
    return kind_of(name)


def _standard_terminal(raw: bytes) -> Event:
    """Decode the alias `response.done`, which clients do not know, as the terminal it means."""
    carried = _decode_carrier(raw).response or _Identity()
    name = _DONE_ALIASES.get(carried.status or "completed", "response.failed")
    return decode_event(splice(raw, {"type": msgspec.json.encode(name)}))


def decode_item(raw: bytes) -> tuple[int, bytes]:
    """Return index and raw item of a `response.output_item.done`. Raises `MalformedEvent`."""
    try:
        finished = _decode_finished(raw)
    except msgspec.MsgspecError as error:
        raise MalformedEvent(str(error)) from error
    item = bytes(finished.item)
    if item[:1] != b"{" or (b'"type":"' not in item and not has_kind(item)):
        raise MalformedEvent("a finished item does not say what it is")
    if item not in raw:  # halves of an emoji were read as U+FFFD
        item = bytes(split_members(raw)["item"])
    return finished.output_index, item


def terminal_of(response: bytes) -> Event:
    """Return the terminal event of a response that came whole, as JSON. Raises `MalformedEvent`."""
    raw = b'{"type":"response.done","sequence_number":0,"response":' + response + b"}"
    return decode_event(raw)
