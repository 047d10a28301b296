"""A request of the Responses API decoded to a `Turn`: its body, or the members of a message."""

from collections.abc import Mapping
from dataclasses import replace

import msgspec

from longwire.core.errors import InvalidRequest
from longwire.core.nouns.access import EVERYTHING, Grant
from longwire.core.rules.turn import Purpose, Source, Turn
from longwire.dialects.ports import NO_HEADERS, Headers
from longwire.dialects.raw_json import boolean_of, decode_members, member_of, text_of
from longwire.dialects.responses.call import SUFFIXES
from longwire.dialects.responses.history import BodyProperties, InputHistory
from longwire.dialects.responses.image import image_of

_API = "responses"
_TAKEN_OUT = frozenset({"input", "stream", "background", "previous_response_id", "type"})


class _Conversation(msgspec.Struct):
    id: str


_conversations: msgspec.json.Decoder[str | _Conversation | None] = msgspec.json.Decoder(
    str | _Conversation | None
)


def decode_request(body: bytes, _headers: Headers = NO_HEADERS, _grant: Grant = EVERYTHING) -> Turn:
    """Decode the body of `POST /responses`; all that a request says stands there.

    Raises `InvalidRequest`, which names the field, for JSON that is malformed, is no object,
    repeats a member or gives a field the gateway acts on the wrong type.
    """
    members = decode_members(body)
    if "type" in members and text_of(members, "type") not in (None, "response.create"):
        raise InvalidRequest("'type' is not a parameter of this request.", param="type")
    return turn_of(members, len(body))


def decode_compaction(
    body: bytes, _headers: Headers = NO_HEADERS, _grant: Grant = EVERYTHING
) -> Turn:
    """Decode the body of `POST /responses/compact`. Raises `InvalidRequest`, naming the field."""
    return _unary(decode_request(body), Purpose.COMPACTION)


def decode_count(body: bytes, _headers: Headers = NO_HEADERS, _grant: Grant = EVERYTHING) -> Turn:
    """Decode the body of `POST /responses/input_tokens`. Raises `InvalidRequest`, likewise."""
    return _unary(decode_request(body), Purpose.COUNT)


def _unary(turn: Turn, purpose: Purpose) -> Turn:
    source = replace(turn.source, api=f"{_API}{SUFFIXES[purpose]}")
    return replace(turn, source=source, purpose=purpose, streams=False, runs_in_background=False)


def turn_of(members: Mapping[str, bytes], size: int, *, by_websocket: bool = False) -> Turn:
    """Return the turn that the members of a request of `size` bytes ask for.

    Over WebSocket every turn streams, and `generate: false` only warms up. Raises `InvalidRequest`,
    which names the field.
    """
    raw_input = members.get("input")
    if raw_input == b"null":
        raw_input = None
    previous, conversation = text_of(members, "previous_response_id"), _conversation(members)
    is_warm_up = by_websocket and members.get("generate") == b"false"
    kept = {name: raw for name, raw in members.items() if name not in _TAKEN_OUT}
    return Turn(
        source=Source(_API, size, by_websocket, previous or None),
        model=_model(members),
        members=kept,
        input=raw_input,
        history=InputHistory(raw_input),
        properties=BodyProperties(kept),
        image=image_of,
        purpose=Purpose.WARM_UP if is_warm_up else Purpose.ANSWER,
        streams=boolean_of(members, "stream") or by_websocket,
        runs_in_background=boolean_of(members, "background"),
        has_tools="tools" in members,
        is_stored=members.get("store") != b"false",
        previous_response_id=previous or None,
        conversation=conversation,
        session_hints=(text_of(members, "prompt_cache_key") or "", conversation or ""),
    )


def _model(members: Mapping[str, bytes]) -> str:
    """Return the model's name; only a `prompt` template may supply it in its stead ("" then)."""
    model = text_of(members, "model")
    if not model and members.get("prompt", b"null") == b"null":
        raise InvalidRequest(
            "'model' is required and must be a non-empty string.",
            param="model",
            code="missing_required_parameter",
        )
    return model or ""


def _conversation(members: Mapping[str, bytes]) -> str | None:
    if "conversation" not in members:
        return None
    value = member_of(members, "conversation", _conversations, "a string or an object with an 'id'")
    return value.id if isinstance(value, _Conversation) else value
