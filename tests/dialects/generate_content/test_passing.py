"""Gemini's API passed on: what is sent, and what is read of the answer on its way."""

import json
from base64 import b64encode
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longwire.core.events import Kind
from longwire.core.nouns.access import EVERYTHING
from longwire.dialects.generate_content.passing import pass_on
from longwire.dialects.generate_content.request import decode_request
from longwire.dialects.generate_content.signatures import Signature
from longwire.dialects.generate_content.targets import Target
from longwire.dialects.responses.call import renamed
from tests.dialects.passages import bill, kinds, lines_of, read, whole, wire
from tests.dialects.recordings import FOLDER, needs_recordings

STREAMS = sorted(FOLDER.glob("gemini/*.chunks.txt")) or [None]
WHOLE = [path for path in sorted(FOLDER.glob("gemini/*.json")) if "429" not in path.name] or [None]
BODY = b'{ "contents":[{"parts":[{"text":"1.50 \\u00e9"}]}],"cachedContent":"c" ,"xOwn":1.50}'
STREAMING, ARRAY = Target("m", "streamGenerateContent"), Target("m", "streamGenerateContent", True)
ALONE, COUNT = Target("m"), Target("m", "countTokens")
COUNTED = {"promptTokenCount": 9, "candidatesTokenCount": 2, "thoughtsTokenCount": 3}


def call_of(target: Target = STREAMING, body: bytes = BODY, sent_name: str = ""):
    turn = decode_request(body, {}, EVERYTHING, target=target)
    return pass_on(renamed(turn, lambda name: sent_name or name))


def chunk(text: str = "", reason: str = "", **members) -> bytes:
    candidate = {"content": {"parts": [{"text": text}], "role": "model"}, "index": 0}
    candidate |= {"finishReason": reason} if reason else {}
    said = {"candidates": [candidate], "modelVersion": "m-1", "responseId": "r", **members}
    return b"data: %b\r\n\r\n" % json.dumps(said).encode()


@pytest.mark.parametrize(
    ("target", "suffix"),
    [
        (STREAMING, "/m:streamGenerateContent?alt=sse"),
        (ARRAY, "/m:streamGenerateContent"),
        (ALONE, "/m:generateContent"),
        (COUNT, "/m:countTokens"),
    ],
)
def test_a_body_goes_as_it_is_where_its_client_sent_it(target, suffix):
    """The action and the form of the answer are the client's own."""
    call = call_of(target)
    assert (suffix, BODY) == (call.suffix, call.body)


def test_a_model_with_another_name_changes_the_path():
    """And the body where that names it, too."""
    inner = b'{"generateContentRequest":{"model":"models/m", "contents":[]}}'
    assert ("/a%2Fb:generateContent", BODY) == (
        call_of(ALONE, sent_name="a/b").suffix,
        call_of(ALONE, sent_name="a/b").body,
    )
    assert {"generateContentRequest": {"model": "models/b", "contents": []}} == json.loads(
        call_of(COUNT, inner, sent_name="b").body
    )
    assert inner == call_of(COUNT, inner).body


@pytest.mark.parametrize(
    "body",
    [
        b'{"generateContentRequest":5,"contents":[]}',
        b'{"contents":[{"parts":[{"thoughtSignature":"bHcx\\ud83d","text":"a"}],"role":"model"}]}',
    ],
)
def test_a_body_that_is_odd_goes_as_it_is(body):
    """What is wrong with it is for its upstream to say."""
    assert body == call_of(ALONE, body, sent_name="b").body


def test_what_we_have_sealed_is_kept_from_a_count_too():
    """Its contents may stand in a request of their own, and behind a byte-order mark."""
    seal = json.loads(Signature(c="call_1").encode())
    call = {"functionCall": {"name": "look", "args": {}}, "thoughtSignature": seal}
    contents = [{"role": "user", "parts": [{"text": "hi"}]}, {"role": "model", "parts": [call]}]
    body = json.dumps({"generateContentRequest": {"contents": contents}}).encode()
    for each in (body, b"\xef\xbb\xbf" + body):
        sent = json.loads(call_of(COUNT, each).body)["generateContentRequest"]["contents"]
        assert seal != sent[1]["parts"][0]["thoughtSignature"]


def test_a_stream_ends_with_its_body():
    """What ends without a reason broke off; its last chunk counts."""
    stream = chunk("Hi", usageMetadata={"promptTokenCount": 9}) + chunk("", "STOP")
    counted = chunk(" there", "MAX_TOKENS", usageMetadata=COUNTED)
    blocked = b'data: {"promptFeedback":{"blockReason":"SAFETY"}}\r\n\r\n'
    events = read(call_of(), chunk("Hi") + counted)
    assert [Kind.OUTPUT, Kind.OUTPUT, Kind.COMPLETED] == kinds(read(call_of(), stream))
    assert [Kind.OUTPUT, Kind.OUTPUT, Kind.INCOMPLETE] == kinds(events)
    assert [Kind.OPENING, Kind.INCOMPLETE] == kinds(read(call_of(), blocked))
    assert [Kind.OUTPUT] == kinds(read(call_of(), chunk("Hi")))
    assert chunk("Hi") + counted == wire(events)
    assert ("m-1", 9, 5, 3) == (
        bill(events).model,
        bill(events).usage.input,
        bill(events).usage.output,
        bill(events).usage.reasoning,
    )


def test_an_error_within_a_stream_keeps_its_bytes():
    """Whatever stands around it."""
    error = b'data: {"error":{"code":503,"message":"busy","status":"UNAVAILABLE"}}\r\n\r\n'
    events = read(call_of(), chunk("Hi") + error)
    assert (Kind.ERROR, error) == (events[-1].kind, events[-1].wire)
    assert b"UNAVAILABLE" in events[-1].raw


def test_an_array_is_passed_on_when_it_is_whole():
    """It has what a stream has, and an error in it is one."""
    parts = [chunk("Hi")[6:].strip(), chunk("", "STOP", usageMetadata=COUNTED)[6:].strip()]
    body = b"[" + b"\r\n,\r\n".join(parts) + b"\n]"
    error = b'{"error":{"code":429}}'
    (terminal,) = read(call_of(ARRAY), body, [7, 90])
    broken = whole(call_of(ARRAY), b"[%b,%b]" % (parts[0], error))
    assert (Kind.COMPLETED, body) == (terminal.kind, terminal.wire)
    assert 9 == bill([terminal]).usage.input
    assert (Kind.ERROR, error) == (broken.kind, broken.raw)


def test_an_error_keeps_its_own_words():
    """Whatever status it came with."""
    body = b'{"error":{"code":400}}'
    event = whole(call_of(ALONE), body)
    assert (Kind.ERROR, body) == (event.kind, event.raw)


@pytest.mark.parametrize("body", [b"{}", b"<html>", b"[1]"])
def test_what_is_no_response_is_an_error(body):
    """It is said what is wrong with it, and nobody is told what it holds."""
    event = whole(call_of(ALONE), body)
    assert event.kind is Kind.ERROR
    assert "no answer of its API" in json.loads(event.raw)["error"]["message"]


def test_a_count_is_the_upstreams_own():
    """It is no response, and passes as it is."""
    event = whole(call_of(COUNT), b'{ "totalTokens": 7 }')
    assert (Kind.COMPLETED, b'{ "totalTokens": 7 }') == (event.kind, event.wire)


def test_what_we_sealed_for_another_vendor_stays_here():
    """Gemini's own signatures are not touched; a call without one gets the dummy it asks for."""
    seal = Signature(c="call_1").encode().decode().strip('"')
    own = b64encode(b"lw1 is no mark").decode()
    parts = [
        {"text": "a", "thoughtSignature": seal},
        {"functionCall": {"name": "f"}, "thought_signature": seal},
        {"functionCall": {"name": "f"}, "thoughtSignature": own},
        {"text": f'"{seal}'},
    ]
    body = json.dumps({"contents": [{"role": "model", "parts": parts}]}).encode()
    call = call_of(ALONE, body)
    sent = json.loads(call.body)["contents"][0]["parts"]
    assert ("input.reasoning",) == call.dropped
    assert [
        {"text": "a"},
        {"functionCall": {"name": "f"}, "thought_signature": "skip_thought_signature_validator"},
        parts[2],
        parts[3],
    ] == sent


def test_thoughts_of_another_vendors_model_stay_here_too():
    """They would be read as Gemini's own, whose own stay; each chunk may be a content."""
    seal = Signature(c="call_1").encode().decode().strip('"')
    thought = {"role": "model", "parts": [{"text": "Hm.", "thought": True}]}
    theirs = {"role": "model", "parts": [{"text": "a", "thoughtSignature": seal}]}
    asked = {"role": "user", "parts": [{"text": "b"}]}
    own = {"role": "model", "parts": [*thought["parts"], {"text": "c"}]}
    contents = [asked, thought, theirs, asked, own]
    sent = json.loads(call_of(ALONE, json.dumps({"contents": contents}).encode()).body)
    assert () == call_of(ALONE, json.dumps({"contents": [asked, own]}).encode()).dropped
    assert [asked, {"role": "model", "parts": [{"text": "a"}]}, asked, own] == sent["contents"]


@needs_recordings
@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path and path.name)
@given(cuts=st.lists(st.integers(0, 20_000), max_size=8))
def test_recorded_streams_pass_whole(path: Path, cuts):
    """What Gemini streams reaches the client byte for byte, and is billed as it says."""
    lines = lines_of(path)
    stream = b"".join(b"data: %b\r\n\r\n" % json.dumps(line).encode() for line in lines)
    events = read(call_of(), stream, cuts)
    last = lines[-1]["usageMetadata"]
    thoughts = last.get("thoughtsTokenCount", 0)
    usage = bill(events).usage
    assert stream == wire(events)
    assert (last["promptTokenCount"], last["candidatesTokenCount"] + thoughts, thoughts) == (
        usage.input,
        usage.output,
        usage.reasoning,
    )


@needs_recordings
@pytest.mark.parametrize("path", WHOLE, ids=lambda path: path and path.name)
def test_recorded_answers_pass_whole(path):
    """Whole responses, likewise."""
    body = path.read_bytes()
    terminal = whole(call_of(ALONE), body)
    assert body == terminal.wire
    assert json.loads(body)["usageMetadata"]["promptTokenCount"] == bill([terminal]).usage.input
