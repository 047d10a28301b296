"""A request of Gemini's API as the turn of the hub: contents, tools, settings, and what is left."""

import json

import pytest

from longwire.core.errors import InvalidRequest
from longwire.core.nouns.access import EVERYTHING
from longwire.core.rules.turn import Purpose
from longwire.dialects.clients import route_to
from longwire.dialects.generate_content.members import CONFIG, MEMBERS
from longwire.dialects.generate_content.request import decode_request
from longwire.dialects.generate_content.signatures import Signature
from longwire.dialects.generate_content.targets import Target, is_target, target_of
from longwire.dialects.members import Fate
from tests.dialects.generate_content.answers import QUESTION, WHOLE, hub, items_of, turn_of

PNG = "iVBORw0KGgo_-A=="
FUNCTION = {"name": "read", "description": "Read.", "parameters": {"type": "OBJECT"}}
DUMMY = "skip_thought_signature_validator"


def user(*parts):
    """What a user says."""
    return {"role": "user", "parts": list(parts)}


def model(*parts):
    """What the model said."""
    return {"role": "model", "parts": list(parts)}


def called(name="read", call_id=None, signature=None, **args):
    """A call of a function."""
    own = {"id": call_id} if call_id else {}
    sealed = {"thoughtSignature": signature} if signature else {}
    return {"functionCall": {"name": name, "args": args, **own}, **sealed}


def returned(name="read", call_id=None, **response):
    """What a function returned."""
    own = {"id": call_id} if call_id else {}
    return {"functionResponse": {"name": name, "response": response, **own}}


def said(role, text):
    """A message of the hub."""
    kind = "output_text" if role == "assistant" else "input_text"
    return {"type": "message", "role": role, "content": [{"type": kind, "text": text}]}


def outputs_of(*contents):
    """The ids and outputs of the results among the items of contents."""
    items = items_of(turn_of(*contents, QUESTION))
    return [(each["call_id"], each["output"]) for each in items if "output" in each]


@pytest.mark.parametrize(
    ("contents", "items"),
    [
        ([user({"text": "a"}, {"text": "b"})], 1),
        ([{"parts": [{"text": "a"}]}], 1),
        ([{"parts": {"text": "a"}}], 1),
        ([user({"text": ""}), user({"text": "a"})], 1),
        ([user({"text": "a"}), user({"text": "b"})], 2),
    ],
    ids=["parts", "no role", "lone part", "empty", "two"],
)
def test_what_a_user_says_is_a_message_for_each_content(contents, items):
    """Whose role may be missing, and whose parts may be one."""
    found = items_of(turn_of(*contents))
    assert (items, {"user"}) == (len(found), {item["role"] for item in found})


def test_null_is_nothing():
    """Some clients write all members of a part, most of them as null."""
    nulls = {"thought": None, "thoughtSignature": None, "inlineData": None, "functionCall": None}
    said = user({"text": "a", "functionResponse": None, **nulls})
    response = returned(call_id="c", output="x") | {"text": None, **nulls}
    call = {**nulls, "text": None, **called(call_id="c")}
    items = items_of(turn_of(said, model(call), user(response)))
    kinds = ["message", "function_call", "function_call_output"]
    assert kinds == [item["type"] for item in items]


@pytest.mark.parametrize("half", ["\\ud83d", "\\ude00"])
def test_half_an_emoji_travels_as_it_is(half):
    """In texts, arguments and results: it is JSON, if no Unicode."""
    call = called("f", "c", x="bHALF")
    contents = [user({"text": "aHALF"}), model(call), user(returned("f", "c", output="cHALF"))]
    body = json.dumps({"contents": contents}).replace("HALF", half).encode()
    turn = decode_request(body, {}, EVERYTHING, target=WHOLE)
    assert turn.source.refusal is None
    assert 3 == turn.input.count(half.encode())


def test_texts_of_the_model_that_follow_are_one_message():
    """Streamed pieces come back as contents of their own."""
    pieces = [model({"text": "one "}), model({"text": "and "}, {"text": "two"}), model()]
    assert [said("user", "hi"), said("assistant", "one and two"), said("user", "hi")] == items_of(
        turn_of(QUESTION, *pieces, QUESTION)
    )


def test_thoughts_and_dummies_are_nothing():
    """Shown reasoning travels sealed, and a client makes up a signature where it has none."""
    parts = [{"text": "hm", "thought": True}, called(signature=DUMMY)]
    items = items_of(turn_of(QUESTION, model(*parts), user(returned(output="x"))))
    kinds = ["message", "function_call", "function_call_output"]
    assert kinds == [item["type"] for item in items]


def test_a_signature_of_googles_is_left_out_and_named():
    """Nobody but its issuer reads it."""
    turn = turn_of(QUESTION, model({"text": "a", "thoughtSignature": "CiQBjz1rX+0="}), QUESTION)
    assert ("contents.parts.thoughtSignature",) == turn.source.dropped
    assert 3 == len(items_of(turn))


@pytest.mark.parametrize(
    ("calls", "results"),
    [
        ([called(call_id="c1"), called(call_id="c2")], [("c2", "B"), ("c1", "A")]),
        ([called(call_id="read__c1")], [("read__c1", "A")]),
        ([called(call_id="c1"), called("list", "c2")], [(None, "A")]),
        ([called(call_id="c1"), called(call_id="c2")], [(None, "A"), (None, "B")]),
        ([called(), called()], [(None, "A"), (None, "B")]),
    ],
    ids=["ids", "with names", "by name", "by place", "no ids at all"],
)
def test_a_result_finds_its_call(calls, results):
    """By its id however its client writes it, else by the name, in the order of the calls."""
    answered = user(*(returned(call_id=call_id, output=text) for call_id, text in results))
    items = items_of(turn_of(QUESTION, model(*calls), answered))
    ids = [item["call_id"] for item in items if item["type"] == "function_call"]
    found = [(item["call_id"], item["output"]) for item in items if "output" in item]
    expected = [text for _, text in results]
    assert expected == [output for _, output in found]
    order = reversed(ids) if results[0][1] == "B" else ids
    assert list(order)[: len(found)] == [call_id for call_id, _ in found]
    assert not any(call_id.startswith("read__") for call_id in ids)


def test_a_call_that_lost_its_id_has_it_in_its_signature():
    """What the upstream calls it is what its answer must name."""
    signature = json.loads(Signature(c="call_up").encode())
    contents = [QUESTION, model(called(signature=signature)), user(returned(output="A"))]
    assert [("call_up", "A")] == outputs_of(*contents)


def test_a_result_that_is_repeated_is_sent_once():
    """A resumed session sends each again; the next call of the same id is another one."""
    step = [model(called(call_id="c1")), user(returned(call_id="c1", output="A"))]
    again = user(returned(call_id="c1", output="A"))
    assert [("c1", "A")] * 2 == outputs_of(QUESTION, *step, again, *step, again)
    bare = [model(called()), user(returned(output="A")), user(returned(output="A"))]
    assert 1 == len(outputs_of(QUESTION, *bare))


@pytest.mark.parametrize("name", ["output", "result", "content", "return_value"])
def test_a_lone_text_is_all_that_a_function_has_said(name):
    """An object with one such member says the same as its bare text; others are JSON."""
    assert [("c", "A ✓")] == outputs_of(
        QUESTION, model(called(call_id="c")), user(returned(call_id="c", **{name: "A ✓"}))
    )
    ((_, output),) = outputs_of(
        QUESTION, model(called(call_id="c")), user(returned(call_id="c", **{name: 5}))
    )
    assert {name: 5} == json.loads(output)


def test_a_function_returns_images():
    """They stand behind what it says."""
    part = {"inlineData": {"mimeType": "image/png", "data": PNG}}
    response = {"name": "read", "id": "c", "response": {"output": "A"}, "parts": [part]}
    contents = [QUESTION, model(called(call_id="c")), user({"functionResponse": response})]
    ((_, output),) = outputs_of(*contents)
    assert ["input_text", "input_image"] == [each["type"] for each in output]


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (
            {"inlineData": {"mimeType": "image/png", "data": PNG}},
            {"type": "input_image", "image_url": f"data:image/png;base64,{'iVBORw0KGgo/+A=='}"},
        ),
        (
            {"inline_data": {"mime_type": "application/pdf", "data": "QQ=="}},
            {"type": "input_file", "filename": "document.pdf"},
        ),
        (
            {"fileData": {"mimeType": "image/png", "fileUri": "https://h/a.png"}},
            {"type": "input_image", "image_url": "https://h/a.png"},
        ),
        (
            {"file_data": {"mime_type": "application/pdf", "file_uri": "https://h/a.pdf"}},
            {"type": "input_file", "file_url": "https://h/a.pdf"},
        ),
    ],
    ids=["image", "file", "image's URL", "file's URL"],
)
def test_media_are_parts(part, expected):
    """In either spelling of members, and either alphabet of base64."""
    (item,) = items_of(turn_of(user(part)))
    assert expected.items() <= item["content"][0].items()


def test_the_spelling_of_members_changes_no_bytes():
    """Names may be written in either way, below the top, too."""
    snake = {
        "system_instruction": {"parts": {"text": "be brief"}},
        "generation_config": {"max_output_tokens": 99, "thinking_config": {"thinking_budget": -1}},
        "tools": [{"function_declarations": [{"name": "f", "parameters_json_schema": {"a": 1}}]}],
        "tool_config": {"function_calling_config": {"mode": "ANY"}},
    }
    camel = {
        "systemInstruction": {"parts": [{"text": "be brief"}]},
        "generationConfig": {"maxOutputTokens": 99, "thinkingConfig": {"thinkingBudget": -1}},
        "tools": [{"functionDeclarations": [{"name": "f", "parametersJsonSchema": {"a": 1}}]}],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY"}},
    }
    call = {"function_call": {"name": "f", "args": {"file_path": "x"}}, "thought_signature": DUMMY}
    one = turn_of(QUESTION, model(call), user(returned("f", output="x")), **snake)
    call = {"functionCall": {"name": "f", "args": {"file_path": "x"}}, "thoughtSignature": DUMMY}
    other = turn_of(QUESTION, model(call), user(returned("f", output="x")), **camel)
    assert (one.members, one.input) == (other.members, other.input)
    assert one.source.leading == 1


def test_both_spellings_of_one_member_are_refused():
    """Of two values nobody can say which one is meant."""
    with pytest.raises(InvalidRequest) as error:
        turn_of(systemInstruction={"parts": []}, system_instruction={"parts": []})
    assert "system_instruction" == error.value.param


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"maxOutputTokens": 5}, {"max_output_tokens": 5}),
        ({"temperature": 0.5, "topP": 0.9}, {"temperature": 0.5, "top_p": 0.9}),
        ({"responseMimeType": "application/json"}, {"text": {"format": {"type": "json_object"}}}),
        (
            {"thinkingConfig": {"thinkingLevel": "HIGH", "includeThoughts": True}},
            {
                "reasoning": {"effort": "high", "summary": "auto"},
                "include": ["reasoning.encrypted_content"],
            },
        ),
        ({"thinkingConfig": {"thinkingBudget": 0}}, {"reasoning": {"effort": "none"}}),
        (
            {"thinkingConfig": {"thinkingBudget": 2000}},
            {"reasoning": {"effort": "medium"}, "include": ["reasoning.encrypted_content"]},
        ),
        ({"candidateCount": 1, "presencePenalty": 0, "responseModalities": ["TEXT"]}, {}),
    ],
    ids=["least", "sampling", "JSON", "level", "no thinking", "budget", "neutral"],
)
def test_settings_are_members_of_the_hub(config, expected):
    """Those that ask for something."""
    turn = turn_of(generationConfig=config)
    assert {"model": "m", "store": False, **expected} == hub(turn)
    assert (None, ()) == (turn.source.refusal, turn.source.dropped)


@pytest.mark.parametrize(
    ("contents", "system", "asked"),
    [
        ([user({"text": "Give me an object"})], None, True),
        ([user({"text": "Give me an object"})], "Be brief.", True),
        ([user({"text": "Write JSON"})], None, False),
        ([user({"text": "Give me an object"})], "Speak json.", False),
        ([user({"text": "a"}), model({"text": "{}"}), user({"text": "JSON again"})], None, True),
        ([user({"inlineData": {"mimeType": "image/png", "data": "json"}})], None, True),
    ],
)
def test_json_without_a_schema_is_asked_for_in_words(contents, system, asked):
    """OpenAI wants the word in a message, and here it stands in the first ones or nowhere."""
    members = {} if system is None else {"systemInstruction": {"parts": [{"text": system}]}}
    config = {"responseMimeType": "application/json"}
    turn = turn_of(*contents, generationConfig=config, **members)
    words = {"type": "input_text", "text": "Answer with a JSON object."}
    told = {"type": "message", "role": "developer", "content": [words]}
    items = items_of(turn)
    leading = [] if system is None else [{**told, "content": [{**words, "text": system}]}]
    leading += [told] if asked else []
    assert (leading, len(leading)) == (items[: len(leading)], turn.source.leading)
    assert len(leading) + len(contents) == len(items)


def test_sampling_is_left_out_beside_reasoning():
    """Which refuses it."""
    config = {"temperature": 1, "topK": 64, "topP": 0.95, "thinkingConfig": {"thinkingBudget": -1}}
    turn = turn_of(generationConfig=config)
    names = ("temperature", "topK", "topP")
    assert tuple(f"generationConfig.{name}" for name in names) == turn.source.dropped
    assert not {"temperature", "top_p"} & set(turn.members)


def test_schemas_are_translated():
    """From the API's own form, of which objects are closed, so that strict mode takes them."""
    schema = {
        "type": "OBJECT",
        "properties": {
            "b": {"type": "STRING", "nullable": True, "format": "enum", "enum": ["x"]},
            "a": {
                "type": "ARRAY",
                "items": {"type": "INTEGER", "format": "int32"},
                "minItems": "1",
            },
        },
        "required": ["a", "b"],
        "propertyOrdering": ["a", "b"],
    }
    config = {"responseMimeType": "application/json", "responseSchema": schema}
    wanted = hub(turn_of(generationConfig=config))["text"]["format"]
    assert ("json_schema", True) == (wanted["type"], wanted["strict"])
    assert ["a", "b"] == list(wanted["schema"]["properties"])
    assert wanted["schema"] == {
        "type": "object",
        "properties": {
            "a": {"type": "array", "items": {"type": "integer"}, "minItems": 1},
            "b": {"type": ["string", "null"], "enum": ["x", None]},
        },
        "required": ["a", "b"],
        "additionalProperties": False,
    }


@pytest.mark.parametrize(
    ("config", "choice"),
    [
        ({"mode": "AUTO"}, "auto"),
        ({"mode": "any"}, "required"),
        ({"mode": "NONE"}, "none"),
        ({"mode": "VALIDATED"}, "auto"),
        ({"mode": "ANY", "allowedFunctionNames": ["read"]}, {"type": "function", "name": "read"}),
        ({"mode": "MODE_UNSPECIFIED"}, None),
    ],
)
def test_a_choice_is_translated(config, choice):
    """Each mode, and the one function that has to be called."""
    tools = [{"functionDeclarations": [FUNCTION, {"name": "list"}]}]
    turn = turn_of(tools=tools, toolConfig={"functionCallingConfig": config})
    assert choice == hub(turn).get("tool_choice")


def test_some_functions_are_allowed():
    """Of all that are offered."""
    choice = {"mode": "ANY", "allowedFunctionNames": ["read", "a.b"]}
    tools = [{"functionDeclarations": [FUNCTION, {"name": "list"}, {"name": "a.b"}]}]
    found = hub(turn_of(tools=tools, toolConfig={"functionCallingConfig": choice}))["tool_choice"]
    assert ("allowed_tools", "required", 2) == (found["type"], found["mode"], len(found["tools"]))
    assert "read" == found["tools"][0]["name"]


def test_a_search_is_a_tool():
    """Google's is the upstream's."""
    turn = turn_of(tools=[{"googleSearch": {}}, {"functionDeclarations": [FUNCTION]}])
    assert ["web_search", "function"] == [tool["type"] for tool in hub(turn)["tools"]]
    assert turn.source.refusal is None


SAID = {"text": "a"}
REFUSED = [
    ({"cachedContent": "cachedContents/x"}, "cachedContent"),
    ({"tools": [{"codeExecution": {}}]}, "tools.0.codeExecution"),
    ({"tools": [{"url_context": {}}]}, "tools.0.urlContext"),
    ({"generationConfig": {"candidateCount": 2}}, "generationConfig.candidateCount"),
    (
        {"generationConfig": {"responseModalities": ["AUDIO"]}},
        "generationConfig.responseModalities",
    ),
    (
        {"contents": [user({"fileData": {"fileUri": "gs://b/x"}}, SAID)]},
        "contents.0.parts.0.fileData.fileUri",
    ),
    (
        {"contents": [user({"inlineData": {"mimeType": "audio/mp3", "data": "QQ=="}}, SAID)]},
        "contents.0.parts.0.inlineData.mimeType",
    ),
    (
        {"contents": [QUESTION, model({"executableCode": {"code": "1"}}), QUESTION]},
        "contents.1.parts.0.executableCode",
    ),
    ({"contents": [QUESTION, model({"text": "begun"})]}, "contents"),
]


@pytest.mark.parametrize(("members", "param"), REFUSED, ids=[param for _, param in REFUSED])
def test_what_cannot_be_said_is_left_to_who_can_say_it(members, param):
    """No error is raised: a channel of this API may serve it, or one where it is left out."""
    body = {"contents": [QUESTION], **members}
    turn = decode_request(json.dumps(body).encode(), {}, EVERYTHING, target=WHOLE)
    assert (param, False) == (turn.source.refusal.param, turn.source.is_unread)
    assert f"'{param}'" in str(turn.source.refusal) or param == "contents"


UNREAD = [
    ({}, "contents"),
    ({"contents": "hi"}, "contents"),
    ({"contents": [{"role": "system", "parts": [{"text": "x"}]}]}, "contents.0.role"),
    ({"contents": [user(returned(output="x"))]}, "contents.0.parts.0.functionResponse.name"),
    ({"contents": [user({"text": 5})]}, "contents.0.parts.0.text"),
    ({"generationConfig": {"temperature": "hot"}}, "generationConfig.temperature"),
    ({"generationConfig": {"thinkingConfig": {"thinkingLevel": "HUGE"}}}, None),
    ({"tools": [{"functionDeclarations": [{"description": "x"}]}]}, None),
    (
        {
            "toolConfig": {"functionCallingConfig": {"mode": "MAYBE"}},
            "tools": [{"googleSearch": {}}],
        },
        None,
    ),
]


@pytest.mark.parametrize(("members", "param"), UNREAD)
def test_what_cannot_be_read_is_left_to_who_can_read_it(members, param):
    """The error names the field, and nothing but the model is taken from the request."""
    body = {"contents": [QUESTION], **members} if members else {}
    turn = decode_request(json.dumps(body).encode(), {}, EVERYTHING, target=WHOLE)
    assert (True, b"[]", "m") == (turn.source.is_unread, turn.input, turn.model)
    assert turn.source.refusal.param
    assert param in (None, turn.source.refusal.param)


@pytest.mark.parametrize("body", [b"", b"[]", b'{"contents": '])
def test_no_json_object_is_an_error(body):
    """Nobody could read it."""
    with pytest.raises(InvalidRequest):
        decode_request(body, {}, EVERYTHING, target=WHOLE)


def test_hints_and_unknown_members_are_left_out_and_named():
    """At the top, in settings and inside contents."""
    config = {"topK": 5, "somethingNew": 1}
    part = {"text": "hi", "videoMetadata": {"fps": 1}}
    turn = turn_of(user(part), safetySettings=[{}], novelty=1, generationConfig=config)
    names = ("contents.parts.videoMetadata", "generationConfig.somethingNew")
    more = ("generationConfig.topK", "novelty", "safetySettings")
    assert (*names, *more) == turn.source.dropped
    assert turn.source.refusal is None


@pytest.mark.parametrize(
    "name", [name for name, row in MEMBERS.items() if row.fate is Fate.REFUSED]
)
def test_each_member_that_the_table_refuses_is_refused(name):
    """The table says so, and it is so."""
    assert name == turn_of(**{name: "x"}).source.refusal.param


@pytest.mark.parametrize("name", [name for name, row in CONFIG.items() if row.fate is Fate.REFUSED])
def test_each_setting_that_the_table_refuses_is_refused(name):
    """Likewise."""
    path = f"generationConfig.{name}"
    turn = turn_of(generationConfig={name: 7})
    assert (path, (path,)) == (turn.source.refusal.param, turn.source.dropped)


def test_a_longer_history_begins_with_the_shorter_one():
    """Byte for byte, so that what is known is found at once."""
    contents = [QUESTION, model(called(call_id="c1"), {"text": "x"}), user(returned(call_id="c1"))]
    short, long = turn_of(*contents), turn_of(*contents, model({"text": "y"}), QUESTION)
    assert long.input.startswith(short.input[:-1])


def test_a_count_is_asked_of_what_it_counts():
    """In either of its forms; what no count needs is left out."""
    request = {"contents": [QUESTION], "tools": [{"functionDeclarations": [FUNCTION]}]}
    target = Target("m", "countTokens")
    turns = [
        decode_request(json.dumps(body).encode(), {}, EVERYTHING, target=target)
        for body in (request, {"generateContentRequest": {"model": "models/m", **request}})
    ]
    for turn in turns:
        assert Purpose.COUNT is turn.purpose
        assert {"model", "tools"} == set(turn.members)
        assert "generate_content/count_tokens" == turn.source.api
    assert turns[0].input == turns[1].input


@pytest.mark.parametrize(
    ("path", "query", "target"),
    [
        (b"/v1beta/models/m:generateContent", b"", Target("m")),
        (b"/v1/models/m:generateContent", b"key=k%2B1", Target("m", key="k+1")),
        (
            b"/v1beta/models/a/b:8b:streamGenerateContent",
            b"alt=sse&key=k",
            Target("a/b:8b", "streamGenerateContent", key="k"),
        ),
        (
            b"/v1beta/models/m:streamGenerateContent",
            b"",
            Target("m", "streamGenerateContent", is_array=True),
        ),
        (b"/v1beta/models/m:countTokens", b"", Target("m", "countTokens")),
    ],
)
def test_a_path_names_the_model(path, query, target):
    """Whatever stands in its name; the query may have the key, and say how a stream comes."""
    assert is_target(path)
    assert target == target_of(path, query)


def test_a_key_in_a_query_is_not_shown():
    """Whoever prints where a request goes prints no key."""
    target = target_of(b"/v1beta/models/m:generateContent", b"key=lw-secret")
    assert "lw-secret" == target.key == route_to(target).key
    assert "lw-secret" not in f"{target!r} {route_to(target)!r}"


@pytest.mark.parametrize(
    "path", [b"/v1beta/models/m", b"/v1beta/models/m:embedContent", b"/v1beta/models/:countTokens"]
)
def test_other_paths_are_none(path):
    """Of models alone, of other actions, and of no model."""
    assert not is_target(path)
