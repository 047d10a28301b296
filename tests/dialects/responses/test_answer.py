"""Events encoded for their client."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longwire.core import sse
from longwire.core.events import Event
from longwire.core.nouns.access import Rates
from longwire.core.rules.aggregate import Aggregate
from longwire.core.rules.limits import Meter, Spent
from longwire.dialects.responses.answer import EventEncoder, limit_headers, response_of
from longwire.dialects.responses.stream import decode_event

CREATED = {"id": "resp_1", "object": "response", "status": "in_progress", "output": []}
MESSAGE = {"type": "message", "id": "msg_1", "role": "assistant", "content": []}


def raw(kind: str, **members: Any) -> bytes:
    return json.dumps({"type": kind, **members}).encode()


def event(kind: str, **members: Any) -> Event:
    return decode_event(raw(kind, **members))


def encoder(previous: str | None = None, aggregate: Aggregate | None = None) -> EventEncoder:
    return EventEncoder(previous, aggregate or Aggregate())


def test_an_event_passes_byte_for_byte() -> None:
    """Odd spacing, escapes and long numbers included."""
    frame = b'{"type": "response.output_text.delta","sequence_number":0, "n":1.50,"d":"\\u00e9"}'
    assert frame == encoder().encode(decode_event(frame))


def test_the_numbering_has_no_gap() -> None:
    """Whatever was dropped upstream, the client counts from zero."""
    own = encoder()
    frames = [raw("response.output_text.delta", sequence_number=n, delta="x") for n in (0, 3, 4)]
    numbers = [json.loads(own.encode(decode_event(f)))["sequence_number"] for f in frames]
    assert [0, 1, 2] == numbers


def test_an_event_without_a_number_gets_one() -> None:
    """Clients resume by it."""
    assert 0 == json.loads(encoder().encode(event("response.x")))["sequence_number"]


@pytest.mark.parametrize("own", [None, "resp_mine"])
def test_a_response_names_what_the_client_itself_sent(own: str | None) -> None:
    """The gateway's own continuation is none of the client's business."""
    carried = {**CREATED, "previous_response_id": "resp_gateways"}
    encoded = encoder(own).encode(event("response.created", sequence_number=0, response=carried))
    assert {**carried, "previous_response_id": own} == json.loads(encoded)["response"]


def test_a_response_that_needs_no_change_gets_none() -> None:
    """The bytes stay the upstream's."""
    frame = raw(
        "response.created", sequence_number=0, response={**CREATED, "previous_response_id": None}
    )
    assert frame == encoder().encode(decode_event(frame))


@pytest.mark.parametrize("output", [None, [], ...])
def test_a_terminal_without_output_is_completed(output: Any) -> None:
    """From the finished items, in their order."""
    seen = Aggregate()
    seen.add_item(1, b'{"n":1.50}')
    seen.add_item(0, b'{"n":0}')
    response = {"id": "resp_1"} | ({} if output is ... else {"output": output})
    encoded = encoder(aggregate=seen).encode(
        event("response.completed", sequence_number=0, response=response)
    )
    assert b'[{"n":0},{"n":1.50}]' in encoded


def test_a_terminal_with_output_keeps_it() -> None:
    """What the upstream says at the end stands."""
    seen = Aggregate()
    seen.add_item(0, b"{}")
    frame = raw("response.completed", sequence_number=0, response={"output": [MESSAGE]})
    assert frame == encoder(aggregate=seen).encode(decode_event(frame))


def test_the_body_of_a_json_answer_is_the_terminals_response() -> None:
    """Raw, as it was encoded for the client."""
    assert b'{"id":1.50}' == response_of(b'{"type":"response.completed","response":{"id":1.50}}')


def test_a_broken_stream_ends_with_a_failed_response() -> None:
    """Built on the state the response had, with the items it finished."""
    seen = Aggregate()
    seen.opening = event("response.created", response={**CREATED, "previous_response_id": "g"})
    seen.add_item(0, b'{"type":"message"}')
    own = encoder(aggregate=seen)
    own.encode(event("response.created", response=CREATED))
    failed = json.loads(own.failure("upstream_disconnected", "It ended."))
    expected = {
        "type": "response.failed",
        "sequence_number": 1,
        "response": {
            **CREATED,
            "previous_response_id": None,
            "status": "failed",
            "error": {"code": "upstream_disconnected", "message": "It ended."},
            "output": [{"type": "message"}],
        },
    }
    assert expected == failed


def test_a_stream_broken_before_its_opening_fails_well_formed_too() -> None:
    """Even where the upstream never said which response it was."""
    failed = json.loads(encoder().failure("x", "y"))
    assert ("failed", "response") == (failed["response"]["status"], failed["response"]["object"])


@pytest.mark.parametrize("numbered", [{}, {"sequence_number": 7}, {"stream_id": "a"}])
def test_a_vendors_notice_takes_no_number(numbered):
    """It stands outside the sequence, and leaves no gap in it."""
    encoder = EventEncoder(None, Aggregate())
    notice = {"type": "codex.rate_limits", "rate_limits": {}}
    encoded = [
        json.loads(encoder.encode(decode_event(json.dumps(event).encode())))
        for event in (
            notice | numbered,
            {"type": "response.created", "sequence_number": 0, "response": {"id": "r"}},
            notice | numbered,
            {"type": "response.x", "sequence_number": 9},
        )
    ]
    assert [notice, notice] == encoded[::2]
    assert [0, 1] == [event["sequence_number"] for event in encoded[1::2]]


FRAMES = st.sampled_from(
    [
        b'{"type":"response.output_text.delta","sequence_number":%d,"delta":"\xc3\xa9"}',
        b'{"type":"response.output_item.done","sequence_number":%d,"output_index":0,"item":{"type":"message"}}',
        b'{"type":"response.output_text.delta",\n"sequence_number":%d}',
        b'{"type":"response.output_text.delta","sequence_number":%d,"stream_id":"a"}',
        b'{"type":"response.output_text.delta","sequence_number":7%d}',
        b'{"type":"response.in_progress","sequence_number":%d,"response":{"id":"r"}}',
        b'{"type":"codex.rate_limits","sequence_number":%d}',
    ]
)


@given(st.lists(FRAMES, max_size=8), st.integers(0, 8))
def test_events_are_the_same_however_they_come(frames: list[bytes], cut: int) -> None:
    """One by one, in batches, and straight from their frames as far as those are plain."""
    numbered = [frame % number for number, frame in enumerate(frames)]
    events = [decode_event(frame) for frame in numbered]
    alone, batches, straight = (EventEncoder(None, Aggregate()) for _ in range(3))
    expected = b"".join(sse.encode(event.name, alone.encode(event)) for event in events)
    assert expected == batches.encode_batch(events[:cut]) + batches.encode_batch(events[cut:])
    count, plain = straight.encode_plain(numbered)
    assert expected == plain + straight.encode_batch(events[count:])


class TestPlain:
    """Events that go on as they are, several at a time."""

    def encoder(self):
        """Return an encoder, and what it keeps items in."""
        aggregate = Aggregate()
        return EventEncoder(None, aggregate), aggregate

    def delta(self, number, **more):
        """Return a delta."""
        event = {"type": "response.output_text.delta", "sequence_number": number, "delta": "é"}
        return json.dumps(event | more).encode()

    def test_passes_bytes(self):
        """Plain events are encoded as each alone would be, byte for byte."""
        encoder, _ = self.encoder()
        frames = [self.delta(number) for number in range(3)]
        one_by_one = EventEncoder(None, Aggregate())
        expected = b"".join(
            sse.encode(event.name, one_by_one.encode(event)) for event in map(decode_event, frames)
        )
        assert encoder.encode_plain(frames) == (3, expected)
        assert encoder.encode_plain([self.delta(3)])[0] == 1

    @pytest.mark.parametrize(
        "frame",
        [
            b'{"type":"response.created","sequence_number":1,"response":{}}',
            b'{"type":"response.completed","sequence_number":1,"response":{}}',
            b'{"type":"error","sequence_number":1}',
            b'{"type":"codex.rate_limits","sequence_number":1}',
            b'{"type":"response.output_text.delta","sequence_number":2}',
            b'{"type":"response.output_text.delta"}',
            b'{"type":"response.output_text.delta","sequence_number":1,"stream_id":"a"}',
            b'{"type":"response.output_text.delta",\n"sequence_number":1}',
            b'{"type":"response.output_text.delta",\r"sequence_number":1}',
            b'{"type":"response.bell\\u0007","sequence_number":1}',
            b'{"type":"response.output_item.done","sequence_number":1,"output_index":0}',
            b'{"type":"response.output_text.delta","sequence_number":1',
            b"[]",
        ],
    )
    def test_leaves_the_rest(self, frame):
        """What may need a change, or is malformed, is left with all that comes after it."""
        encoder, aggregate = self.encoder()
        first = self.delta(0)
        expected = sse.encode("response.output_text.delta", first)
        assert encoder.encode_plain([first, frame, self.delta(1)]) == (1, expected)
        assert aggregate.output == []

    def test_keeps_items(self):
        """Finished items are kept for the terminal, in whatever order they come."""
        encoder, aggregate = self.encoder()
        frames = [
            b'{"type":"response.output_item.done","sequence_number":%d,"output_index":%d,'
            b'"item":{"type":"n%d"}}' % (number, index, index)
            for number, index in enumerate((1, 0))
        ]
        assert encoder.encode_plain(frames)[0] == 2
        assert aggregate.output == [b'{"type":"n0"}', b'{"type":"n1"}']


def test_headers_say_what_is_left():
    """Only limits that are set are named, in the words that OpenAI's clients know."""
    noon, meter = 1_790_000_000.0, Meter()
    meter.begin(noon)
    meter.end(noon, Spent(30))
    assert {} == limit_headers(meter, Rates(concurrent_turns=1), noon)
    assert {
        "x-ratelimit-limit-requests": "5",
        "x-ratelimit-remaining-requests": "4",
        "x-ratelimit-reset-requests": "61s",
        "x-ratelimit-limit-tokens": "20",
        "x-ratelimit-remaining-tokens": "0",
        "x-ratelimit-reset-tokens": "61s",
    } == limit_headers(meter, Rates(requests_per_minute=5, tokens_per_minute=20), noon)
