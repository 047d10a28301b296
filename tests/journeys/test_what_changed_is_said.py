"""Whatever a client changes between two turns, the answer names the very place in a header."""

import copy
import json
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from longwire.emulator import Script
from tests.conftest import KEY

Body = dict[str, Any]
IMAGE = "data:image/png;base64,iVBORw0KGgo="
READ = {
    "type": "function",
    "name": "read",
    "description": "Reads.",
    "parameters": {"type": "object", "properties": {"path": {"type": "string"}}},
}
SHELL = {**READ, "name": "shell"}
SCHEMA = {"type": "json_schema", "name": "out", "schema": {"type": "object"}}
BEGIN: Body = {
    "model": "gpt-5.5",
    "instructions": "Be brief.",
    "tools": [READ, SHELL],
    "tool_choice": "auto",
    "reasoning": {"effort": "low", "summary": "auto"},
    "text": {"format": SCHEMA},
    "include": ["reasoning.encrypted_content"],
    "store": False,
    "temperature": 1,
    "metadata": {"run": "1"},
    "input": [
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "What is this?"},
                {"type": "input_image", "image_url": IMAGE},
            ],
        }
    ],
}
HEADERS = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}


async def ask(url: str, body: bytes | Body, **headers: str) -> tuple[Body, str, str]:
    """Ask; return the answer, how it travelled, and what changed."""
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with (
        aiohttp.ClientSession() as client,
        client.post(url, data=text, headers={**HEADERS, **headers}) as answer,
    ):
        assert answer.status == 200, await answer.text()
        way = answer.headers["x-longwire-continuity"], answer.headers.get("x-longwire-reason", "")
        changed = answer.headers.get("x-longwire-changed", "")
        return await answer.json(), " ".join(way).strip(), changed


async def agent_loop(url: str) -> Body:
    """Take four turns that continue; return the body of the fifth, which would."""
    body = copy.deepcopy(BEGIN)
    for number in range(4):
        answer, way, changed = await ask(url, body, **{"session-id": "s-1"})
        assert ("continued" if number else "fresh new_session", "") == (way, changed)
        body["input"] += answer["output"]
        calls = [each for each in answer["output"] if each["type"] == "function_call"]
        body["input"] += [result(call["call_id"]) for call in calls]
        body["input"].append({"role": "user", "content": f"And {number}?"})
    return body


def result(call_id: str) -> Body:
    """What a tool returned."""
    return {"type": "function_call_output", "call_id": call_id, "output": "done ✓"}


def place(body: Body, kind: str, nth: int = 0) -> int:
    """Where the nth item of a kind stands."""
    kinds = [each.get("type") or each["role"] for each in body["input"]]
    return [index for index, each in enumerate(kinds) if each == kind][nth]


def replies(body: Body) -> int:
    """Where the last reply begins, behind what the client sent before."""
    answers = ("reasoning", "function_call", "message")
    at = max(i for i, each in enumerate(body["input"]) if each.get("type") in answers)
    while body["input"][at - 1].get("type") in answers:
        at -= 1
    return at


def with_members(**members: Any) -> Callable[[Body], str]:
    """Change members of the request."""

    def edit(body: Body) -> str:
        body.update(members)
        return ""

    return edit


def item_edit(kind: str, nth: int, **members: Any) -> Callable[[Body], str]:
    """Change members of one item; return how its place is named."""

    def edit(body: Body) -> str:
        at = place(body, kind, nth)
        item = body["input"][at] = {**body["input"][at], **members}
        named = f"{item['role']} message" if "role" in item else item["type"]
        reply = " of the reply" * (replies(body) <= at < replies(body) + 4 and kind != "user")
        return f"input[{at}] of {len(body['input'])}: {named}{reply}"

    return edit


def image_changed(body: Body) -> str:
    """Another picture in the first question."""
    body["input"][0]["content"][1]["image_url"] = IMAGE + "AAAA"
    return f"input[0] of {len(body['input'])}: user message"


def first_removed(body: Body) -> str:
    """The history begins later."""
    del body["input"][0]
    return f"input[0] of {len(body['input'])}: user message removed"


def middle_removed(body: Body) -> str:
    """An earlier question was pruned."""
    at = place(body, "user", 2)
    del body["input"][at]
    return f"input[{at}] of {len(body['input'])}: user message removed"


def middle_inserted(body: Body) -> str:
    """A reminder was put in between."""
    at = place(body, "function_call")
    body["input"].insert(at, {"role": "developer", "content": "Remember."})
    return f"input[{at}] of {len(body['input'])}: developer message inserted"


def reordered(body: Body) -> str:
    """Two results of tools changed places."""
    at = place(body, "function_call_output")
    items = body["input"]
    items[at], items[at + 1] = items[at + 1], items[at]
    return f"input[{at}] of {len(items)}: function_call_output moved"


def reply_edited(body: Body) -> str:
    """The model's own last call comes back with other arguments."""
    at = max(i for i, each in enumerate(body["input"]) if each.get("type") == "function_call")
    body["input"][at] = {**body["input"][at], "arguments": '{"path": "elsewhere"}'}
    return f"input[{at}] of {len(body['input'])}: function_call of the reply"


def reasoning_changed(body: Body) -> str:
    """What the model thought last comes back as what it had thought before."""
    at = max(i for i, each in enumerate(body["input"]) if each.get("type") == "reasoning")
    earlier = body["input"][place(body, "reasoning")]["encrypted_content"]
    body["input"][at] = {**body["input"][at], "encrypted_content": earlier}
    return f"input[{at}] of {len(body['input'])}: reasoning of the reply"


def reasoning_partly_dropped(body: Body) -> str:
    """An earlier thought is gone, later ones are there."""
    at = place(body, "reasoning")
    del body["input"][at]
    for item in body["input"][at : place(body, "reasoning")]:
        item.pop("id", None)
    return f"input[{at}] of {len(body['input'])}: reasoning removed"


EDITS: dict[str, tuple[Callable[[Body], str], str]] = {
    "instructions": (with_members(instructions="Be brief. 12:00"), "instructions"),
    "model": (with_members(model="gpt-5.5-mini"), "model"),
    "a tool added": (
        with_members(tools=[READ, SHELL, {**READ, "name": "grep"}]),
        'tools[2] "grep" added',
    ),
    "a tool removed": (with_members(tools=[READ]), 'tools[1] "shell" removed'),
    "a tool described": (
        with_members(tools=[READ, {**SHELL, "description": "Runs."}]),
        'tools[1] "shell"',
    ),
    "tool order": (with_members(tools=[SHELL, READ]), "tools reordered"),
    "tool choice": (with_members(tool_choice="none"), "tool_choice"),
    "effort": (with_members(reasoning={"effort": "high", "summary": "auto"}), "reasoning.effort"),
    "two": (
        with_members(instructions="x", reasoning={"effort": "high"}),
        "instructions, reasoning.effort, reasoning.summary removed",
    ),
    "schema": (with_members(text={"format": {**SCHEMA, "strict": True}}), "text.format"),
    "member added": (with_members(parallel_tool_calls=False), "parallel_tool_calls added"),
    "first item": (item_edit("user", 0, content="another"), ""),
    "image": (image_changed, ""),
    "middle item": (item_edit("function_call_output", 1, output="[cleared]"), ""),
    "first removed": (first_removed, ""),
    "middle removed": (middle_removed, ""),
    "inserted": (middle_inserted, ""),
    "reordered": (reordered, ""),
    "reply edited": (reply_edited, ""),
    "reasoning changed": (reasoning_changed, ""),
    "reasoning partly dropped": (reasoning_partly_dropped, ""),
}  # fmt: skip


@pytest.mark.parametrize("name", EDITS)
async def test_the_place_of_an_edit_is_named(emulator, gateway, name):
    """Of one edit between two turns the header names the place, and nothing else."""
    emulator.script = Script(tool_rounds=9, parallel_calls=2)
    edit, properties = EDITS[name]
    body = await agent_loop(f"{gateway.url}/v1/responses")
    item = edit(body)
    _, way, changed = await ask(f"{gateway.url}/v1/responses", body, **{"session-id": "s-1"})
    assert (item or properties) == changed
    assert way in ("fresh history_rewritten", "fresh properties_changed")


@pytest.mark.parametrize(
    "members",
    [{"temperature": 0.5}, {"metadata": {"run": "2"}}, {"max_output_tokens": 9000}, {"user": "x"}],
    ids=lambda members: next(iter(members)),
)
async def test_what_is_no_property_changes_nothing(gateway, members):
    """Such a turn continues, and nothing is named."""
    body = await agent_loop(f"{gateway.url}/v1/responses")
    body |= members
    told = await ask(f"{gateway.url}/v1/responses", body, **{"session-id": "s-1"})
    assert ("continued", "") == told[1:]


@pytest.mark.parametrize(
    "write",
    [
        lambda body: json.dumps(body, indent=2),
        lambda body: json.dumps(body, separators=(",", ":"), ensure_ascii=False),
        lambda body: json.dumps(body, sort_keys=True),
    ],
    ids=["whitespace", "escapes", "key order"],
)
async def test_another_spelling_continues(gateway, write):
    """Whitespace, escapes and the order of keys are no change."""
    body = await agent_loop(f"{gateway.url}/v1/responses")
    text = write(body).encode()
    told = await ask(f"{gateway.url}/v1/responses", text, **{"session-id": "s-1"})
    assert ("continued", "") == told[1:]


CHAT: Body = {
    "model": "gpt-5.5",
    "reasoning_effort": "low",
    "tools": [{"type": "function", "function": {"name": "read", "parameters": {"type": "object"}}}],
    "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "a"}],
}
MESSAGES: Body = {
    "model": "gpt-5.5",
    "max_tokens": 4096,
    "system": "Be brief.",
    "tools": [{"name": "read", "input_schema": {"type": "object"}}],
    "messages": [{"role": "user", "content": "a"}],
}
GEMINI: Body = {
    "systemInstruction": {"parts": [{"text": "Be brief."}]},
    "tools": [{"functionDeclarations": [{"name": "read", "parameters": {"type": "OBJECT"}}]}],
    "contents": [{"role": "user", "parts": [{"text": "a"}]}],
}


def chat_next(body: Body, answer: Body) -> None:
    """Go on as a client of Chat Completions does."""
    message = answer["choices"][0]["message"]
    body["messages"].append(message)
    for call in message.get("tool_calls") or []:
        done = {"role": "tool", "tool_call_id": call["id"], "content": "done"}
        body["messages"].append(done)
    body["messages"].append({"role": "user", "content": "And?"})


def messages_next(body: Body, answer: Body) -> None:
    """Go on as a client of Messages does."""
    results = [
        {"type": "tool_result", "tool_use_id": block["id"], "content": "done"}
        for block in answer["content"]
        if block["type"] == "tool_use"
    ]
    text = {"type": "text", "text": "And?"}
    body["messages"] += [
        {"role": "assistant", "content": answer["content"]},
        {"role": "user", "content": [*results, text]},
    ]


def gemini_next(body: Body, answer: Body) -> None:
    """Go on as a client of Gemini does."""
    content = answer["candidates"][0]["content"]
    calls = [part["functionCall"] for part in content["parts"] if "functionCall" in part]
    results = [
        {"functionResponse": {**{k: c[k] for k in ("id", "name") if k in c}, "response": {}}}
        for c in calls
    ]
    body["contents"] += [content, {"role": "user", "parts": [*results, {"text": "And?"}]}]


DIALECTS: dict[str, tuple[str, Body, Callable[[Body, Body], None], Callable[[Body], Any]]] = {
    "chat": (
        "/v1/chat/completions",
        CHAT,
        chat_next,
        lambda body: body["messages"][1].update(content="b"),
    ),
    "messages": (
        "/anthropic/v1/messages",
        MESSAGES,
        messages_next,
        lambda body: body["messages"][0].update(content="b"),
    ),
    "gemini": (
        "/v1beta/models/gpt-5.5:generateContent",
        GEMINI,
        gemini_next,
        lambda body: body["contents"][0].update(parts=[{"text": "b"}]),
    ),
}


@pytest.mark.parametrize("name", DIALECTS)
async def test_clients_of_other_apis_are_told_the_place_in_responses_items(gateway, name):
    """Their messages count as the items that they are translated to."""
    path, begin, go_on, edit = DIALECTS[name]
    body, ways, url = copy.deepcopy(begin), [], f"{gateway.url}{path}"
    for _ in range(3):
        answer, *told = await ask(url, body, **{"session-id": "s-1"})
        ways.append(told)
        go_on(body, answer)
    assert [["fresh new_session", ""], ["continued", ""], ["continued", ""]] == ways
    edit(body)
    _, way, changed = await ask(url, body, **{"session-id": "s-1"})
    assert "fresh history_rewritten" == way
    assert changed.startswith("input[1] of ")  # behind the instructions
    assert changed.endswith(": user message")


@pytest.mark.parametrize("name", DIALECTS)
async def test_their_tools_are_named_by_their_own_names(gateway, name):
    """A tool that was added is called by the name that its client gave it."""
    path, begin, go_on, _ = DIALECTS[name]
    body, url = copy.deepcopy(begin), f"{gateway.url}{path}"
    for _ in range(2):
        answer, *_ = await ask(url, body, **{"session-id": "s-1"})
        go_on(body, answer)
    tools = body["tools"][0].get("functionDeclarations", body["tools"])
    tools.append(json.loads(json.dumps(tools[0]).replace('"read"', '"grep"')))
    _, *told = await ask(url, body, **{"session-id": "s-1"})
    assert ["fresh properties_changed", 'tools[1] "grep" added'] == told
