"""What a terminal says of its turn."""

import json
from typing import Any

import pytest

from longwire.core.events import Event
from longwire.core.rules.aggregate import Aggregate
from longwire.core.rules.turn import Turn, Usage
from longwire.dialects.responses.request import decode_request
from longwire.dialects.responses.stream import decode_event
from longwire.dialects.responses.usage import (
    Bill,
    decode_bill,
    estimated_usage,
    expected_usage,
)


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


def turn(**members: Any) -> Turn:
    return decode_request(json.dumps({"model": "m", **members}).encode())


@pytest.mark.parametrize(
    ("members", "tokens"),
    [
        ({"input": "a" * 398}, 100),
        ({"input": "a" * 398, "instructions": "b" * 398, "tools": []}, 200),
        ({"input": "a" * 398, "metadata": {"x": "y" * 4_000}}, 100),
        ({"instructions": "b" * 398}, 100),
        ({}, 0),
    ],
)
def test_input_is_estimated_by_what_the_model_reads(members: Any, tokens: int) -> None:
    """Four bytes are a token; what nobody shows the model costs nothing."""
    assert Usage(tokens) == estimated_usage(turn(**members), Aggregate())


@pytest.mark.parametrize("files", [1, 3])
def test_a_file_in_base64_is_no_text(files: int) -> None:
    """It counts as a thousand tokens, however large it is."""
    image = {"type": "input_image", "image_url": "data:image/png;base64," + "A" * 100_000}
    item = {"role": "user", "content": [image] * files}
    estimate = estimated_usage(turn(input=[item]), Aggregate()).input
    assert 1_000 * files <= estimate < 1_000 * files + 100


def test_output_is_estimated_by_deltas_or_by_whole_items() -> None:
    """Whichever is more: some upstreams send one token in a delta, some many."""
    few, many = Aggregate(output_events=7), Aggregate(output_events=70)
    for each in (few, many):
        each.add_item(0, b"x" * 80)
    assert [20, 70] == [estimated_usage(turn(), each).output for each in (few, many)]


def test_output_that_the_terminal_alone_has_counts_too() -> None:
    """An answer that came as one JSON body has no events."""
    item = {"type": "message", "role": "assistant", "content": "x" * 400}
    whole = Aggregate(terminal=event("response.completed", response={"id": "r", "output": [item]}))
    assert 100 < estimated_usage(turn(), whole).output < 130


def test_what_was_not_sent_anew_was_cached() -> None:
    """A continued turn is billed for its whole context, most of it at the price of the cache."""
    continued = turn(input="a" * 3_998)
    assert Usage(1_000, 900) == estimated_usage(continued, Aggregate(), sent=400)
    assert Usage(1_000, 0) == estimated_usage(continued, Aggregate(), sent=40_000)


@pytest.mark.parametrize(
    ("most", "output"),
    [(None, 1_000), (10, 10), (5_000, 1_000), (10**30, 1_000), (0, 0), (-1, 1_000)],
)
def test_a_turn_is_expected_to_cost_a_usual_output(most: int | None, output: int) -> None:
    """Or the most that it may have, where that is less; nonsense changes nothing."""
    expected = expected_usage(turn(input="a" * 398, max_output_tokens=most))
    assert Usage(100, 0, output) == expected
