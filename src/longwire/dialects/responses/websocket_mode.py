"""The messages of the Responses API's WebSocket mode, as a server of it reads and writes them.

Law: events are those of the stream over HTTP, with the lane's name where it has one; an error is
always nested and always has a status, for clients overlook any other.
"""

import re
from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Raw

from longwire.core.errors import InvalidRequest
from longwire.core.events import Event, Kind
from longwire.core.rules.turn import Turn
from longwire.dialects.raw_json import splice, split_members, tolerant
from longwire.dialects.responses.answer import EventEncoder
from longwire.dialects.responses.request import turn_of

_LANE = re.compile(r"[A-Za-z0-9_.-]{1,256}")
_decode_lane = tolerant(msgspec.json.Decoder(object).decode)


def lane_of(members: Mapping[str, bytes]) -> str | None:
    """Return the lane that a message names; None for the one without a name.

    Raises `InvalidRequest` for what cannot be one.
    """
    raw = members.get("stream_id", b"null")
    lane = _decode_lane(raw)
    if lane is None or (isinstance(lane, str) and _LANE.fullmatch(lane)):
        return lane
    raise InvalidRequest(
        "The 'stream_id' field must be a non-empty string with at most 256 characters and may "
        "only contain letters, numbers, underscores, hyphens, and periods.",
        code="invalid_stream_id",
        param="stream_id",
    )


def decode_create(members: Mapping[str, bytes], size: int) -> Turn:
    """Decode a `response.create` of `size` bytes. Raises `InvalidRequest`, naming the field."""
    kept = {name: raw for name, raw in members.items() if name != "stream_id"}
    match kept.get("generate"):
        case None | b"false":
            pass
        case b"true" | b"null":
            del kept["generate"]
        case _:
            raise InvalidRequest("'generate' must be true or false.", param="generate")
    turn = turn_of(kept, size, by_websocket=True)
    if turn.runs_in_background:
        raise InvalidRequest(
            "'background' is not available over WebSocket; send the request by POST.",
            param="background",
        )
    return turn


def event_frame(encoder: EventEncoder, event: Event, lane: str | None) -> bytes:
    """Return an upstream's event as it is sent on a lane.

    No client of this mode knows `response.cancelled`, and none sees the connection end behind it.
    """
    encoded = encoder.encode(event)
    if event.kind is Kind.CANCELLED:
        encoded = splice(encoded, {"type": b'"response.failed"'})
    return on_lane(encoded, lane)


def on_lane(frame: bytes, lane: str | None) -> bytes:
    """Return an event as it is sent on a lane; those of the lane without a name say none."""
    if lane is None:
        return frame
    return b'%b,"stream_id":"%b"}' % (frame[: frame.rindex(b"}")], lane.encode())


def error_frame(status: int, envelope: bytes, headers: Mapping[str, str]) -> bytes:
    """Return the frame of an error that over HTTP would have this status, body and headers."""
    try:
        error = bytes(split_members(envelope)["error"])
    except (msgspec.MsgspecError, KeyError):
        error = msgspec.json.encode({"type": "upstream_error", "code": None, "message": ""})
    frame = b'{"type":"error","status":%d,"error":%b' % (status, error)
    if headers:
        frame += b',"headers":' + msgspec.json.encode(headers)
    return frame + b"}"


def steer_failed(members: Mapping[str, bytes]) -> bytes:
    """Return the answer to `response.steer`, which gives the input back."""
    message = "This gateway does not steer; send the input with the next response.create."
    steer = _returned(members, "input", "previous_response_id")
    return _refusal("steer.failed", "steering_not_supported", message, {"steer": steer})


def inject_failed(members: Mapping[str, bytes]) -> bytes:
    """Return the answer to `response.inject`, which gives the input back."""
    message = "This gateway injects nothing into a response; send the input with the next one."
    returned = _returned(members, "input", "response_id")
    return _refusal("inject.failed", "response_not_found", message, returned)


def interrupt_rejected(members: Mapping[str, bytes]) -> bytes:
    """Return the answer to `response.interrupt`."""
    message = "This gateway cuts no response short; let it end, send response.cancel, or close."
    returned = _returned(members, "response_id")
    return _refusal("interrupt.rejected", "interrupt_not_supported", message, returned)


def _returned(members: Mapping[str, bytes], *names: str) -> dict[str, Raw]:
    return {name: Raw(members.get(name, b"null")) for name in names}


def _refusal(name: str, code: str, message: str, returned: Mapping[str, object]) -> bytes:
    error = {"type": "invalid_request_error", "code": code, "message": message}
    head = {"type": f"response.{name}", "sequence_number": 0, "error": error}
    return msgspec.json.encode({**head, **returned})


def warm_up_events(turn: Turn, response_id: str, now: int) -> Sequence[bytes]:
    """Return the events that answer a warm-up: a response without output, which cost nothing.

    `now` in seconds since 1970 UTC.
    """
    response: dict[str, object] = {
        "id": response_id,
        "object": "response",
        "created_at": now,
        "status": "in_progress",
        "error": None,
        "incomplete_details": None,
        "model": turn.model,
        "output": [],
        "previous_response_id": turn.source.previous_response_id,
        "parallel_tool_calls": Raw(turn.members.get("parallel_tool_calls", b"true")),
        "tool_choice": Raw(turn.members.get("tool_choice", b'"auto"')),
        "tools": Raw(turn.members.get("tools", b"[]")),
        "usage": None,
    }
    created = {"type": "response.created", "sequence_number": 0, "response": response}
    details = {"input_tokens_details": {"cached_tokens": 0}}
    details |= {"output_tokens_details": {"reasoning_tokens": 0}}
    usage = {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0, **details}
    ready = {**response, "status": "completed", "usage": usage}
    completed = {"type": "response.completed", "sequence_number": 1, "response": ready}
    return msgspec.json.encode(created), msgspec.json.encode(completed)
