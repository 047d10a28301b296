"""Turns over a client's WebSocket, and their answers, for the tests of this dialect."""

import json

from longwire.core.rules.aggregate import Aggregate
from longwire.core.rules.continuity import AsGiven
from longwire.core.rules.turn import Turn
from longwire.dialects.raw_json import decode_members
from longwire.dialects.responses.call import encode_create
from longwire.dialects.responses.stream import decode_event
from longwire.dialects.responses.websocket_mode import decode_create

QUESTION = {"role": "user", "content": "hi"}
ANSWER = {"type": "message", "id": "msg_1", "role": "assistant", "content": "ho"}


def create(**members) -> Turn:
    """The turn of a `response.create`."""
    raw = json.dumps({"type": "response.create", "model": "m", **members}).encode()
    return decode_create(decode_members(raw), len(raw))


def answered(*output, response_id="resp_1", kind="response.completed") -> Aggregate:
    """What was seen of a response with these items."""
    aggregate = Aggregate()
    for index, item in enumerate(output):
        aggregate.add_item(index, json.dumps(item, separators=(",", ":")).encode())
    terminal = {"type": kind, "response": {"id": response_id, "output": []}}
    aggregate.terminal = decode_event(json.dumps(terminal).encode())
    return aggregate


def sent(turn: Turn) -> dict:
    """A turn as it goes upstream in full."""
    return json.loads(encode_create(turn, AsGiven()))
