"""What a client of the Responses API gets: events encoded for it, or the response alone.

Law: an event passes byte for byte, but for the client's own `previous_response_id`, a gapless
`sequence_number`, no lane, and a terminal that is complete. A vendor's notice has no number.
"""

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache

import msgspec
from msgspec import Raw

from longwire.core import sse
from longwire.core.events import Event, Kind
from longwire.core.nouns.access import Rates
from longwire.core.rules.aggregate import Aggregate
from longwire.core.rules.limits import Meter
from longwire.dialects.raw_json import merge, splice, split_members
from longwire.dialects.responses.output_events import ITEM_DONE
from longwire.dialects.responses.stream import (
    WITH_RESPONSE,
    Head,
    MalformedEvent,
    decode_head,
    decode_item,
    is_output,
)

_LF, _CR = b"\n\r"
_VENDOR = Kind.VENDOR  # for every event: on Python 3.11 a member is dear to name


class EventEncoder:
    """Encodes the events of one response for its client.

    `previous_response_id` is what the client sent; upstream events name what the gateway sent.
    """

    __slots__ = ("_aggregate", "_before", "_previous", "_sequence")

    def __init__(self, previous_response_id: str | None, aggregate: Aggregate) -> None:
        self._previous = previous_response_id
        self._aggregate = aggregate
        self._before = self._sequence = 0

    def encode(self, event: Event) -> bytes:
        """Return the event's JSON as the client gets it."""
        number = self._before = self._sequence
        if event.kind is _VENDOR:
            return _unnumbered(event)
        self._sequence += 1
        changes: dict[str, bytes | None] = {}
        if event.sequence != number:
            changes["sequence_number"] = b"%d" % number
        if event.lane is not None:
            changes["stream_id"] = None
        if event.kind in WITH_RESPONSE:
            members = split_members(event.raw)
            changes |= self._response_changes(event.kind, members.get("response"))
            return merge(members, changes) if changes else event.raw
        return splice(event.raw, changes) if changes else event.raw

    def encode_plain(self, frames: Iterable[bytes] | Iterable[Event]) -> tuple[int, bytes]:
        """Encode the first events of a stream as SSE, up to one that is not plain; and count them.

        Plain is output in order, on no lane and in one line: it passes as it is. Of frames that
        nobody decoded before, the finished items are kept here.
        """
        parts: list[bytes] = []
        number = self._sequence
        try:
            head: Head | Event
            for each in frames:
                if type(each) is Event:
                    head, raw = each, each.raw
                else:
                    head, raw = decode_head(each), each
                prefix = _plain_prefix(head.name)
                if not prefix or head.sequence != number or head.lane is not None:
                    break
                if _LF in raw or _CR in raw:
                    break
                if head.name == ITEM_DONE and raw is each:
                    self._aggregate.add_item(*decode_item(raw))
                number += 1
                parts += (prefix, raw, b"\n\n")
        except (msgspec.MsgspecError, RecursionError, MalformedEvent):
            pass  # the frame is left to its reader, which refuses it
        count, self._sequence = number - self._sequence, number
        return count, b"".join(parts)

    def encode_batch(self, events: Sequence[Event]) -> bytes:
        """Return events as SSE, as the client gets them."""
        rest = iter(events)
        count, encoded = self.encode_plain(rest)
        if count == len(events):
            return encoded
        parts = [encoded]
        while count < len(events):
            event = events[count]  # it is not plain, and `rest` is behind it
            parts.append(sse.encode(event.name, self.encode(event)))
            more, encoded = self.encode_plain(rest)
            parts.append(encoded)
            count += 1 + more
        return b"".join(parts)

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

    def keep_alive(self) -> bytes:
        """Return an event that only bridges silence; it takes no number of its own."""
        return b'{"type":"keepalive","sequence_number":%d}' % self._sequence

    def failure(self, code: str, message: str) -> bytes:
        """Return the `response.failed` event that ends a stream whose upstream broke off."""
        opening = self._aggregate.opening
        response: bytes | Raw = b'{"id":"resp_unknown","object":"response"}'
        if opening is not None:
            response = split_members(opening.raw)["response"]
        changes = {
            "status": b'"failed"',
            "error": msgspec.json.encode({"code": code, "message": message}),
            "output": b"[" + b",".join(self._aggregate.output) + b"]",
            "previous_response_id": msgspec.json.encode(self._previous),
        }
        head = b'{"type":"response.failed","sequence_number":%d,"response":' % self._sequence
        return head + splice(response, changes) + b"}"


def _unnumbered(event: Event) -> bytes:
    """Return a vendor's notice as it came: it has no number among the events of the response."""
    if event.sequence is None and event.lane is None:
        return event.raw
    return splice(event.raw, {"sequence_number": None, "stream_id": None})


@lru_cache(maxsize=256)
def _plain_prefix(name: str) -> bytes:
    """Return what stands before an event of output in SSE; b"" for all that may need a change."""
    return sse.prefix(name) if is_output(name) else b""


def response_of(encoded: bytes) -> bytes:
    """Return the response object of an encoded terminal: the body of a JSON answer."""
    return bytes(split_members(encoded)["response"])


def limit_headers(meter: Meter, rates: Rates, now: float) -> dict[str, str]:
    """Return the headers that say what is left of the limits that are set."""
    headers: dict[str, str] = {}
    windows = (
        (meter.requests, rates.requests_per_minute, "requests"),
        (meter.tokens, rates.tokens_per_minute, "tokens"),
    )
    for window, limit, what in windows:
        if limit is None:
            continue
        used = window.used(now)
        headers[f"x-ratelimit-limit-{what}"] = str(limit)
        headers[f"x-ratelimit-remaining-{what}"] = str(max(0, limit - used))
        headers[f"x-ratelimit-reset-{what}"] = f"{math.ceil(window.rests_in(now))}s"
    return headers


def _is_empty(output: Raw | None) -> bool:
    return output is None or bytes(output).strip() in (b"null", b"[]")
