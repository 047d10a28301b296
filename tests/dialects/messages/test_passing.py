"""Messages passed on: what is sent, and what is read of the answer on its way."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longwire.core.errors import UnknownResponse
from longwire.core.events import Kind
from longwire.core.nouns.access import EVERYTHING
from longwire.dialects.messages.passing import pass_on
from longwire.dialects.messages.request import decode_count, decode_request
from longwire.dialects.responses.call import renamed
from longwire.dialects.seals import Seal, sealed
from tests.dialects.messages.answers import THINKING, encoded
from tests.dialects.passages import bill, kinds, lines_of, read, whole, wire
from tests.dialects.recordings import FOLDER, needs_recordings

STREAMS = sorted(FOLDER.glob("anthropic/*.chunks.txt")) or [None]
WHOLE = sorted(FOLDER.glob("anthropic/*.json")) or [None]
BETA = {"anthropic-beta": "interleaved-thinking-2025-05-14", "anthropic-version": "2024-01-01"}


def event(kind: str, **members) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), encoded({"type": kind, **members}))


USED = {"input_tokens": 10, "cache_read_input_tokens": 60, "cache_creation_input_tokens": 5}
START = event("message_start", message={"id": "msg_1", "model": "m-1", "usage": USED})
PING = event("ping")
BLOCK = event("content_block_start", index=0, content_block={"type": "text", "text": ""})
DELTA = event("content_block_delta", index=0, delta={"type": "text_delta", "text": "Hi"})
STOP = event("content_block_stop", index=0)
END = event(
    "message_delta",
    delta={"stop_reason": "end_turn"},
    usage={
        "input_tokens": 12,
        "output_tokens": 7,
        "output_tokens_details": {"thinking_tokens": 3},
        "cache_read_input_tokens": None,
    },
)
OVER = event("message_stop")
STREAM = START + PING + BLOCK + DELTA + STOP + END + OVER


def body_of(**members) -> bytes:
    return encoded(
        {
            "model": "m",
            "max_tokens": 9,
            "messages": [{"role": "user", "content": "hi"}],
            "stream": True,
            **members,
        }
    )


def call_of(body: bytes, headers=None, sent_name: str = ""):
    turn = decode_request(body, headers or {}, EVERYTHING)
    return pass_on(renamed(turn, lambda name: sent_name or name), headers or {})


STREAMING, ALONE = call_of(body_of()), call_of(body_of(stream=False))


@pytest.mark.parametrize(
    "body",
    [
        body_of(system=[{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}]),
        body_of(mcp_servers=[{"url": "https://x"}], container="c", x_own=1),
        body_of(messages=[{"role": "assistant", "content": "a prefill"}]),
        body_of(tools=[{"type": "code_execution_20260120", "name": "code_execution"}]),
        body_of(messages=[{"role": "user", "content": [{"type": "of_tomorrow"}]}]),
        body_of(thread={"type": "continue", "previous_message_id": "msg_01"}),
        b' {"model" : "m", "messages" : 1.50}\n',
    ],
)
def test_a_body_is_passed_on_as_it_is(body):
    """Marks for caches, a prefill, servers' tools, what is new: all the client's own."""
    assert body == call_of(body).body


def test_only_the_model_changes_where_a_channel_has_another_name_for_it():
    """Every other member has the bytes that the client wrote."""
    body = b'{"max_tokens":9,"model":"mine","messages":[{"role":"user", "content":"1.50"}]}'
    assert body.replace(b'"mine"', b'"theirs"') == call_of(body, sent_name="theirs").body


def test_version_and_betas_are_the_clients():
    """With the query that goes with betas; without them the version is the only there is."""
    assert (BETA, "?beta=true") == (
        call_of(body_of(), BETA).headers,
        call_of(body_of(), BETA).suffix,
    )
    assert {"anthropic-version": "2023-06-01"} == STREAMING.headers
    assert "" == STREAMING.suffix


def test_a_count_goes_where_tokens_are_counted():
    """Its answer is the upstream's own, and is no message."""
    turn = decode_count(body_of(), {}, EVERYTHING)
    call = pass_on(turn, BETA)
    counted = whole(call, b'{"input_tokens": 14}')
    assert ("/count_tokens?beta=true", body_of()) == (call.suffix, call.body)
    assert (Kind.COMPLETED, b'{"input_tokens": 14}') == (counted.kind, counted.wire)


def test_an_answer_begins_with_its_first_output():
    """Until then a failure can be made good: neither the message nor a ping is output."""
    events, output = read(STREAMING, STREAM), Kind.OUTPUT
    assert STREAM == wire(events)
    assert [
        Kind.OPENING,
        Kind.VENDOR,
        output,
        output,
        output,
        output,
        Kind.COMPLETED,
    ] == kinds(events)


def test_what_a_stream_counts_later_replaces_what_it_counted_before():
    """The figures of its end are sums already; what they leave out stands."""
    said = bill(read(STREAMING, STREAM))
    usage = said.usage
    assert ("m-1", 12 + 60 + 5, 60, 7, 3) == (
        said.model,
        usage.input,
        usage.cached,
        usage.output,
        usage.reasoning,
    )


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("tool_use", Kind.COMPLETED),
        ("max_tokens", Kind.INCOMPLETE),
        ("pause_turn", Kind.INCOMPLETE),
        ("model_context_window_exceeded", Kind.INCOMPLETE),
        ("refusal", Kind.INCOMPLETE),
    ],
)
def test_how_an_answer_ended_is_read(reason, kind):
    """A stream that does not say that it stops has broken off."""
    end = event("message_delta", delta={"stop_reason": reason}, usage={"output_tokens": 1})
    body = encoded({"type": "message", "id": "m", "stop_reason": reason})
    assert kind is read(STREAMING, START + end + OVER)[-1].kind
    assert kind is whole(ALONE, body).kind
    assert Kind.OUTPUT is read(STREAMING, START + BLOCK + end)[-1].kind


def test_an_error_within_a_stream_keeps_its_bytes():
    """Its type says what it means."""
    error = event("error", error={"type": "overloaded_error", "message": "Overloaded"})
    events = read(STREAMING, START + BLOCK + error)
    assert START + BLOCK + error == wire(events)
    assert (Kind.ERROR, error) == (events[-1].kind, events[-1].wire)
    assert {"type": "overloaded_error", "message": "Overloaded"} == json.loads(events[-1].raw)[
        "error"
    ]


def test_an_error_keeps_its_own_words():
    """Whatever status it came with."""
    body = b'{"type":"error","error":{"message":"x"}}'
    event = whole(ALONE, body)
    assert (Kind.ERROR, body) == (event.kind, event.raw)


@pytest.mark.parametrize("body", [b"[]", b"{}"])
def test_what_is_no_message_is_an_error(body):
    """It is said what is wrong with it, and nobody is told what it holds."""
    event = whole(ALONE, body)
    assert event.kind is Kind.ERROR
    assert "no answer of its API" in json.loads(event.raw)["error"]["message"]


def test_a_stream_without_names_of_events_is_read_by_their_types():
    """Some leave out the line that repeats the type."""
    stream = b"".join(
        block.partition(b"\n")[2] + b"\n\n" for block in STREAM.split(b"\n\n") if block
    )
    assert kinds(read(STREAMING, STREAM)) == kinds(read(STREAMING, stream))
    assert stream == wire(read(STREAMING, stream))


def test_what_we_sealed_for_another_vendor_stays_here():
    """Thinking of another vendor's model goes nowhere else; the upstream's own is not touched."""
    seal = sealed(Seal("responses", "gAAA"))
    foreign = [
        {"type": "thinking", "thinking": "a", "signature": seal},
        {"type": "redacted_thinking", "data": seal},
    ]
    own = {"type": "thinking", "thinking": "lw1.", "signature": "EqQB"}
    text = {"type": "text", "text": "b"}
    messages = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": [*foreign, own, text]},
        {"role": "assistant", "content": foreign},
        {"role": "user", "content": "lw1. is a word"},
    ]
    call = call_of(body_of(messages=messages))
    sent = json.loads(call.body)["messages"]
    assert [messages[0], {"role": "assistant", "content": [own, text]}, messages[3]] == sent
    assert ("input.reasoning",) == call.dropped


def test_a_word_that_looks_like_a_seal_changes_no_byte():
    """Only thinking is sealed."""
    body = b'{"model":"m","max_tokens":9,  "messages":[{"role":"user","content":"lw1."}, 1]}'
    assert (body, ()) == (call_of(body).body, call_of(body).dropped)


def test_a_message_that_no_gateway_knows_is_refused_as_unknown():
    """Where no upstream speaks this API, a thread that began elsewhere cannot go on."""
    thread = {"type": "continue", "previous_message_id": "elsewhere"}
    turn = decode_request(body_of(thread=thread, tools=[], thinking=THINKING), {}, EVERYTHING)
    assert turn.source.is_unread
    assert UnknownResponse is type(turn.source.refusal)


def answers_in(path: Path) -> list[list[dict]]:
    """The events of each message that a recording holds."""
    found: list[list[dict]] = [[]]
    for line in lines_of(path):
        found[-1].append(line)
        if line["type"] == "message_stop":
            found.append([])
    return [events for events in found if events]


@needs_recordings
@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path and path.name)
@given(cuts=st.lists(st.integers(0, 20_000), max_size=8))
def test_recorded_streams_pass_whole(path, cuts):
    """What Claude streams reaches the client byte for byte, and is billed as it says."""
    for answer in answers_in(path):
        stream = b"".join(event(**{"kind": each.pop("type"), **each}) for each in _copied(answer))
        events = read(STREAMING, stream, cuts)
        usage: dict[str, int] = {}
        for each in answer:
            counted = each.get("usage") or each.get("message", {}).get("usage") or {}
            usage |= {name: value for name, value in counted.items() if isinstance(value, int)}
        names = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
        assert stream == wire(events)
        if answer[-1]["type"] == "message_stop":
            billed = bill(events).usage
            assert (sum(usage.get(name, 0) for name in names), usage["output_tokens"]) == (
                billed.input,
                billed.output,
            )


def _copied(answer: list[dict]) -> list[dict]:
    return [dict(each) for each in answer]


@needs_recordings
@pytest.mark.parametrize("path", WHOLE, ids=lambda path: path and path.name)
def test_recorded_answers_pass_whole(path):
    """Whole messages, likewise."""
    body = path.read_bytes()
    terminal = whole(ALONE, body)
    assert body == terminal.wire
    assert json.loads(body)["usage"]["output_tokens"] == bill([terminal]).usage.output
