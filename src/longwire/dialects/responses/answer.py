"""What a client of the Responses API gets: events encoded for it, or the response alone.

Law: an event passes byte for byte, but for the client's own `previous_response_id`, a gapless
`sequence_number`, no lane, and a terminal that is complete. A vendor's notice has no number.
"""

from collections.abc import Sequence
from functools import lru_cache

import msgspec
from msgspec import Raw

from longwire.core import sse
from longwire.core.events import Event, Kind
from longwire.core.rules.aggregate import Aggregate
from longwire.dialects.raw_json import merge, splice, split_members
from longwire.dialects.responses.stream import (
    WITH_RESPONSE,
    decode_finished,
    decode_head,
    kind_of,
)

_ITEM_DONE = "response.output_item.done"
_LF, _CR = b"\n\r"


class EventEncoder:
    """Encodes the events of one response for the client that asked.

    `previous_response_id` is what the client sent; upstream events name what the gateway sent.
    """

    __slots__ = ("_aggregate", "_before", "_previous", "_sequence")

    def __init__(self, previous_response_id: str | None, aggregate: Aggregate) -> None:
        self._previous = previous_response_id
        self._aggregate = aggregate
        self._before = self._sequence = 0

    def encode(self, event: Event) -> bytes:
        """Return the event's JSON as the client gets it."""
        self._before = self._sequence
        is_in_order = event.sequence == self._sequence
        if is_in_order and event.kind is Kind.OUTPUT and event.lane is None:
            self._sequence += 1
            return event.raw
        if event.kind is Kind.VENDOR:
            return _unnumbered(event)
        changes: dict[str, bytes | None] = {}
        if not is_in_order:
            changes["sequence_number"] = b"%d" % self._sequence
        self._sequence += 1
        if event.lane is not None:
            changes["stream_id"] = None
        if event.kind in WITH_RESPONSE:
            members = split_members(event.raw)
            changes |= self._response_changes(event.kind, members.get("response"))
            return merge(members, changes) if changes else event.raw
        return splice(event.raw, changes) if changes else event.raw

    def encode_batch(self, events: Sequence[Event]) -> bytes:
        """Return events as SSE, as the client gets them."""
        told: list[bytes] = []
        for event in events:
            raw, number = event.raw, self._sequence
            is_plain = event.kind is Kind.OUTPUT and event.sequence == number
            if is_plain and event.lane is None and _LF not in raw and _CR not in raw:
                self._before, self._sequence = number, number + 1
                told += (sse.opening(event.name), raw, b"\n\n")
            else:
                told.append(sse.encode(event.name, self.encode(event)))
        return b"".join(told)

    def take_back(self) -> None:
        """Give the number of the last event to the next one, for the last was never sent."""
        self._sequence = self._before

    def _response_changes(self, kind: Kind, raw: Raw | None) -> dict[str, bytes | None]:
        if raw is None:
            return {}
        members = split_members(raw)
        changes: dict[str, bytes | None] = {}
        previous = members.get("previous_response_id")
        if previous is not None and msgspec.json.decode(previous) != self._previous:
            changes["previous_response_id"] = msgspec.json.encode(self._previous)
        if kind is not Kind.OPENING and _is_empty(members.get("output")):
            output = self._aggregate.output
            if output or "output" not in members:
                changes["output"] = b"[" + b",".join(output) + b"]"
        return {"response": merge(members, changes)} if changes else {}

    def encode_plain(self, frames: Sequence[bytes]) -> tuple[int, bytes]:
        """Encode the first events of a stream as SSE, up to one that is not plain; and count them.

        Plain is an output event in order, on no lane and in one line: it passes as it is. Finished
        items are kept, as they are where events come one by one.
        """
        told: list[bytes] = []
        number = self._sequence
        for raw in frames:
            try:
                head = decode_head(raw)
            except (msgspec.MsgspecError, RecursionError):
                break
            opening = _plain_opening(head.name)
            if not opening or head.sequence != number or head.lane is not None:
                break
            if _LF in raw or _CR in raw:
                break
            if head.name == _ITEM_DONE and not self._keep(raw):
                break
            number += 1
            told += (opening, raw, b"\n\n")
        count, self._sequence = number - self._sequence, number
        return count, b"".join(told)

    def _keep(self, raw: bytes) -> bool:
        """Keep a finished item; False for one that is malformed, which is for others to tell."""
        try:
            finished = decode_finished(raw)
        except (msgspec.MsgspecError, RecursionError):
            return False
        self._aggregate.add_item(finished.output_index, bytes(finished.item))
        return True

    def keep_alive(self) -> bytes:
        """Return an event that only bridges silence; it takes no number of its own."""
        return b'{"type":"keepalive","sequence_number":%d}' % self._sequence

    def failure(self, code: str, message: str) -> bytes:
        """Return the `response.failed` event that ends a stream whose upstream broke off."""
        opening = self._aggregate.opening
        response: bytes | Raw = b'{"id":"resp_unknown","object":"response"}'
        if opening is not None:
            response = split_members(opening.raw)["response"]
        failed = splice(
            response,
            {
                "status": b'"failed"',
                "error": msgspec.json.encode({"code": code, "message": message}),
                "output": b"[" + b",".join(self._aggregate.output) + b"]",
                "previous_response_id": msgspec.json.encode(self._previous),
            },
        )
        return b'{"type":"response.failed","sequence_number":%d,"response":%b}' % (
            self._sequence,
            failed,
        )


def _unnumbered(event: Event) -> bytes:
    """Return a vendor's notice as it came: it has no number among the events of the response."""
    if event.sequence is None and event.lane is None:
        return event.raw
    return splice(event.raw, {"sequence_number": None, "stream_id": None})


@lru_cache(maxsize=256)
def _plain_opening(name: str) -> bytes:
    """Return what stands before an output event in SSE; b"" for events that may need a change."""
    is_plain = name.isprintable() and kind_of(name) in (Kind.OUTPUT, Kind.ITEM)
    return sse.opening(name) if is_plain else b""


def response_of(encoded: bytes) -> bytes:
    """Return the response object of an encoded terminal: the body of a JSON answer."""
    return bytes(split_members(encoded)["response"])


def _is_empty(output: Raw | None) -> bool:
    return output is None or bytes(output).strip() in (b"null", b"[]")
