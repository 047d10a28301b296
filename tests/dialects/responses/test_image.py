"""What a client will send back of a response."""

import json
from typing import Any

from longwire.core.events import Event
from longwire.core.rules.aggregate import Aggregate
from longwire.dialects.responses.image import image_of, output_of
from longwire.dialects.responses.stream import decode_event

MESSAGE = {"type": "message", "id": "msg_1", "role": "assistant", "content": []}


def event(kind: str, **members: Any) -> Event:
    return decode_event(json.dumps({"type": kind, **members}).encode())


def test_replies_are_the_finished_items() -> None:
    """The terminal's own list counts only where no item was finished before."""
    only_terminal, both = Aggregate(), Aggregate()
    both.add_item(0, json.dumps(MESSAGE).encode())
    both.terminal = event("response.completed", response={"output": [MESSAGE, MESSAGE]})
    only_terminal.terminal = event("response.completed", response={"output": [MESSAGE]})
    assert 1 == len(output_of(both))
    assert image_of(output_of(both)) == image_of(output_of(only_terminal))
    only_terminal.terminal = event("response.completed", response={"output": None})
    assert [] == output_of(only_terminal)
