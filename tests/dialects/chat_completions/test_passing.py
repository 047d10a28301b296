"""Chat Completions passed on: what is sent, and what is read of the answer on its way."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longwire.core.events import Kind
from longwire.dialects.chat_completions.details import details_of
from longwire.dialects.chat_completions.passing import pass_on
from longwire.dialects.chat_completions.request import decode_request
from longwire.dialects.passing import BOM
from longwire.dialects.profiles.known import profile_of
from longwire.dialects.profiles.profile import GENERIC, Profile
from longwire.dialects.responses.call import renamed
from longwire.dialects.seals import Seal, sealed
from tests.dialects.chat_completions.answers import HIDING
from tests.dialects.passages import bill, kinds, lines_of, read, whole, wire
from tests.dialects.recordings import FOLDER, needs_recordings

VENDORS = ("openai-chat", "deepseek", "qwen", "kimi", "mistral", "groq", "xai")
STREAMS = [
    path
    for vendor in VENDORS
    for path in sorted(FOLDER.glob(f"{vendor}/*"))
    if path.suffix in (".txt", ".sse")
] or [None]
WHOLE = [
    path
    for vendor in VENDORS
    for path in sorted(FOLDER.glob(f"{vendor}/*.json"))
    if "error" not in path.name
] or [None]
FIRST = (
    b'data: {"id":"c1","model":"m-1","choices":[{"delta":{"role":"assistant","content":""}}]}\n\n'
)
TEXT = b'data: {"id":"c1","choices":[{"delta":{"content":"Hi"},"finish_reason":null}]}\n\n'
LAST = b'data: {"id":"c1","choices":[{"delta":{},"finish_reason":"%b"}]}\n\n'
USAGE = (
    b'data: {"id":"c1","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":4,'
    b'"prompt_tokens_details":{"cached_tokens":3}}}\n\n'
)
DONE = b"data: [DONE]\n\n"
STREAM = FIRST + TEXT + LAST % b"stop" + USAGE + DONE


def call_of(body: bytes, sent_name: str = "", profile: Profile = GENERIC):
    turn = decode_request(body, {}, HIDING)
    return pass_on(renamed(turn, lambda name: sent_name or name), profile)


def body_of(**members) -> bytes:
    messages = [{"role": "user", "content": "hi"}]
    return json.dumps({"model": "m", "messages": messages, **members}).encode()


def decoded(**members):
    return decode_request(body_of(**members), {}, HIDING)


def streaming(profile: Profile = GENERIC):
    body = body_of(stream=True, stream_options={"include_usage": True})
    return call_of(body, profile=profile)


def vendor_of(path: Path) -> Profile:
    """The profile of who made a recording."""
    return profile_of(path.parent.name.removesuffix("-chat"), "")


@pytest.mark.parametrize(
    "body",
    [
        b' { "model" : "m" , "messages":[{"role":"user","content":"1.50"}],"n":2, "x": 1e400}\n',
        BOM + b'{"model":"m","messages":[{"role":"user","content":"cut \\ud83d"}]}',
        b'{"model":"m","stream":true,"stream_options":{"include_usage":true},"messages":[]}',
        b'{"model":"m","messages":"what no translation reads"}',
    ],
)
def test_a_body_is_passed_on_as_it_is(body):
    """Its spaces, its numbers, and what the gateway does not know: all the client's own.

    Only a mark of byte order is left out, which many servers refuse in JSON.
    """
    assert body.removeprefix(BOM) == call_of(body).body


def test_only_the_model_changes_where_a_channel_has_another_name_for_it():
    """Every other member has the bytes that the client wrote."""
    body = b'{"model":"mine","messages":[{"role":"user", "content":"1.50 \\u00e9"}],"n":2}'
    assert body.replace(b'"mine"', b'"theirs"') == call_of(body, "theirs").body


def test_a_vendor_that_says_its_usage_anyway_is_not_asked_for_it():
    """Some refuse the member; then every byte of the request stays."""
    body = body_of(stream=True)
    call = call_of(body, profile=profile_of("mistral", ""))
    assert body == call.body
    assert STREAM == wire(read(call, STREAM))


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ({}, {"include_usage": True}),
        ({"stream_options": None}, {"include_usage": True}),
        ({"stream_options": {"include_usage": False}}, {"include_usage": True}),
        (
            {"stream_options": {"include_obfuscation": False}},
            {"include_obfuscation": False, "include_usage": True},
        ),
    ],
)
def test_a_stream_says_what_it_costs_to_the_gateway_alone(written, sent):
    """Its client did not ask for usage, so the chunk that has it alone is not passed on."""
    call = call_of(body_of(stream=True, **written))
    events = read(call, STREAM)
    assert sent == json.loads(call.body)["stream_options"]
    assert STREAM.replace(USAGE, b"") == wire(events)
    assert (9, 3, 4) == _tokens(events)


def _tokens(events):
    usage = bill(events).usage
    return usage.input, usage.cached, usage.output


def test_usage_that_a_client_wants_is_its_own():
    """The chunk is passed on where the request asks for it."""
    assert STREAM == wire(read(streaming(), STREAM))


def test_an_answer_begins_with_its_first_output():
    """Until then a failure can be made good: comments and the role are no output."""
    events = read(streaming(), b": OPENROUTER PROCESSING\n\n" + STREAM)
    opening, output = Kind.OPENING, Kind.OUTPUT
    assert [Kind.VENDOR, opening, output, output, output, Kind.COMPLETED] == kinds(events)


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        (b"stop", Kind.COMPLETED),
        (b"tool_calls", Kind.COMPLETED),
        (b"length", Kind.INCOMPLETE),
        (b"content_filter", Kind.INCOMPLETE),
        (b"model_length", Kind.INCOMPLETE),
        (b"sensitive", Kind.INCOMPLETE),
    ],
)
def test_how_an_answer_ended_is_read(reason, kind):
    """Whether or not `[DONE]` follows; what ends without either broke off."""
    stream = FIRST + TEXT + LAST % reason
    assert kind is read(streaming(), stream + DONE)[-1].kind
    assert kind is read(streaming(), stream)[-1].kind
    assert kind is read(streaming(), stream + DONE.strip())[-1].kind
    assert Kind.OUTPUT is read(streaming(), FIRST + TEXT)[-1].kind


@pytest.mark.parametrize(
    "error",
    [
        b'data: {"error":{"message":"busy","code":429}}\n\n',
        b'data:{"id":"c1","error":{"message":"busy"},"choices":[]}\r\n\r\n',
        b'event: error\ndata: {"error":{"message":"busy"}}\n\n',
        b'data: {"object":"error","message":"busy"}\n\n',
    ],
)
def test_an_error_within_a_stream_keeps_its_bytes(error):
    """With what follows it at once: nothing of a broken answer is read any more."""
    *_, broken = events = read(streaming(), FIRST + TEXT + error + DONE)
    assert FIRST + TEXT + error + DONE == wire(events)
    assert (Kind.ERROR, error + DONE) == (broken.kind, broken.wire)
    assert b"busy" in broken.raw


def test_a_chunk_that_cannot_be_read_passes():
    """What is broken is for the client to see as it came."""
    stream = FIRST + b'data: {"choices":[{"finish_reason":"st\n\n' + TEXT + DONE
    assert stream == wire(read(streaming(), stream))


def test_a_whole_answer_is_its_body():
    """With what it cost beside it."""
    choices = b'"choices":[{"finish_reason":"length"}]'
    body = b'{"id":"c","model":"m-1",%b,"usage":{"prompt_tokens":2}} ' % choices
    terminal = whole(call_of(body_of()), body)
    assert (Kind.INCOMPLETE, body) == (terminal.kind, terminal.wire)
    assert ("m-1", 2) == (bill([terminal]).model, bill([terminal]).usage.input)


def test_an_error_keeps_its_own_words():
    """Whatever status it came with."""
    body = b'{"error":{"message":"x"}}'
    event = whole(call_of(body_of()), body)
    assert (Kind.ERROR, body) == (event.kind, event.raw)


@pytest.mark.parametrize("body", [b"[]", b"<html>", b'{"detail":1}'])
def test_what_is_no_completion_is_an_error(body):
    """It is said what is wrong with it, and nobody is told what it holds."""
    event = whole(call_of(body_of()), body)
    assert event.kind is Kind.ERROR
    assert "no answer of its API" in json.loads(event.raw)["error"]["message"]


def test_one_body_is_no_stream():
    """A client that waits for events would see nothing of it: it is refused, with the mend."""
    event = whole(streaming(), b'{"id":"c","choices":[]}')
    assert Kind.ERROR is event.kind
    assert b"request an answer that comes whole" in event.raw
    assert b"" == event.wire


def test_an_answer_without_a_media_type_is_read_as_it_was_asked_for():
    """A body that is taken for events is one body all the same."""
    body = b'{"id":"c","choices":[{"finish_reason":"stop"}]}'
    (terminal,) = read(call_of(body_of()), body, [5, 9])
    assert (Kind.COMPLETED, body) == (terminal.kind, terminal.wire)


def test_what_we_sealed_for_another_vendor_stays_here():
    """Reasoning of another vendor's model goes nowhere else; its own stays in the bytes it had."""
    foreign = {"type": "reasoning.encrypted", "data": sealed(Seal("anthropic", "x"))}
    own = {"type": "reasoning.encrypted", "data": "lw1 is no mark"}
    said = {"role": "assistant", "content": "lw1. is a word", "reasoning_details": [foreign, own]}
    alone = {"role": "assistant", "content": "b", "reasoning_details": [foreign]}
    signed = {"role": "assistant", "reasoning_details": [{"signature": foreign["data"]}, own]}
    messages = [{"role": "user", "content": "hi"}, said, alone, signed]
    sent = json.loads(call_of(body_of(messages=messages)).body)["messages"]
    assert [
        messages[0],
        {**said, "reasoning_details": [own]},
        {"role": "assistant", "content": "b"},
        {**signed, "reasoning_details": [own]},
    ] == sent


def test_words_of_what_another_vendor_sealed_stay_here_too():
    """They would be read as this vendor's own; its own it is given back."""
    kept = {"reasoning_content": "Hm."}
    for issuer, words, dropped in (("anthropic", {}, ("input.reasoning",)), ("vllm", kept, ())):
        seal = json.dumps(sealed(Seal(issuer, "x"))).encode()
        details = json.loads(details_of(b'"rs_1"', seal, [b'"Hm."'], 0))
        said = {"role": "assistant", "content": "a"}
        message = {**said, "reasoning_content": "Hm.", "reasoning_details": details}
        call = pass_on(decoded(messages=[message]), profile_of("vllm", ""))
        assert [{**said, **words}] == json.loads(call.body)["messages"]
        assert dropped == call.dropped


def test_calls_of_another_vendor_have_reasoning_where_it_must_not_lack():
    """An empty text stands for it, as in what is translated; what has some, and others, stay."""
    calls = [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
    plain = {"role": "assistant", "content": None, "tool_calls": calls}
    known = {**plain, "reasoning_content": "Hm."}
    messages = [{"role": "user", "content": "tool_calls"}, plain, known, {"role": "assistant"}]
    turn = decoded(messages=messages)
    sent = json.loads(pass_on(turn, profile_of("deepseek", "")).body)["messages"]
    assert [messages[0], {**plain, "reasoning_content": ""}, *messages[2:]] == sent
    assert messages == json.loads(pass_on(turn, GENERIC).body)["messages"]


FUNCTION = {"name": "f", "arguments": "{}"}
SIGNED = {"google": {"thought_signature": "SIG"}}
DUMMY = {"google": {"thought_signature": "skip_thought_signature_validator"}}


def called(*ids: str, **members) -> dict:
    calls = [{"id": each, "type": "function", "function": FUNCTION} for each in ids]
    return {"role": "assistant", "content": None, "tool_calls": calls, **members}


def passed_messages(profile: str, *messages: dict, model: str = "m") -> list[dict]:
    """The messages that a vendor gets of a client's."""
    turn = decode_request(body_of(messages=messages), {}, HIDING)
    turn = renamed(turn, lambda _: model)
    return json.loads(pass_on(turn, profile_of(profile, "")).body)["messages"]


def test_mistral_gets_ids_of_other_vendors_calls_as_it_takes_them():
    """A call and its result have the same one; ids of its own stay."""
    own = [called("abcDEF123"), {"role": "tool", "tool_call_id": "abcDEF123", "content": "a"}]
    foreign = [called("call_1", "b"), {"role": "tool", "tool_call_id": "b", "content": "b"}]
    sent = passed_messages("mistral", *own, *foreign)
    ids = [call["id"] for call in sent[2]["tool_calls"]]
    assert own == sent[:2]
    assert [9, 9] == [len(each) for each in ids]
    assert ids[1] == sent[3]["tool_call_id"]
    assert foreign == passed_messages("openai", *foreign)


REASONED = {"reasoning": "a", "reasoning_content": "b", "reasoning_details": [{"index": 0}]}


@pytest.mark.parametrize(
    ("profile", "kept"),
    [("openai", ()), ("azure", ()), ("mistral", ()), ("groq", ("reasoning",))],
)
def test_reasoning_goes_to_no_vendor_that_refuses_the_members_of_others(profile, kept):
    """What it has itself it is given back."""
    message = called("abcDEF123", **REASONED)
    signed = called("abcDEF123")
    signed["tool_calls"][0]["extra_content"] = SIGNED
    user = {"role": "user", "content": '"reasoning"'}
    own = {name: REASONED[name] for name in kept}
    expected = [called("abcDEF123", **own), called("abcDEF123"), user]
    assert expected == passed_messages(profile, message, signed, user)
    assert [message, signed, user] == passed_messages("generic", message, signed, user)


def test_gemini_gets_a_dummy_for_a_signature_that_nobody_knows():
    """The first call of a message alone must have one, and only where the model asks for it."""
    signed = called("a")
    signed["tool_calls"][0]["extra_content"] = SIGNED
    expected = called("b", "c")
    expected["tool_calls"][0]["extra_content"] = DUMMY
    messages = (signed, called("b", "c"))
    gemini = "gemini-openai"
    assert [signed, expected] == passed_messages(gemini, *messages, model="gemini-3-pro")
    assert [*messages] == passed_messages(gemini, *messages, model="gemini-2.5-pro")


def test_words_that_we_have_written_without_a_seal_stay_here_too():
    """They are a translation's, known by its id, and nobody's own."""
    details = [
        {"type": "reasoning.summary", "id": "lw_rs_resp_1_0", "summary": "Hm.", "index": 0},
        {"type": "reasoning.summary", "id": "rs_1", "summary": "Own.", "index": 1},
    ]
    said = {"role": "assistant", "content": "a"}
    message = {**said, "reasoning_content": "Hm.", "reasoning_details": details}
    expected = {**said, "reasoning_details": details[1:]}
    assert [expected] == passed_messages("deepseek", message)


def test_what_a_responses_upstream_sealed_stays_here_too():
    """A conversation may go from one model to another, with all that its client kept."""
    foreign, own = b'"gAAA"', b'"lw1.eyJwIjoiYW50aHJvcGljIn0.x"'
    details = [json.loads(details_of(b'"rs_1"', each, [], 0)) for each in (foreign, own)]
    said = {
        "role": "assistant",
        "content": "a",
        "reasoning_details": [one for each in details for one in each],
    }
    messages = [said, {"role": "user", "content": "hi"}]
    turn = decode_request(body_of(messages=messages), {}, HIDING)
    encrypted = [json.loads(turn.input)[at]["encrypted_content"] for at in (0, 1)]
    assert ["gAAA", "lw1.eyJwIjoiYW50aHJvcGljIn0.x"] == encrypted
    assert b"reasoning_details" not in pass_on(turn, GENERIC).body


def test_a_word_that_looks_like_a_seal_changes_no_byte():
    """Only reasoning is sealed."""
    body = b'{"model":"m",  "messages":[{"role":"user","content":"lw1.x"}, {"role":"user"}]}'
    assert body == call_of(body).body


def stream_of(path: Path) -> bytes:
    raw = path.read_bytes()
    if path.suffix == ".sse":
        return raw
    return b"".join(b"data: %b\n\n" % line for line in raw.splitlines() if line.strip()) + DONE


@needs_recordings
@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path and path.name)
@given(cuts=st.lists(st.integers(0, 20_000), max_size=8))
def test_recorded_streams_pass_whole(path, cuts):
    """What real vendors stream reaches the client byte for byte, and is billed as it says."""
    stream = stream_of(path)
    events = read(streaming(vendor_of(path)), stream, cuts)
    usages = [line["usage"] for line in lines_of(path) if line.get("usage")]
    assert stream == wire(events)
    if usages:
        last = usages[-1]
        thought = (last.get("completion_tokens_details") or {}).get("reasoning_tokens") or 0
        is_beside = last["total_tokens"] > last["prompt_tokens"] + last["completion_tokens"]
        output = last["completion_tokens"] + (thought if is_beside else 0)
        usage = bill(events).usage
        assert (last["prompt_tokens"], output, thought) == (
            usage.input,
            usage.output,
            usage.reasoning,
        )


@needs_recordings
@pytest.mark.parametrize("path", WHOLE, ids=lambda path: path and path.name)
def test_recorded_answers_pass_whole(path):
    """Whole answers of real vendors, likewise."""
    body = path.read_bytes()
    said = json.loads(body)["usage"]
    terminal = whole(call_of(body_of(), profile=vendor_of(path)), body)
    assert body == terminal.wire
    assert said["total_tokens"] == sum(
        (bill([terminal]).usage.input, bill([terminal]).usage.output)
    )


def test_usage_that_groq_says_beside_its_place_is_read():
    """It is there when nobody asked for the usage in its place."""
    last = (
        LAST.removesuffix(b"}\n\n")
        + b',"x_groq":{"usage":{"prompt_tokens":9,"completion_tokens":4}}}\n\n'
    )
    stream = FIRST + TEXT + last % b"stop" + DONE
    events = read(streaming(), stream)
    assert (9, 0, 4) == _tokens(events)
    assert stream == wire(events)
