"""Answers in pieces: very many of them, or such as end within a character."""

import json
import time

import pytest

from longwire.dialects.profiles.known import profile_of
from longwire.dialects.seals import opened
from tests.dialects.chat_completions.upstreams import chunk, read, response_in, stream_of

PIECES = 8_000


def test_a_call_in_very_many_pieces_is_read_once():
    """Also where each piece says the name of the call again, as some vendors write it."""
    arguments = json.dumps({"a": "x" * 100 * PIECES})
    pieces = [arguments[at : at + 100] for at in range(0, len(arguments), 100)]
    calls = [{"index": 0, "function": {"name": "read", "arguments": each}} for each in pieces]
    stream = stream_of([*(chunk(tool_calls=[each]) for each in calls), chunk("tool_calls")])
    began = time.process_time()
    events = read(stream)
    assert time.process_time() - began < 2
    (item,) = json.loads(events[-1].raw)["response"]["output"]
    assert arguments == item["arguments"]


def test_a_brace_within_a_text_ends_no_call():
    """Nor does white space behind the last one begin it anew."""
    pieces = ['{"a":"}', '{}"', "}", "\n "]
    calls = [{"index": 0, "function": {"name": "read", "arguments": each}} for each in pieces]
    own = {"index": 0, "function": {"name": "read", "arguments": "{}"}}
    chunks = [chunk(tool_calls=[each]) for each in [*calls, own]]
    output = response_in(read(stream_of([*chunks, chunk("tool_calls")])))["output"]
    assert ['{"a":"}{}"}', "\n {}"] == [item["arguments"] for item in output]


def test_details_of_reasoning_in_very_many_pieces_are_put_together_once():
    """Each is more of the same text."""
    details = [{"type": "reasoning.text", "index": 0, "text": "x" * 1000}] * (2 * PIECES)
    stream = stream_of([*(chunk(reasoning_details=[each]) for each in details), chunk("stop")])
    began = time.process_time()
    events = read(stream, profile=profile_of("openrouter", ""))
    assert time.process_time() - began < 2
    (item,) = json.loads(events[-1].raw)["response"]["output"]
    seal = json.loads(opened(item["encrypted_content"]).content)
    assert [{**details[0], "text": "x" * 2000 * PIECES}] == seal


@pytest.mark.parametrize(
    "deltas",
    [
        [{"content": "x@1"}, {"content": "@2y"}],
        [{"content": [{"type": "text", "text": each}]} for each in ("x@1", "@2y")],
        [{"reasoning": "x@1"}, {"reasoning": "@2y"}],
        [{"refusal": "x@1"}, {"refusal": "@2y"}],
        [
            {"tool_calls": [{"index": 0, "function": {"name": "f", "arguments": each}}]}
            for each in ("x@1", "@2y")
        ],
    ],
)
def test_halves_of_an_emoji_in_two_chunks_are_one(deltas):
    """An upstream of UTF-16 texts may cut one between them."""
    stream = stream_of([*(chunk(**each) for each in deltas), chunk("stop")])
    stream = stream.replace(b"@1", rb"\ud83d").replace(b"@2", rb"\ude00")
    output = json.loads(read(stream)[-1].raw)["response"]["output"]
    assert "x\U0001f600y" in json.dumps(output, ensure_ascii=False)


def test_calls_that_an_upstream_gives_one_id_are_told_apart():
    """Clients keep one of two calls with one id; the same answer always gets the same ids."""
    function = {"name": "f", "arguments": "{"}
    calls = [{"index": each, "id": "c", "function": function} for each in range(3)]
    more = [{**each, "function": {"arguments": "}"}} for each in calls]
    named = {"index": 3, "id": "c_again_2", "function": {"name": "f", "arguments": "{}"}}
    deltas = [*calls, *more, named]
    events = read(stream_of([*(chunk(tool_calls=[each]) for each in deltas), chunk("stop")]))
    output = response_in(events)["output"]
    ids = ["c", "c_again_2", "c_again_3", "c_again_2_again_2"]
    assert ids == [each["call_id"] for each in output]
    assert ["{}"] * 4 == [each["arguments"] for each in output]
