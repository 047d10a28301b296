"""A `Turn` as it goes to an upstream of the Responses API.

Law: members nobody acts on and all items ride through byte for byte, spliced as raw JSON.
"""

from collections.abc import Callable
from dataclasses import replace

import msgspec

from longwire.core.rules.continuity import Continue, Decision
from longwire.core.rules.turn import UNARY, Purpose, Turn
from longwire.dialects.ports import AdaptInput
from longwire.dialects.raw_json import text_of
from longwire.dialects.responses.history import BodyProperties

_LEAST_OUTPUT = 16
SUFFIXES = {Purpose.COMPACTION: "/compact", Purpose.COUNT: "/input_tokens"}
"""Where turns of a purpose are posted, below where responses are."""


def renamed(turn: Turn, sent_name: Callable[[str], str]) -> Turn:
    """Return a turn as a channel sends it: its model by another name, where it has one there.

    The name that is sent is a property like any other: another one begins anew.
    """
    sent = sent_name(turn.model)
    if sent == turn.model:
        return turn
    members = {**turn.members, "model": msgspec.json.encode(sent)}
    return replace(turn, members=members, properties=BodyProperties(members))


def sent_model(turn: Turn) -> str:
    """Return the name by which a turn's model is sent; what a model takes is known by that."""
    return text_of(turn.members, "model") or turn.model


def with_least_output(turn: Turn) -> Turn:
    """Return a turn of another API with no fewer tokens of output than this one takes."""
    most = turn.members.get("max_output_tokens", b"")
    if not most.isdigit() or int(most[:9]) >= _LEAST_OUTPUT:
        return turn
    return replace(turn, members={**turn.members, "max_output_tokens": b"%d" % _LEAST_OUTPUT})


def encode_create(turn: Turn, decision: Decision, adapt_input: AdaptInput | None = None) -> bytes:
    """Encode the `response.create` frame of a turn: flat, without `stream` and `background`.

    `adapt_input` changes the items that are sent; it may raise `InvalidRequest`.
    """
    parts = [b'"type":"response.create"']
    if isinstance(decision, Continue):
        parts.append(b'"previous_response_id":' + msgspec.json.encode(decision.chain.response_id))
        parts += _members(turn, turn.history.suffix(decision.start), adapt_input)
    else:
        parts += _in_full(turn, adapt_input)
    return b"{" + b",".join(parts) + b"}"


def encode_body(turn: Turn, *, streams: bool, adapt_input: AdaptInput | None = None) -> bytes:
    """Encode the body of an HTTP request for a turn, in full; some cannot stream."""
    parts = _in_full(turn, adapt_input)
    if turn.runs_in_background:
        parts.append(b'"background":true')
    if turn.purpose not in UNARY:
        parts.append(b'"stream":' + msgspec.json.encode(streams))
    return b"{" + b",".join(parts) + b"}"


def _in_full(turn: Turn, adapt_input: AdaptInput | None) -> list[bytes]:
    parts = _members(turn, turn.input, adapt_input)
    if turn.previous_response_id is not None:
        parts.append(b'"previous_response_id":' + msgspec.json.encode(turn.previous_response_id))
    return parts


def _members(turn: Turn, raw_input: bytes | None, adapt_input: AdaptInput | None) -> list[bytes]:
    parts = [msgspec.json.encode(name) + b":" + raw for name, raw in turn.members.items()]
    if raw_input is not None:
        parts.append(b'"input":' + (adapt_input(raw_input) if adapt_input else raw_input))
    return parts
