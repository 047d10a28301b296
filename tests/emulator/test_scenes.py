"""What a user's text, a format or a limit makes the model answer."""

import json

import pytest

from longwire.emulator import Script

PROPERTIES = {"command": {"type": "string"}, "limit": {"type": "integer"}}
BASH = {"type": "function", "name": "Bash", "parameters": {"properties": PROPERTIES}}
READ = {"type": "function", "name": "read", "parameters": {"properties": {}}}
PATCH = {"type": "custom", "name": "patch"}
SEARCH = {"type": "web_search"}
OFFERED = [READ, BASH, PATCH, SEARCH]


def user(text):
    return {"role": "user", "content": [{"type": "input_text", "text": text}]}


def shape(response):
    """The items of a response: a message by its phase, a call by its name."""
    return [item.get("phase") or item.get("name") or item["type"] for item in response["output"]]


def outputs(response):
    """An output for each call."""
    return [
        {"type": f"{item['type']}_output", "call_id": item["call_id"], "output": "1"}
        for item in response["output"]
        if item["type"].endswith("_call") and "call_id" in item
    ]


SCENES = {
    "text": ("scene:text", ["reasoning", "final_answer"]),
    "phases": ("scene:phases", ["reasoning", "commentary", "final_answer"]),
    "tool": ("do it. scene:tool Bash\nplease", ["reasoning", "commentary", "Bash"]),
    "tools": ("scene:tools read", ["reasoning", "commentary", *["read"] * 3]),
    "custom": ("scene:custom", ["reasoning", "commentary", "patch"]),
    "search": ("scene:search", ["reasoning", "web_search_call", "final_answer"]),
    "refusal": ("scene:refusal", ["reasoning", "final_answer"]),
    "the last of two": ("scene:tools read\nno: scene:text", ["reasoning", "final_answer"]),
}


@pytest.mark.parametrize(("text", "expected"), SCENES.values(), ids=SCENES)
async def test_the_users_text_selects_what_happens(upstream, text, expected):
    """Whatever the script says, and whatever stands around the mark."""
    async with upstream(Script(tool_rounds=1)) as it, it.dial() as socket:
        response = await socket.respond(user(text), tools=OFFERED)
        assert expected == shape(response)
        assert [] == it.emulator.violations


async def test_a_scene_holds_until_another(upstream):
    """A client's own messages behind outputs are no new question; another mark is."""
    async with upstream() as it, it.dial() as socket:
        first = await socket.respond(user("scene:rounds read"), tools=OFFERED)
        shapes, last, more = [shape(first)[-1]], first, user("a reminder")
        for _ in range(3):
            again = {"tools": OFFERED, "previous_response_id": last["id"]}
            last = await socket.respond(*outputs(last), more, **again)
            shapes.append(shape(last)[-1])
        again = {"tools": OFFERED, "previous_response_id": last["id"]}
        last = await socket.respond(user("scene:tool Bash"), **again)
        assert ["read", "read", "read", "final_answer", "Bash"] == [*shapes, shape(last)[-1]]


async def test_arguments_are_those_of_the_text(upstream):
    """As they are spelled; what is no JSON is only text, and arguments are made up."""
    async with upstream() as it, it.dial() as socket:
        found = []
        for rest in ('{"command": "ls  -a", "limit":1.50}', "and so on"):
            response = await socket.respond(user(f"scene:tool Bash {rest}"), tools=OFFERED)
            found.append(response["output"][-1]["arguments"])
        made_up = '{"command":"naïve ✓ 0","limit":7}'
        assert ['{"command": "ls  -a", "limit":1.50}', made_up] == found


async def test_a_scene_that_is_none_is_refused(upstream):
    """With the names of those there are."""
    async with upstream() as it, it.dial() as socket:
        error = await socket.refuse(user("scene:dance"))
        assert "There is no scene 'dance'; there are text, say," in error["error"]["message"]


async def test_a_failing_scene_ends_without_output(upstream):
    """The response is begun and fails."""
    async with upstream() as it, it.dial() as socket:
        kinds = [each["type"] for each in await socket.create(user("scene:failed"))]
        assert ["response.created", "response.in_progress", "response.failed"] == kinds


async def test_a_refusal_has_events_of_its_own(upstream):
    """Its part begins empty, grows and is done."""
    async with upstream(Script(reasoning=False, deltas=2)) as it, it.dial() as socket:
        events = await socket.create(user("scene:refusal"))
        assert [
            "response.content_part.added",
            "response.refusal.delta",
            "response.refusal.delta",
            "response.refusal.done",
            "response.content_part.done",
        ] == [each["type"] for each in events[3:-2]]
        part = {"type": "refusal", "refusal": "I cannot help with that."}
        assert part | {"refusal": ""} == events[3]["part"]
        assert [part] == events[-1]["response"]["output"][0]["content"]
        assert part["refusal"] == "".join(each["delta"] for each in events[4:6])


async def test_a_search_has_events_and_is_cited(upstream):
    """The call's stages, and an annotation of the text before it is done."""
    async with upstream(Script(reasoning=False, deltas=1)) as it, it.dial() as socket:
        events = await socket.create(user("scene:search"), tools=[SEARCH])
        kinds = [each["type"].removeprefix("response.") for each in events]
        stages = [f"web_search_call.{each}" for each in ("in_progress", "searching", "completed")]
        assert stages == kinds[3:6]
        assert ["output_text.delta", "output_text.annotation.added", "output_text.done"] == kinds[
            9:12
        ]
        call, message = events[-1]["response"]["output"]
        assert "search" == call["action"]["type"]
        assert [events[10]["annotation"]] == message["content"][0]["annotations"]
        assert [] == events[8]["part"]["annotations"]


async def test_reasoning_may_have_a_summary_of_several_parts(upstream):
    """Each with its events and its index, or none at all."""
    async with upstream() as it, it.dial() as socket:
        events = await socket.create(user("scene:reasoning"))
        stem = "response.reasoning_summary_part.added"
        assert [0, 1] == [each["summary_index"] for each in events if each["type"] == stem]
        assert 2 == len(events[-1]["response"]["output"][0]["summary"])
        it.emulator.script = Script(summaries=0)
        assert [] == (await socket.respond(user("hi")))["output"][0]["summary"]


LEAF = {"type": "object", "properties": {"kind": {"enum": ["a", "b"]}, "n": {"type": "number"}}}
NESTED = {
    "type": "object",
    "$defs": {"Leaf": LEAF},
    "properties": {
        "leaves": {"type": "array", "items": {"$ref": "#/$defs/Leaf"}},
        "maybe": {"anyOf": [{"type": "boolean"}, {"type": "null"}]},
        "fixed": {"const": "x"},
        "text": {"type": ["string", "null"]},
        "count": {"type": "integer"},
    },
}


@pytest.mark.parametrize("as_item", [False, True])
async def test_an_answer_fits_its_schema(upstream, as_item):
    """That of the request, or of a `configuration_update`; arrays, references, alternatives."""
    form = {"format": {"type": "json_schema", "name": "answer", "schema": NESTED, "strict": True}}
    items = [{"type": "configuration_update", "text": form}] if as_item else []
    members = {} if as_item else {"text": form}
    async with upstream() as it, it.dial() as socket:
        response = await socket.respond(*items, user("hi"), **members)
        assert {
            "leaves": [{"kind": "a", "n": 1.5}],
            "maybe": True,
            "fixed": "x",
            "text": "naïve ✓ 0",
            "count": 7,
        } == json.loads(response["output"][-1]["content"][0]["text"])


async def test_an_endless_schema_ends(upstream):
    """A type that contains itself is left empty where it is deeper than any client reads."""
    tree = {"type": "object", "properties": {"next": {"$ref": "#"}}}
    form = {"format": {"type": "json_schema", "name": "tree", "schema": tree}}
    async with upstream() as it, it.dial() as socket:
        response = await socket.respond(user("hi"), text=form)
        assert json.loads(response["output"][-1]["content"][0]["text"])["next"]["next"]


@pytest.mark.parametrize(("limit", "text"), [(16, "x" * 64), (30, "x" * 100)])
async def test_a_long_answer_is_cut_at_the_limit(upstream, limit, text):
    """The response is incomplete then, says why, and can be continued."""
    async with upstream() as it, it.dial() as socket:
        say = user(f"scene:say {'x' * 100}")
        terminal = (await socket.create(say, max_output_tokens=limit))[-1]
        response = terminal["response"]
        status = "completed" if text == "x" * 100 else "incomplete"
        assert f"response.{status}" == terminal["type"]
        message = response["output"][-1]
        assert (text, status) == (message["content"][0]["text"], message["status"])
        reason = {"reason": "max_output_tokens"} if status == "incomplete" else None
        assert reason == response["incomplete_details"]
        await socket.respond(user("scene:text"), previous_response_id=response["id"])


async def test_choices_are_kept_to(upstream):
    """One call where calls are not to be parallel; always one where it is required."""
    async with upstream(Script(tool_rounds=0, commentary=False)) as it, it.dial() as socket:
        required = await socket.respond(user("hi"), tools=OFFERED, tool_choice="required")
        assert 1 == len(outputs(required))
        named = {"type": "function", "name": "Bash"}
        chosen = await socket.respond(user("hi"), tools=OFFERED, tool_choice=named)
        assert "Bash" == chosen["output"][-1]["name"]
        single = await socket.respond(
            user("scene:tools read"), tools=OFFERED, parallel_tool_calls=False
        )
        assert 1 == len(outputs(single))
