"""Of an answer that passes, its cost is read, and its bytes are what they were."""

import json

import pytest

from longwire.core.events import Kind
from longwire.core.rules.turn import Usage
from longwire.dialects.passed_apis.reading import PassedBytes
from longwire.dialects.responses.usage import decode_bill

LARGE = "x" * 200_000


def bill_of(body, size=7_777):
    """Read an answer in pieces; return what its terminal bills."""
    reading, seen = PassedBytes(), b""
    for start in range(0, len(body), size):
        (event,) = reading.feed(body[start : start + size])
        assert Kind.OUTPUT is event.kind
        seen += event.wire
    (terminal,) = reading.end()
    assert (Kind.COMPLETED, body) == (terminal.kind, seen + terminal.wire)
    return decode_bill(terminal)


def answer(**usage):
    return json.dumps({"data": LARGE, "model": "m-1", "usage": usage}).encode()


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"prompt_tokens": 9, "total_tokens": 9}, Usage(9)),
        ({"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}, Usage(9, 0, 4)),
        ({"input_tokens": 9, "output_tokens": 4}, Usage(9, 0, 4)),
        ({"total_tokens": 7}, Usage(7)),
        (
            {"input_tokens": 9, "input_tokens_details": {"image_tokens": 5, "text_tokens": 4}},
            Usage(9, media=5),
        ),
        (
            {"input_tokens": 9, "input_token_details": {"audio_tokens": 9}, "output_tokens": 2},
            Usage(9, 0, 2, media=9),
        ),
        ({"prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": 8}}, Usage(9, 8)),
        ({"type": "duration", "seconds": 9}, None),
        ({"prompt_tokens": -1}, None),
        ({"prompt_tokens": True}, None),
        ({"prompt_tokens": "9"}, None),
    ],
)
def test_usage_in_all_its_spellings(usage, expected):
    """It is read at the end of a large answer; what is no count of tokens is unknown."""
    bill = bill_of(answer(**usage))
    assert (expected, "m-1") == (bill.usage, bill.model)


def test_usage_at_the_beginning():
    """Some vendors say it before what they made."""
    body = json.dumps({"usage": {"prompt_tokens": 3}, "model": "m", "data": LARGE}).encode()
    assert (Usage(3), "m") == (bill_of(body).usage, bill_of(body).model)


def test_usage_of_events():
    """The last one counts; those before it say that there is none yet."""
    chunks = [{"choices": [], "usage": None}, {"usage": {"prompt_tokens": 3}}]
    chunks.append({"usage": {"prompt_tokens": 3, "completion_tokens": 5}})
    body = b"".join(b"data: %b\n\n" % json.dumps(each).encode() for each in chunks)
    assert Usage(3, 0, 5) == bill_of(body + b"data: [DONE]\n\n").usage


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfb\x90" * 9_999,
        json.dumps({"text": 'say "usage": {"prompt_tokens": 9}'}).encode(),
        b'{"usage": {"prompt_tokens": 9',
        b'{"usage": ' + b'{"a":' * 3_000,
        b'{"usage": []}',
    ],
)
def test_what_says_nothing_of_its_cost(body):
    """A sound, a text that only quotes a usage, and what is cut: their cost is unknown."""
    assert bill_of(body).usage is None
