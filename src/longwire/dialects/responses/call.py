"""A `Turn` as it goes to an upstream of the Responses API.

Law: members nobody acts on and all items ride through byte for byte, spliced as raw JSON.
"""

from collections.abc import Mapping
from dataclasses import replace

import msgspec

from longwire.core.rules.continuity import Continue, Decision
from longwire.core.rules.turn import UNARY, Purpose, Turn
from longwire.dialects.responses.history import BodyProperties

SUFFIXES = {Purpose.COMPACTION: "/compact", Purpose.COUNT: "/input_tokens"}
"""Where turns of a purpose are posted, below where responses are."""


def renamed(turn: Turn, renames: Mapping[str, str]) -> Turn:
    """Return a turn as a channel sends it: its model by another name, where it has one there.

    The name that is sent is a property like any other: another one begins anew.
    """
    sent = renames.get(turn.model)
    if sent is None:
        return turn
    members = {**turn.members, "model": msgspec.json.encode(sent)}
    return replace(turn, members=members, properties=BodyProperties(members))


def encode_create(turn: Turn, decision: Decision) -> bytes:
    """Encode the `response.create` frame of a turn: flat, without `stream` and `background`."""
    parts = [b'"type":"response.create"']
    if isinstance(decision, Continue):
        parts.append(b'"previous_response_id":' + msgspec.json.encode(decision.chain.response_id))
        parts += _members(turn, turn.history.suffix(decision.start))
    else:
        parts += _in_full(turn)
    return b"{" + b",".join(parts) + b"}"


def encode_body(turn: Turn, *, streams: bool) -> bytes:
    """Encode the body of an HTTP request for a turn, in full; some cannot stream."""
    parts = _in_full(turn)
    if turn.runs_in_background:
        parts.append(b'"background":true')
    if turn.purpose not in UNARY:
        parts.append(b'"stream":' + msgspec.json.encode(streams))
    return b"{" + b",".join(parts) + b"}"


def _in_full(turn: Turn) -> list[bytes]:
    parts = _members(turn, turn.input)
    if turn.previous_response_id is not None:
        parts.append(b'"previous_response_id":' + msgspec.json.encode(turn.previous_response_id))
    return parts


def _members(turn: Turn, raw_input: bytes | None) -> list[bytes]:
    parts = [msgspec.json.encode(name) + b":" + raw for name, raw in turn.members.items()]
    if raw_input is not None:
        parts.append(b'"input":' + raw_input)
    return parts
