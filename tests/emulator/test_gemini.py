"""Gemini's API of the emulator: the same turns as contents and parts, refused as strictly."""

import json

import pytest

from longwire.emulator import Fault, Script, digest, merged, numbered
from tests.dialects.recordings import FOLDER, needs_recordings
from tests.emulator.test_chat import received
from tests.emulator.test_chat_vendors import places

TOOLS = [
    {
        "functionDeclarations": [
            {
                "name": "read",
                "parameters": {"type": "OBJECT", "properties": {"path": {"type": "STRING"}}},
            }
        ]
    }
]
HELLO = {"role": "user", "parts": [{"text": "hello"}]}
USER = {"role": "user", "content": "hello"}
MODEL = "gemini-3-flash"
DUMMY = "skip_thought_signature_validator"
CALL = {"functionCall": {"name": "read", "args": {}}, "thoughtSignature": DUMMY}
RESPONSE = {"functionResponse": {"name": "read", "response": {"output": "done"}}}
MODEL_CALL = {"role": "model", "parts": [CALL]}


def post(it, method="generateContent", model=MODEL, query="", **members):
    url = f"{it.emulator.url}/v1beta/models/{model}:{method}{query}"
    body = {"contents": [HELLO]} | members
    return it.session.post(url, json=body, headers={"x-goog-api-key": "sk-one"})


async def whole(it, **members):
    """A response, which must be one."""
    async with post(it, **members) as answer:
        assert 200 == answer.status, await answer.text()
        return await answer.json()


async def chunks(it, **members):
    """The data of a stream."""
    async with post(it, "streamGenerateContent", query="?alt=sse", **members) as answer:
        assert (200, "text/event-stream") == (answer.status, answer.content_type)
        texts = (await answer.text()).split("\r\n\r\n")
        return [json.loads(text.removeprefix("data: ")) for text in texts if text]


async def refused(it, **members):
    """Status and error of a request that is refused."""
    async with post(it, **members) as answer:
        return answer.status, (await answer.json())["error"]


def response(**members):
    """A part that answers a call of `read`."""
    return {"functionResponse": RESPONSE["functionResponse"] | members}


def response_to(part):
    return response(name=part["functionCall"]["name"], id=part["functionCall"]["id"])


def text_of(*responses):
    parts = [part for each in responses for part in each["candidates"][0]["content"]["parts"]]
    return "".join(part.get("text", "") for part in parts if not part.get("thought"))


async def test_an_answer_tells_the_digest_of_its_items(upstream):
    """The contents count as the items that they stand for, merged."""
    async with upstream() as it:
        response = await whole(it, systemInstruction={"parts": [{"text": "Be brief."}]})
        items = [{"role": "developer", "content": "Be brief."}, USER]
        assert f"context sha256:{digest(merged(items))}" == text_of(response)
        candidate = response["candidates"][0]
        assert ("STOP", MODEL) == (candidate["finishReason"], response["modelVersion"])
        assert "generate_content" == it.emulator.turns[-1].api


async def test_a_stream_is_the_answer_in_pieces(upstream):
    """Each event is a response; the last one has the reason, a signature and the usage."""
    async with upstream(Script(deltas=3)) as it:
        found = await chunks(it)
        assert 4 == len(found)
        assert f"context sha256:{digest([USER])}" == text_of(*found)
        assert [None, None, None, "STOP"] == [
            each["candidates"][0].get("finishReason") for each in found
        ]
        (last,) = found[-1]["candidates"][0]["content"]["parts"]
        assert ("", True) == (last["text"], bool(last["thoughtSignature"]))
        assert found[-1]["usageMetadata"]["promptTokenCount"] > 0


async def test_a_stream_without_sse_is_a_list(upstream):
    """Without `alt=sse` the same responses come as one JSON list."""
    async with upstream() as it, post(it, "streamGenerateContent") as answer:
        found = json.loads(await answer.read())
        assert f"context sha256:{digest([USER])}" == text_of(*found)


async def test_a_conversation_with_calls_has_the_digest_of_responses(upstream):
    """Signatures come back, and names and values of calls count as over Responses."""
    async with upstream(Script(tool_rounds=2, parallel_calls=2)) as it:
        contents, items = [HELLO], [USER]
        for _ in range(3):
            response = await whole(it, contents=contents, tools=TOOLS)
            assert digest(numbered(merged(items))) == it.emulator.turns[-1].digest
            content = response["candidates"][0]["content"]
            contents.append(content)
            outputs = []
            for part in content["parts"]:
                if "text" in part:
                    items.append({"role": "assistant", "content": part["text"]})
                    continue
                call = part["functionCall"]
                named = {"call_id": call["id"], "name": call["name"]}
                arguments = json.dumps(call["args"])
                items.append({"type": "function_call", "arguments": arguments, **named})
                output = {"call_id": call["id"], "output": "done"}
                outputs.append({"type": "function_call_output", **output})
            items += outputs
            parts = [
                {
                    "functionResponse": {
                        "name": part["functionCall"]["name"],
                        "id": part["functionCall"]["id"],
                        "response": {"output": "done"},
                    }
                }
                for part in content["parts"]
                if "functionCall" in part
            ]
            if parts:
                contents.append({"role": "user", "parts": parts})
        assert [] == it.emulator.violations


@pytest.mark.parametrize("query", ["", "?key=sk-one"])
async def test_a_key_is_needed(upstream, query):
    """A key in the query does as well as one in the header; without any it is 403."""
    async with upstream() as it:
        url = f"{it.emulator.url}/v1beta/models/{MODEL}:generateContent{query}"
        async with it.session.post(url, json={"contents": [HELLO]}) as answer:
            assert (200 if query else 403) == answer.status


async def test_tokens_are_counted(upstream):
    """`:countTokens` says what the usage of the turn says."""
    async with upstream() as it:
        counted = await (await post(it, "countTokens")).json()
        response = await whole(it)
        assert counted["totalTokens"] == response["usageMetadata"]["promptTokenCount"]


async def test_models_are_listed_by_pages(upstream):
    """The list comes in pages, each names the next one."""
    async with upstream(gemini_models=("gemini-a", "gemini-b")) as it:
        headers = {"x-goog-api-key": "sk-one"}
        url = f"{it.emulator.url}/v1beta/models?pageSize=1"
        async with it.session.get(url, headers=headers) as answer:
            first = await answer.json()
        async with it.session.get(f"{url}&pageToken=1", headers=headers) as answer:
            second = await answer.json()
        names = [entry["name"] for page in (first, second) for entry in page["models"]]
        assert ["models/gemini-a", "models/gemini-b"] == names
        assert ("1", None) == (first["nextPageToken"], second.get("nextPageToken"))


def contents(*found):
    return {"contents": list(found)}


def user(*parts):
    return {"role": "user", "parts": list(parts)}


def declared(**members):
    return {"tools": [{"functionDeclarations": [{"name": "read", **members}]}]}


def schema(**members):
    return declared(parameters={"type": "OBJECT", "properties": {"a": members}})


def generation(**members):
    return {"generationConfig": members}


PLACE = "tools[0].function_declarations[0].parameters"
INSIDE = f"{PLACE}.properties[0].value"
REFUSED = {
    "an unknown field": ({"model_": "a"}, 'Unknown name "model_": Cannot find field.'),
    "an unknown field of a part": (
        contents(user({"text": "a", "type": "text"})),
        "Unknown name \"type\" at 'contents[0].parts[0]': Cannot find field.",
    ),
    "messages": ({"messages": []}, 'Unknown name "messages"'),
    "an effort": (generation(reasoningEffort="low"), "at 'generation_config'"),
    "$schema": (
        declared(parameters={"$schema": "a"}),
        f"Unknown name \"$schema\" at '{PLACE}'",
    ),
    "$ref": (schema(**{"$ref": "a"}), f"Unknown name \"$ref\" at '{INSIDE}'"),
    "additionalProperties": (
        schema(additionalProperties=False),
        f"Unknown name \"additionalProperties\" at '{INSIDE}'",
    ),
    "patternProperties": (schema(patternProperties={}), 'Unknown name "patternProperties"'),
    "const": (schema(const="a"), 'Unknown name "const"'),
    "const in items": (
        schema(type="ARRAY", items={"const": 1}),
        f"at '{INSIDE}.items'",
    ),
    "const in alternatives": (
        schema(anyOf=[{"type": "STRING"}, {"const": 1}]),
        f"at '{INSIDE}.any_of[1]'",
    ),
    "a list of types": (schema(type=["string", "null"]), "cannot start list"),
    "a list for an object": ({"generationConfig": []}, "cannot start list"),
    "two schemas": (declared(parameters={}, parametersJsonSchema={}), "cannot both be set"),
    "a name that begins with a digit": (
        {"tools": [{"functionDeclarations": [{"name": "1a"}]}]},
        "Invalid function name",
    ),
    "two functions of one name": (
        {"tools": [{"functionDeclarations": [{"name": "a"}, {"name": "a"}]}]},
        "Duplicate function declaration",
    ),
    "no contents": (contents(), "contents is not specified"),
    "no parts": (contents(user()), "must not be empty"),
    "an empty part": (contents(user({})), "required oneof field 'data'"),
    "the role assistant": (
        contents(user({"text": "a"}), {"role": "assistant", "parts": [{"text": "a"}]}),
        "valid role: user, model",
    ),
    "the role system": (
        contents({"role": "system", "parts": [{"text": "a"}]}),
        "valid role: user, model",
    ),
    "a picture of the system": (
        {"systemInstruction": {"parts": [{"inlineData": {"mimeType": "image/png", "data": ""}}]}},
        "only text",
    ),
    "data without its type": (contents(user({"inlineData": {"data": "AAAA"}})), "mime_type"),
    "a response without its call": (contents(HELLO, user(RESPONSE)), "comes immediately after"),
    "a call without its response": (contents(HELLO, MODEL_CALL), "is equal to the number"),
    "a call that is ignored": (contents(HELLO, MODEL_CALL, HELLO), "is equal to the number"),
    "one response to two calls": (
        contents(HELLO, MODEL_CALL, MODEL_CALL, user(RESPONSE)),
        "is equal to the number",
    ),
    "two responses to one call": (
        contents(HELLO, MODEL_CALL, user(RESPONSE, RESPONSE)),
        "is equal to the number",
    ),
    "a late response": (
        contents(HELLO, MODEL_CALL, {"role": "model", "parts": [{"text": "a"}]}, HELLO),
        "is equal to the number",
    ),
    "a response of another name": (
        contents(HELLO, MODEL_CALL, user(response(name="write"))),
        "does not match the function call 'read'",
    ),
    "a response with another id": (
        contents(HELLO, MODEL_CALL, user(response(id="a"))),
        "No function call has the id 'a'",
    ),
    "a response that is a text": (
        contents(HELLO, MODEL_CALL, user(response(response="done"))),
        "be an object",
    ),
    "a call at the very beginning": (
        contents(MODEL_CALL, user(RESPONSE)),
        "comes immediately after a user turn",
    ),
    "a call without its signature": (
        contents(
            HELLO, {"role": "model", "parts": [{"functionCall": {"name": "read"}}]}, user(RESPONSE)
        ),
        "missing a thought_signature",
    ),
    "a signature of nobody": (
        contents(
            HELLO, {"role": "model", "parts": [CALL | {"thoughtSignature": "AAAA"}]}, user(RESPONSE)
        ),
        "Corrupted thought signature",
    ),
    "a picture of the model": (
        contents(HELLO, {"role": "model", "parts": [{"inlineData": {}}]}),
        "inlineData",
    ),
    "arguments in a text": (
        contents(
            HELLO, {"role": "model", "parts": [{"functionCall": {"name": "a", "args": "{}"}}]}
        ),
        "must be an object",
    ),
    "too hot": (generation(temperature=2.5), "in the range [0, 2]"),
    "no tokens": (generation(maxOutputTokens=0), "in the range"),
    "six stops": (generation(stopSequences=list("abcdef")), "at most 5"),
    "a schema for text": (
        generation(responseJsonSchema={}, responseSchema={"type": "STRING"}),
        "application/json",
    ),
    "a level and a budget": (
        generation(thinkingConfig={"thinkingLevel": "LOW", "thinkingBudget": 1}),
        "only one of thinking budget and thinking level",
    ),
    "a strange level": (generation(thinkingConfig={"thinkingLevel": "most"}), "thinking_level"),
    "a level for an old model": (
        {"model": "gemini-2.5-flash"} | generation(thinkingConfig={"thinkingLevel": "LOW"}),
        "not supported for this model",
    ),
    "functions and JSON for an old model": (
        {"model": "gemini-2.5-flash", "tools": TOOLS}
        | generation(responseMimeType="application/json"),
        "is unsupported",
    ),
    "a strange mode": (
        {"tools": TOOLS, "toolConfig": {"functionCallingConfig": {"mode": "REQUIRED"}}},
        "function_calling_config.mode",
    ),
    "ANY without functions": (
        {"toolConfig": {"functionCallingConfig": {"mode": "ANY"}}},
        "without function_declarations",
    ),
    "a name that is not declared": (
        {
            "tools": TOOLS,
            "toolConfig": {
                "functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["write"]}
            },
        },
        "write is not declared",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_what_google_refuses_is_refused(upstream, case):
    """The refusal is INVALID_ARGUMENT, in Google's words, and a violation."""
    members, text = REFUSED[case]
    async with upstream() as it:
        status, error = await refused(it, **members)
        assert (400, 400, "INVALID_ARGUMENT") == (status, error["code"], error["status"])
        assert text in error["message"], error
        assert 1 == len(it.emulator.violations)


async def test_all_unknown_fields_are_named_at_once(upstream):
    """Each has a line in the message and a violation with its place among the details."""
    async with upstream() as it:
        members = contents(user({"text": "a", "b": 1})) | {"c": 1}
        _, error = await refused(it, **members)
        assert 2 == len(error["message"].splitlines())
        (details,) = error["details"]
        assert "type.googleapis.com/google.rpc.BadRequest" == details["@type"]
        places = [each["field"] for each in details["fieldViolations"]]
        assert ["contents[0].parts[0]", ""] == places


async def test_a_json_schema_may_say_anything(upstream):
    """In `parametersJsonSchema` stands what `parameters` cannot hold, and a call fits it."""
    rules = {"$ref": "#/$defs/a", "$defs": {"a": {"properties": {"kind": {"const": "naïve"}}}}}
    async with upstream(Script(commentary=False)) as it:
        response = await whole(it, **declared(parametersJsonSchema=rules))
        (part,) = response["candidates"][0]["content"]["parts"]
        assert {"kind": "naïve"} == part["functionCall"]["args"]


async def test_fields_may_be_spelled_with_underscores(upstream):
    """Both spellings of protocol buffers' JSON are read."""
    async with upstream() as it:
        instruction = {"parts": [{"text": "Be brief."}]}
        await whole(it, system_instruction=instruction, generation_config={"top_p": 0.5})
        items = [{"role": "system", "content": "Be brief."}, USER]
        assert digest(items) == it.emulator.turns[-1].digest


@pytest.mark.parametrize(
    ("signature", "model", "options"),
    [
        (DUMMY, MODEL, {}),
        ("c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I=", MODEL, {}),
        (None, "gemini-2.5-flash", {}),
        (None, MODEL, {"gemini_signatures": False}),
    ],
)
async def test_a_call_of_elsewhere_is_taken(upstream, signature, model, options):
    """A dummy stands for a signature, as it is or encoded; older models need none."""
    call = {"functionCall": {"name": "read", "args": {}}}
    signed = call | ({"thoughtSignature": signature} if signature else {})
    async with upstream(**options) as it:
        found = contents(HELLO, {"role": "model", "parts": [signed]}, user(RESPONSE))
        await whole(it, model=model, **found)
        assert [] == it.emulator.violations


async def test_only_the_first_call_of_a_step_is_signed(upstream):
    """Parallel calls have one signature; another account's is refused."""
    async with upstream(Script(parallel_calls=2, commentary=False)) as it:
        response = await whole(it, tools=TOOLS)
        content = response["candidates"][0]["content"]
        assert [True, False] == ["thoughtSignature" in part for part in content["parts"]]
        found = contents(HELLO, content, user(*map(response_to, content["parts"])))
        await whole(it, **found)
        url = f"{it.emulator.url}/v1beta/models/{MODEL}:generateContent?key=sk-two"
        async with it.session.post(url, json=found) as answer:
            assert "Corrupted" in await answer.text()


async def test_contents_of_one_role_are_one(upstream):
    """A question in two contents, and an answer in pieces, count as one message each."""
    async with upstream() as it:
        pieces = [{"role": "model", "parts": [{"text": text}]} for text in ("na", "ïve")]
        await whole(it, contents=[HELLO, HELLO, *pieces, HELLO])
        items = [USER, USER, {"role": "assistant", "content": "naïve"}, USER]
        assert digest(merged(items)) == it.emulator.turns[-1].digest


async def test_all_kinds_of_parts_become_items(upstream):
    """Pictures, files, thoughts, and outputs with pictures."""
    data = {"mimeType": "image/png", "data": "AAAA"}
    pdf = {"fileData": {"mimeType": "application/pdf", "fileUri": "https://example.org/a"}}
    output = response(response={"a": 1.50}, parts=[{"inlineData": data}])
    said = [
        user({"inlineData": data}, pdf, {"text": "see"}),
        {"role": "model", "parts": [{"text": "hm", "thought": True}, {"text": "yes"}, CALL]},
        user(output, {"text": "and"}),
    ]
    picture = {"type": "input_image", "image_url": "data:image/png;base64,AAAA"}
    items = [
        {
            "role": "user",
            "content": [
                picture,
                {"type": "input_file", "file_url": "https://example.org/a"},
                {"type": "input_text", "text": "see"},
            ],
        },
        {"role": "assistant", "content": "yes"},
        {"type": "function_call", "call_id": "call_0", "name": "read", "arguments": "{}"},
        {
            "type": "function_call_output",
            "call_id": "call_0",
            "output": [{"type": "input_text", "text": '{"a":1.5}'}, picture],
        },
        {"role": "user", "content": "and"},
    ]
    async with upstream() as it:
        await whole(it, contents=said)
        assert digest(items) == it.emulator.turns[-1].digest


@pytest.mark.parametrize(
    ("script", "reason", "has_content"),
    [
        (Script(finish="incomplete"), "MAX_TOKENS", True),
        (Script(refusal="no"), "SAFETY", False),
        (
            Script(finish_reason="MALFORMED_FUNCTION_CALL", output=False),
            "MALFORMED_FUNCTION_CALL",
            False,
        ),
        (Script(finish_reason="RECITATION"), "RECITATION", True),
    ],
)
async def test_an_answer_names_the_reason_of_its_end(upstream, script, reason, has_content):
    """Whole or streamed; an answer that was stopped has no last part."""
    async with upstream(script) as it:
        response = await whole(it)
        *_, last = await chunks(it)
        found = [each["candidates"][0] for each in (response, last)]
        assert [reason, reason] == [candidate["finishReason"] for candidate in found]
        assert has_content == ("content" in found[0])


async def test_a_prompt_that_is_blocked_has_no_candidates(upstream):
    """The feedback says why, and the prompt is counted."""
    async with upstream(Script(block_reason="PROHIBITED_CONTENT")) as it:
        for response in (await whole(it), *await chunks(it)):
            assert {"blockReason": "PROHIBITED_CONTENT"} == response["promptFeedback"]
            assert ("candidates" in response, "usageMetadata" in response) == (False, True)


async def test_thoughts_are_shown_where_they_are_wanted(upstream):
    """They come first, and are counted beside the candidate."""
    async with upstream() as it:
        wanted = generation(thinkingConfig={"includeThoughts": True, "thinkingLevel": "HIGH"})
        response = await whole(it, **wanted)
        parts = response["candidates"][0]["content"]["parts"]
        assert [True, None] == [part.get("thought") for part in parts]
        usage = response["usageMetadata"]
        assert usage["totalTokenCount"] == sum(
            usage[name]
            for name in ("promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount")
        )


async def test_calls_may_be_without_ids(upstream):
    """As Gemini was recorded to send them."""
    async with upstream(Script(commentary=False), gemini_ids=False) as it:
        response = await whole(it, tools=TOOLS)
        (part,) = response["candidates"][0]["content"]["parts"]
        assert {"name", "args"} == set(part["functionCall"])


async def test_a_call_can_be_forced(upstream):
    """ANY with a name calls this function, NONE calls none."""
    functions = [{"functionDeclarations": [{"name": name} for name in ("read", "write")]}]
    async with upstream(Script(tool_rounds=0, commentary=False)) as it:
        calling = {"mode": "ANY", "allowedFunctionNames": ["write"]}
        forced = {"tools": functions, "toolConfig": {"functionCallingConfig": calling}}
        response = await whole(it, **forced)
        (part,) = response["candidates"][0]["content"]["parts"]
        assert "write" == part["functionCall"]["name"]
        it.emulator.script = Script()
        calling["mode"] = "NONE"
        del calling["allowedFunctionNames"]
        assert "context" in text_of(await whole(it, **forced))


async def test_a_longer_prompt_counts_the_shorter_one_as_cached(upstream):
    """The prefix of an earlier request is cached."""
    async with upstream() as it:
        first = await whole(it)
        assert "cachedContentTokenCount" not in first["usageMetadata"]
        longer = [HELLO, first["candidates"][0]["content"], HELLO]
        usage = (await whole(it, contents=longer))["usageMetadata"]
        assert 0 < usage["cachedContentTokenCount"] < usage["promptTokenCount"]


@pytest.mark.parametrize("method", ["generateContent", "streamGenerateContent"])
async def test_an_answer_that_fails_at_once_is_a_status(upstream, method):
    """Before any output a failure is an HTTP error in Google's form."""
    async with (
        upstream(Script(finish="failed:server_is_overloaded", output=False)) as it,
        post(it, method) as answer,
    ):
        error = (await answer.json())["error"]
        assert (503, "UNAVAILABLE") == (answer.status, error["status"])


async def test_an_answer_that_fails_in_mid_stream_says_so_there(upstream):
    """Behind output the error is the last thing in the stream."""
    async with upstream(Script(finish="failed:server_error")) as it:
        found = await chunks(it)
        assert "INTERNAL" == found[-1]["error"]["status"]
        assert "context" in text_of(found[0])


async def test_a_limit_says_when_to_come_back(upstream):
    """`retry-after` is a `RetryInfo` among the details, too."""
    async with upstream() as it:
        limit = {"status": 429, "headers": {"retry-after": "7"}, "message": "Slow down"}
        it.emulator.faults.add(Fault(at="after_create", act="error", **limit))
        status, error = await refused(it)
        assert (429, "RESOURCE_EXHAUSTED", "Slow down") == (
            status,
            error["status"],
            error["message"],
        )
        assert "7s" == error["details"][0]["retryDelay"]


async def test_a_fault_may_bring_any_details(upstream):
    """The error of a fault is passed on as it is, with its status and details."""
    async with upstream() as it:
        quota = {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": []}
        body = {"status": "RESOURCE_EXHAUSTED", "message": "No more", "details": [quota]}
        it.emulator.faults.add(Fault(at="after_create", act="error", status=429, body=body))
        _, error = await refused(it)
        assert (body | {"code": 429}) == error


@pytest.mark.parametrize(
    ("act", "expected"), [("reset", "cut"), ("error", "spoiled"), ("close", "cut")]
)
async def test_faults_strike_in_a_stream(upstream, act, expected):
    """What strikes behind a chunk ends the stream without its reason."""
    async with upstream(Script(deltas=4)) as it:
        it.emulator.faults.add(Fault(at="mid_delta", act=act, skip=1))
        async with post(it, "streamGenerateContent", query="?alt=sse") as answer:
            content = await received(answer)
        assert (True, False) == (b'"text"' in content, b"finishReason" in content)
        assert (act == "error") == (b'data: {"error":{"code":500' in content)
        assert expected == it.emulator.turns[-1].status


@pytest.mark.parametrize("at", ["models", "count"])
async def test_lists_and_counts_can_be_refused(upstream, at):
    """Faults at their points strike on Gemini's routes."""
    async with upstream() as it:
        it.emulator.faults.add(Fault(at=at, act="refuse", status=404, body={"a": 1}))
        if at == "count":
            answer = await post(it, "countTokens")
        else:
            url = f"{it.emulator.url}/v1beta/models?key=sk-one"
            answer = await it.session.get(url)
        assert (404, {"a": 1}) == (answer.status, await answer.json())


async def test_a_key_that_is_not_let_in(upstream):
    """It is 400, as Google has it, with the reason among the details."""
    async with upstream(api_keys=("sk-two",)) as it:
        status, error = await refused(it)
        assert (400, "API_KEY_INVALID") == (status, error["details"][0]["reason"])


@needs_recordings
@pytest.mark.parametrize(
    ("name", "calls"), [("google-reasoning-gemini3", False), ("google-tool-call-gemini3", True)]
)
async def test_an_answer_has_the_recorded_shape(upstream, name, calls):
    """Nothing is in an answer that Gemini was not recorded to send."""
    real = json.loads((FOLDER / "gemini" / f"{name}.json").read_text(encoding="utf-8"))
    arguments = '{"location": "here"}'
    async with upstream(Script(commentary=False, arguments=arguments), gemini_ids=False) as it:
        response = await whole(it, **({"tools": TOOLS} if calls else {}))
    assert set() == places(response) - places(real)


async def test_signatures_that_come_back_are_counted(upstream):
    """A dummy is none."""
    async with upstream(Script(commentary=False)) as it:
        content = (await whole(it, tools=TOOLS))["candidates"][0]["content"]
        await whole(it, **contents(HELLO, content, user(response_to(content["parts"][0]))))
        await whole(it, **contents(HELLO, MODEL_CALL, user(RESPONSE)))
        assert [0, 1, 0] == [turn.thoughts for turn in it.emulator.turns]


@needs_recordings
async def test_calls_in_pieces_have_the_recorded_shape(upstream):
    """Each value comes by its path, and an empty call ends them."""
    arguments = '{"path": {"a": ["naïve ✓"], "n": 1.50, "yes": true, "no": null}}'
    script = Script(commentary=False, arguments=arguments, deltas=2)
    async with upstream(script, gemini_calls="pieces", gemini_ids=False) as it:
        *found, last = await chunks(it, tools=TOOLS)
    calls = [each["candidates"][0]["content"]["parts"][0]["functionCall"] for each in found]
    assert [{"name": "read", "willContinue": True}, {}] == [calls[0], calls[-1]]
    parts = [call["partialArgs"][0] for call in calls[1:-1]]
    assert ["$.path.a[0]"] * 3 + ["$.path.n", "$.path.yes", "$.path.no"] == [
        part["jsonPath"] for part in parts
    ]
    assert "naïve ✓" == "".join(part.get("stringValue", "") for part in parts)
    assert [1.5, True] == [parts[3]["numberValue"], parts[4]["boolValue"]]
    assert "STOP" == last["candidates"][0]["finishReason"]
    paths = [*(FOLDER / "gemini").glob("google-stream*.chunks.txt")]
    lines = [line for path in paths for line in path.read_text(encoding="utf-8").splitlines()]
    ours = places([each["candidates"] for each in found[:4]])
    real = places([json.loads(line)["candidates"] for line in lines if line])
    assert set() == ours - real - {"[][].index int"}
