"""What one exchange receives, frame by frame and all at once."""

from hypothesis import given
from hypothesis import strategies as st

from longwire.core.events import Kind
from longwire.core.rules.exchange import Exchange
from longwire.core.sse import encode
from longwire.dialects.responses.answer import EventEncoder
from longwire.dialects.responses.stream import decode_event
from longwire.upstream.event_reader import EventReader

OPENING = b'{"type":"response.created","sequence_number":0,"response":{"id":"resp_1"}}'
FRAMES = (
    OPENING,
    b'{"type":"response.in_progress","sequence_number":1,"response":{"id":"resp_1"}}',
    b'{"type":"response.output_text.delta","sequence_number":1,"delta":"a"}',
    b'{"type":"response.output_text.delta","sequence_number":2,"delta":"b"}',
    b'{"type":"response.output_text.delta","sequence_number":3,\n"delta":"c"}',
    b'{"type":"response.output_text.delta","delta":"without a number"}',
    b'{"type":"response.output_text.delta","sequence_number":2,"stream_id":"lane"}',
    b'{"type":"response.bell\\u0007","sequence_number":1}',
    b'{"type":"response.output_item.done","sequence_number":2,"output_index":0,"item":{"n":1}}',
    b'{"type":"response.output_item.done","sequence_number":2}',
    b'{"type":"codex.rate_limits"}',
    b'{"type":"error","status":500,"error":{"code":"server_error"}}',
    b'{"type":"response.completed","sequence_number":4,"response":{"id":"resp_1"}}',
    b'{"type":"response.completed","sequence_number":4,"response":{"id":"resp_2"}}',
    b"[]",
    b"{",
)
SOME = st.lists(st.sampled_from(FRAMES), max_size=12).map(lambda rest: [OPENING, *rest])


def event_reader() -> EventReader:
    """An exchange whose turn was sent."""
    exchange = Exchange()
    exchange.step(Kind.SENT)
    return EventReader(exchange)


def state_of(reader: EventReader) -> tuple[object, ...]:
    """All that an exchange knows after what it received."""
    exchange, seen = reader.exchange, reader.aggregate
    failure = (type(reader.failure), reader.failure.safety) if reader.failure else None
    return exchange.phase, exchange.ending, failure, seen.opening, seen.terminal, seen.output


@given(SOME)
def test_all_at_once(frames):
    """Frames that arrive together mean what they mean one by one."""
    together, one_by_one = event_reader(), event_reader()
    expected = [event for raw in frames if (event := one_by_one.read(raw)) is not None]
    assert expected == together.read_all(frames)
    assert state_of(one_by_one) == state_of(together)


@given(SOME)
def test_encoded_at_once(frames):
    """Events are encoded together as they are one by one."""
    events = (reader := event_reader()).read_all(frames)
    one_by_one, together = (EventEncoder(None, reader.aggregate) for _ in range(2))
    expected = b"".join(encode(event.name, one_by_one.encode(event)) for event in events)
    assert expected == together.encode_batch(events)
    assert one_by_one.failure("x", "y") == together.failure("x", "y")


ODD = (b"bell", b"output_item.done", b"stream_id")
WHOLE = [raw for raw in FRAMES if raw[:2] == b'{"' and not any(odd in raw for odd in ODD)]


@given(st.lists(st.sampled_from(WHOLE), max_size=12))
def test_events_of_another_api_mean_what_frames_do(frames):
    """What was made of another API's answer is taken as what is read of a frame."""
    together, one_by_one = event_reader(), event_reader()
    expected = [event for raw in frames if (event := one_by_one.read(raw)) is not None]
    assert expected == together.take_all([decode_event(raw) for raw in frames])
    assert state_of(one_by_one) == state_of(together)
    assert one_by_one.aggregate.output_events == together.aggregate.output_events
