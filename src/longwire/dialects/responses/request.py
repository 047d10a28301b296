"""Requests of the Responses API: a body decoded to a `Turn`, a `Turn` encoded for an upstream.

Law: members nobody acts on and all items ride through byte for byte, spliced as raw JSON.
"""

from collections.abc import Mapping
from dataclasses import replace

import msgspec

from longwire.core.errors import InvalidRequest
from longwire.core.rules.continuity import Continue, Decision
from longwire.core.rules.turn import Turn
from longwire.dialects.raw_json import boolean_of, decode_members, text_of
from longwire.dialects.responses.history import BodyProperties, InputHistory

_TAKEN_OUT = frozenset({"input", "stream", "background", "previous_response_id", "type"})


def decode_request(body: bytes) -> Turn:
    """Decode the body of `POST /responses`.

    Raises `InvalidRequest`, which names the field, for JSON that is malformed, is no object,
    repeats a member or gives a field the gateway acts on the wrong type.
    """
    members = decode_members(body)
    if "type" in members and text_of(members, "type") not in (None, "response.create"):
        msg = "'type' is not a parameter of this request."
        raise InvalidRequest(msg, param="type")
    return turn_of(members, len(body))


def turn_of(members: Mapping[str, bytes], size: int) -> Turn:
    """Return the turn that the members of a request of `size` bytes ask for.

    Raises `InvalidRequest`, which names the field.
    """
    raw_input = members.get("input")
    if raw_input == b"null":
        raw_input = None
    conversation = _conversation(members)
    kept = {name: raw for name, raw in members.items() if name not in _TAKEN_OUT}
    return Turn(
        model=_model(members),
        members=kept,
        input=raw_input,
        history=InputHistory(raw_input),
        properties=BodyProperties(kept),
        streams=boolean_of(members, "stream"),
        runs_in_background=boolean_of(members, "background"),
        previous_response_id=text_of(members, "previous_response_id") or None,
        conversation=conversation,
        session_hints=(text_of(members, "prompt_cache_key") or "", conversation or ""),
        body_size=size,
    )


def renamed(turn: Turn, renames: Mapping[str, str]) -> Turn:
    """Return a turn as a channel sends it: its model by another name, where it has one there.

    The name that is sent is a property like any other: another one begins anew.
    """
    sent = renames.get(turn.model)
    if sent is None:
        return turn
    members = {**turn.members, "model": msgspec.json.encode(sent)}
    return replace(turn, members=members, properties=BodyProperties(members))


def _model(members: Mapping[str, bytes]) -> str:
    """Return the model's name; only a `prompt` template may supply it in its stead ("" then)."""
    model = text_of(members, "model")
    if not model and "prompt" not in members:
        msg = "'model' is required and must be a non-empty string."
        raise InvalidRequest(msg, param="model", code="missing_required_parameter")
    return model or ""


class _Conversation(msgspec.Struct):
    id: str


def _conversation(members: Mapping[str, bytes]) -> str | None:
    raw = members.get("conversation")
    if raw is None:
        return None
    try:
        value = msgspec.json.decode(raw, type=str | _Conversation | None)
    except msgspec.MsgspecError:
        msg = "'conversation' must be a string or an object with an 'id'."
        raise InvalidRequest(msg, param="conversation") from None
    return value.id if isinstance(value, _Conversation) else value


def encode_create(turn: Turn, decision: Decision) -> bytes:
    """Encode the `response.create` frame of a turn: flat, without `stream` and `background`."""
    parts = [b'"type":"response.create"']
    if isinstance(decision, Continue):
        parts.append(b'"previous_response_id":' + msgspec.json.encode(decision.chain.response_id))
        parts += _members(turn, turn.history.suffix(decision.start))
    else:
        parts += _given(turn)
    return b"{" + b",".join(parts) + b"}"


def encode_body(turn: Turn, *, streams: bool) -> bytes:
    """Encode the body of an HTTP request for a turn, in full."""
    parts = [b'"stream":' + msgspec.json.encode(streams), *_given(turn)]
    if turn.runs_in_background:
        parts.insert(0, b'"background":true')
    return b"{" + b",".join(parts) + b"}"


def encode_compaction(turn: Turn) -> bytes:
    """Encode the body of a request for a shorter history."""
    return b"{" + b",".join(_given(turn)) + b"}"


def _given(turn: Turn) -> list[bytes]:
    parts = _members(turn, turn.input)
    if turn.previous_response_id is not None:
        parts.append(b'"previous_response_id":' + msgspec.json.encode(turn.previous_response_id))
    return parts


def _members(turn: Turn, raw_input: bytes | None) -> list[bytes]:
    parts = [msgspec.json.encode(name) + b":" + raw for name, raw in turn.members.items()]
    if raw_input is not None:
        parts.append(b'"input":' + raw_input)
    return parts
