"""Turns as the bodies of `generateContent`."""

import json

import pytest

from longwire.core.errors import InvalidRequest
from longwire.core.rules.turn import Purpose
from longwire.dialects.gemini_models import DUMMY_SIGNATURE
from longwire.dialects.generate_content.function_names import sent_name
from longwire.dialects.generate_content.upstream import GenerateContentUpstream
from longwire.dialects.ports import NO_HEADERS, Fallback, Terms
from longwire.dialects.responses.request import decode_count
from tests.dialects.generate_content.calls import (
    MODEL,
    WEATHER,
    Json,
    assistant,
    body_of,
    call,
    call_of,
    contents_of,
    output,
    signed,
    user,
)

VALIDATOR = json.loads(DUMMY_SIGNATURE)


def response(call_id: str, text: str, name: str = "weather") -> Json:
    said = {"id": call_id, "name": name, "response": {"output": text}}
    return {"functionResponse": said}


def test_a_text_is_what_the_user_says() -> None:
    """An input that is a text is one content of the user, streamed from the model's own path."""
    sent = call_of("Hello", instructions="Be brief.")
    assert sent.suffix == f"/{MODEL}:streamGenerateContent?alt=sse"
    assert json.loads(sent.body) == {
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "contents": [{"role": "user", "parts": [{"text": "Hello"}]}],
    }


def test_leading_instructions_lead_and_later_ones_are_said_by_the_user() -> None:
    """System messages before all others are the system instruction; Gemini has no role for more."""
    system = {"type": "message", "role": "developer", "content": "Be kind."}
    body = body_of([system, user("a"), assistant("b"), {**system, "content": "Now rhyme."}])
    assert body["systemInstruction"] == {"parts": [{"text": "Be kind."}]}
    assert [(each["role"], each["parts"]) for each in body["contents"]] == [
        ("user", [{"text": "a"}]),
        ("model", [{"text": "b"}]),
        ("user", [{"text": "Now rhyme."}]),
    ]


def test_instructions_alone_are_a_question() -> None:
    """Gemini refuses a request without contents, so instructions alone are what the user says."""
    system = {"type": "message", "role": "system", "content": "Tell a joke."}
    assert body_of([system]) == {
        "contents": [{"role": "user", "parts": [{"text": "Tell a joke."}]}]
    }


def test_messages_of_one_role_are_merged() -> None:
    """Contents alternate: what one side says in several messages is one content."""
    assert contents_of(user("a"), user("b"), assistant("c"), assistant("d"), user("e")) == [
        {"role": "user", "parts": [{"text": "a"}, {"text": "b"}]},
        {"role": "model", "parts": [{"text": "c"}, {"text": "d"}]},
        {"role": "user", "parts": [{"text": "e"}]},
    ]


def test_data_is_inline_and_what_is_elsewhere_is_named() -> None:
    """Images and files go as inline data with their types, URLs as data of a file."""
    parts = [
        {"type": "input_image", "image_url": "data:image/webp;base64,AAAA"},
        {"type": "input_image", "image_url": "https://example.com/a.png"},
        {"type": "input_file", "filename": "a.csv", "file_data": "BBBB"},
        {"type": "input_file", "file_data": "data:application/pdf;base64,CCCC"},
        {"type": "input_audio", "input_audio": {"data": "DDDD", "format": "wav"}},
    ]
    message = {"type": "message", "role": "user", "content": parts}
    assert contents_of(message)[0]["parts"] == [
        {"inlineData": {"mimeType": "image/webp", "data": "AAAA"}},
        {"fileData": {"fileUri": "https://example.com/a.png"}},
        {"inlineData": {"mimeType": "text/csv", "data": "BBBB"}},
        {"inlineData": {"mimeType": "application/pdf", "data": "CCCC"}},
        {"inlineData": {"mimeType": "audio/wav", "data": "DDDD"}},
    ]


def test_what_calls_returned_stands_in_the_order_of_the_calls() -> None:
    """Results follow in one content of the user, in call order, before what the user says."""
    contents = contents_of(
        user("q"),
        call("c1", arguments='{"city":"Rome"}'),
        call("c2"),
        output("c2", "rain"),
        user("And?"),
        output("c1", "sun"),
    )
    assert contents[1]["parts"] == [
        {
            "functionCall": {"id": "c1", "name": "weather", "args": {"city": "Rome"}},
            "thoughtSignature": VALIDATOR,
        },
        {"functionCall": {"id": "c2", "name": "weather", "args": {}}},
    ]
    assert contents[2] == {
        "role": "user",
        "parts": [response("c1", "sun"), response("c2", "rain"), {"text": "And?"}],
    }


def test_a_call_without_result_gets_one_and_a_result_without_call_is_text() -> None:
    """Gemini wants a response to every call, and none to any other."""
    contents = contents_of(user("q"), call("c1"), user("Never mind."), output("c9", "lost"))
    assert contents[2]["parts"] == [
        response("c1", "The call has no output."),
        {"text": "Never mind."},
        {"text": "The output of a call that is not in this conversation:"},
        {"text": "lost"},
    ]


def test_equal_ids_of_calls_are_answered_one_by_one() -> None:
    """Of two calls with one id the first result belongs to the first."""
    contents = contents_of(
        user("q"), call("c1", "a"), call("c1", "b"), output("c1", "1"), output("c1", "2")
    )
    assert contents[2]["parts"] == [response("c1", "1", "a"), response("c1", "2", "b")]


def test_images_that_a_call_returned_follow_the_results() -> None:
    """Texts of a result are its output; what is no text stands behind all results."""
    parts = [
        {"type": "input_text", "text": "one"},
        {"type": "input_image", "image_url": "data:image/png;base64,AAAA"},
        {"type": "input_text", "text": "two"},
    ]
    contents = contents_of(user("q"), call("c1"), call("c2"), output("c1", parts), output("c2", ""))
    assert contents[2]["parts"] == [
        response("c1", "one\ntwo"),
        response("c2", ""),
        {"text": "What the call of weather has returned beside its text:"},
        {"inlineData": {"mimeType": "image/png", "data": "AAAA"}},
    ]


@pytest.mark.parametrize(
    ("arguments", "args"),
    [
        (
            '{"price": 1.50, "n": 10000000000000000000001}',
            '{"price": 1.50, "n": 10000000000000000000001}',
        ),
        ("", "{}"),
        ("  ", "{}"),
        ("[1]", '{"input":"[1]"}'),
        ('{"cut":', '{"input":"{\\"cut\\":"}'),
        ("plain", '{"input":"plain"}'),
    ],
)
def test_arguments_are_sent_as_they_were_written(arguments: str, args: str) -> None:
    """An object keeps its spelling, digits and all; what is no object is wrapped in one."""
    body = call_of([user("q"), call("c1", arguments=arguments), output("c1", "x")]).body
    assert b'"args":%b}' % args.encode() in body


def test_signatures_return_to_the_parts_that_they_came_with() -> None:
    """Each kind of signature stands on its own kind of part, in its place."""
    contents = contents_of(
        user("q"),
        signed("thought", "s1", text="Hm."),
        signed("text", "s2"),
        assistant("Let me look."),
        signed("call", "s3", text="I look."),
        call("c1"),
        call("c2"),
        output("c1", "1"),
        output("c2", "2"),
        assistant("Done."),
        signed("end", "s4"),
        user("Thanks"),
    )
    assert contents[1]["parts"] == [
        {"text": "Hm.", "thought": True, "thoughtSignature": "s1"},
        {"text": "Let me look.", "thoughtSignature": "s2"},
        {"functionCall": {"id": "c1", "name": "weather", "args": {}}, "thoughtSignature": "s3"},
        {"functionCall": {"id": "c2", "name": "weather", "args": {}}},
    ]
    assert contents[3]["parts"] == [{"text": "Done."}, {"text": "", "thoughtSignature": "s4"}]


def test_what_others_sealed_is_never_sent() -> None:
    """Reasoning of other vendors is left out, its summary too, and named."""
    foreign = [
        signed("call", "theirs", issuer="anthropic", text="secret thought"),
        {"type": "reasoning", "summary": [], "encrypted_content": "gAAAAtheirs"},
        {"type": "reasoning", "summary": [], "encrypted_content": "lw1.broken!.theirs"},
    ]
    sent = call_of([user("q"), *foreign, assistant("a"), user("b")])
    assert b"theirs" not in sent.body
    assert b"secret thought" not in sent.body
    assert sent.dropped == ("input.reasoning",)


def test_dummies_are_for_models_that_insist() -> None:
    """Models before Gemini 3 take calls without signatures, so they get none."""
    contents = contents_of(user("q"), call("c1"), output("c1", "x"), model="gemini-2.5-flash")
    assert contents[1]["parts"] == [{"functionCall": {"id": "c1", "name": "weather", "args": {}}}]


def test_tools_that_appear_later_are_declared_with_the_others() -> None:
    """`additional_tools` are tools of the request: Gemini knows no other place for them."""
    item = {"type": "additional_tools", "role": "developer", "tools": [WEATHER]}
    body = body_of([item, user("q")])
    [declarations] = body["tools"]
    assert [each["name"] for each in declarations["functionDeclarations"]] == ["weather"]


def test_what_only_another_upstream_holds_is_refused() -> None:
    """A response that is only named cannot be read here; the error says to send everything."""
    with pytest.raises(InvalidRequest, match="send the whole conversation as 'input'") as refused:
        call_of("Hello", previous_response_id="resp_1")
    assert refused.value.param == "previous_response_id"


@pytest.mark.parametrize("kind", ["compaction", "computer_call", "novelty"])
def test_items_that_cannot_be_said_are_refused_or_dropped(kind: str) -> None:
    """What changes the answer is refused by its place, or left out by name where that is set."""
    item = {"type": kind, "id": "x", "encrypted_content": "y"}
    with pytest.raises(InvalidRequest, match=r"'input\.1\.type' is") as refused:
        call_of([user("q"), item])
    assert refused.value.param == "input.1.type"
    assert call_of([user("q"), item], may_drop=True).dropped == (f"input.{kind}",)


def test_members_without_equivalent_are_named() -> None:
    """Hints that Gemini does not know are left out, and their names say so."""
    members: Json = {
        "store": True,
        "truncation": "auto",
        "service_tier": "flex",
        "max_tool_calls": 3,
        "parallel_tool_calls": False,
        "text": {"verbosity": "low"},
    }
    expected = ("max_tool_calls", "parallel_tool_calls", "service_tier", "text.verbosity")
    assert call_of("Hello", **members).dropped == expected


def test_how_it_is_generated() -> None:
    """Settings of generation have their own names, and keep their digits."""
    form = {
        "type": "json_schema",
        "name": "x",
        "schema": {"type": "object", "patternProperties": {}},
    }
    body = body_of(
        max_output_tokens=99, temperature=0.5, top_p=1.0, top_logprobs=2, text={"format": form}
    )
    assert body["generationConfig"] == {
        "maxOutputTokens": 99,
        "temperature": 0.5,
        "topP": 1.0,
        "responseMimeType": "application/json",
        "responseJsonSchema": form["schema"],
        "responseLogprobs": True,
        "logprobs": 2,
    }


def test_how_likely_tokens_are_is_asked_for_by_either_member() -> None:
    """A client that wants the log probabilities alone need not want others' beside them."""
    body = body_of(include=["message.output_text.logprobs"])
    assert body["generationConfig"] == {"responseLogprobs": True}


@pytest.mark.parametrize(
    ("model", "reasoning", "thinking"),
    [
        ("gemini-3-pro-preview", {"effort": "none"}, {"thinkingLevel": "LOW"}),
        ("gemini-3-flash-preview", {"effort": "none"}, {"thinkingLevel": "MINIMAL"}),
        ("gemini-3.1-pro", {"effort": "medium"}, {"thinkingLevel": "MEDIUM"}),
        ("gemini-flash-latest", {"effort": "xhigh"}, {"thinkingLevel": "HIGH"}),
        ("gemini-2.5-flash", {"effort": "none"}, {"thinkingBudget": 0}),
        ("gemini-2.5-pro", {"effort": "none"}, {"thinkingBudget": 128}),
        ("gemini-2.5-pro", {"effort": "high"}, {"thinkingBudget": 24576}),
        ("gemini-3-pro-preview", {"summary": "detailed"}, {"includeThoughts": True}),
        ("gemini-2.0-flash", {"effort": "high"}, None),
    ],
)  # fmt: skip
def test_how_hard_it_is_thought(model: str, reasoning: Json, thinking: Json) -> None:
    """Efforts are levels for Gemini 3 and budgets for 2.5; thoughts are shown where asked for."""
    config = body_of(model=model, reasoning=reasoning).get("generationConfig", {})
    assert config.get("thinkingConfig") == thinking


def test_a_count_is_of_the_whole_request() -> None:
    """`countTokens` gets the request with its model, so that tools and instructions count."""
    body = {"model": MODEL, "input": "Hello", "instructions": "Be brief."}
    turn = decode_count(json.dumps(body).encode())
    assert turn.purpose is Purpose.COUNT
    sent = GenerateContentUpstream().translate(turn, NO_HEADERS, Terms())
    assert sent.suffix == f"/{MODEL}:countTokens"
    assert json.loads(sent.body) == {
        "generateContentRequest": {
            "model": f"models/{MODEL}",
            "systemInstruction": {"parts": [{"text": "Be brief."}]},
            "contents": [{"role": "user", "parts": [{"text": "Hello"}]}],
        }
    }
    [counted] = sent.reading(Fallback("id", 0)).whole(b'{"totalTokens": 31}')
    assert json.loads(counted.raw)["response"] == {
        "object": "response.input_tokens",
        "input_tokens": 31,
    }


def test_no_name_of_a_callers_is_kept():
    """Whatever names callers declare, none stays in memory behind its turn."""
    assert not hasattr(sent_name, "cache_info")
    assert sent_name("a.b c") == sent_name("a.b c")


@pytest.mark.parametrize(
    ("audio", "field"),
    [
        ({"data": "DDDD", "format": 'wav"'}, "format"),
        ({"data": "DDDD", "format": 'wav","data":"x'}, "format"),
        ({"data": "DDDD", "format": ""}, "format"),
        ({"data": "DDDD", "format": None}, "format"),
        ({"data": 12345, "format": "wav"}, "data"),
        ({"data": {"a": 1}, "format": "wav"}, "data"),
        ({"data": "", "format": "wav"}, "data"),
        ({"format": "wav"}, "data"),
    ],
)
def test_audio_is_checked_before_it_is_said(audio, field):
    """Nothing that a client writes adds a member, or is sent as something else."""
    part = {"type": "input_audio", "input_audio": audio}
    with pytest.raises(InvalidRequest) as error:
        call_of([{"role": "user", "content": [part]}])
    assert f"input.0.content.0.input_audio.{field}" == error.value.param


def test_an_image_has_one_name_for_its_type():
    """Some call it otherwise."""
    image = {"type": "input_image", "image_url": "data:image/jpg;base64,/9j/"}
    (content,) = contents_of({"role": "user", "content": [image]})
    assert {"mimeType": "image/jpeg", "data": "/9j/"} == content["parts"][0]["inlineData"]


VIDEO = {"type": "input_video", "url": "x"}


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ([{"role": "user", "content": ""}], "input.0.content"),
        ([{"role": "user", "content": [VIDEO]}], "input.0.content"),
        ([user("a"), assistant("b"), {"role": "user", "content": [VIDEO]}], "input.2.content"),
        ([{"role": "sytem", "content": "a"}], "input.0.role"),
        ([{"content": "a"}], "input.0.role"),
    ],
)
def test_nothing_is_said_that_nobody_has_said(value, field):
    """Where nothing is left to say, or nobody known says it, that is an error."""
    with pytest.raises(InvalidRequest) as error:
        call_of(value, may_drop=True)
    assert field == error.value.param


def test_a_schema_that_is_missing_is_named():
    """It is no JSON of any kind."""
    with pytest.raises(InvalidRequest) as error:
        call_of(text={"format": {"type": "json_schema", "name": "n"}})
    assert "text.format.schema" == error.value.param
