"""What a terminal says of its turn."""

import json
from typing import Any

import pytest

from longwire.core.events import Event
from longwire.core.rules.turn import Usage
from longwire.dialects.responses.stream import decode_event
from longwire.dialects.responses.usage import Bill, decode_bill


def event(kind: str, **members: Any) -> Event:
    return decode_event(json.dumps({"type": kind, **members}).encode())


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (
            {
                "input_tokens": 10,
                "input_tokens_details": {"cached_tokens": 4},
                "output_tokens": 5,
                "output_tokens_details": {"reasoning_tokens": 2},
            },
            Usage(10, 4, 5, 2),
        ),
        ({"input_tokens": 10}, Usage(10)),
        ({"input_tokens": None, "input_tokens_details": None}, Usage()),
        ({"input_tokens": -3, "output_tokens": 10**30}, Usage(0, output=10**9)),
        (None, None),
    ],
)
def test_usage_is_what_the_upstream_counted(usage: Any, expected: Usage | None) -> None:
    """Unknown stays unknown, and what no upstream can have counted spoils no sum."""
    assert expected == decode_bill(event("response.completed", response={"usage": usage})).usage


def test_usage_of_another_shape_is_unknown() -> None:
    """An odd upstream is no error of the turn."""
    assert Bill() == decode_bill(event("response.completed", response={"usage": "free"}))
    assert Bill() == decode_bill(event("response.completed"))


def test_a_terminal_tells_who_served_and_what_failed() -> None:
    """The model's own name and the error's code are read along with the tokens."""
    error = {"code": "server_error", "message": "No."}
    failed = {"model": "gpt-5.5-2026-04-01", "error": error}
    expected = Bill(None, "gpt-5.5-2026-04-01", "server_error", "No.")
    assert expected == decode_bill(event("response.failed", response=failed))
    assert Bill() == decode_bill(event("response.completed", response={"error": None}))
