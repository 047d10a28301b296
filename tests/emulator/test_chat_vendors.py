"""The vendors of Chat Completions: their answers as they were recorded, and what they refuse."""

import json

import pytest

from longwire.emulator import Script
from tests.dialects.recordings import FOLDER, needs_recordings
from tests.emulator.test_chat import TOOLS, USER, chunks, post, whole

RECORDED_CALLS = ("deepseek", "qwen", "mistral", "groq", "xai")
RECORDED = (*RECORDED_CALLS, "kimi")
CALL = {"id": "call_1", "type": "function", "function": {"name": "read", "arguments": "{}"}}
SHORT_CALL = CALL | {"id": "abcdef123"}
OUTPUT = {"role": "tool", "tool_call_id": "call_1", "content": "done"}
SYSTEM = {"role": "system", "content": "Be brief."}
PICTURE = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}}}
READ = {"type": "function", "function": {"name": "read"}}


def places(value, place=""):
    """The places of a JSON value that hold something, and what kind it is; no figures of usage."""
    if isinstance(value, dict):
        inside = [places(value[name], f"{place}.{name}") for name in value if name != "usage"]
        return {found for each in inside for found in each}
    if isinstance(value, list) and value:
        return {found for inner in value for found in places(inner, f"{place}[]")}
    return {f"{place} {type(value).__name__}"}


def recorded(vendor):
    """All chunks that a vendor was recorded to send."""
    for path in (FOLDER / vendor).glob("*.chunks.txt"):
        lines = path.read_text(encoding="utf-8").splitlines()
        yield from (json.loads(line) for line in lines if line)


@needs_recordings
@pytest.mark.parametrize(
    ("vendor", "calls"),
    [*((vendor, False) for vendor in RECORDED), *((vendor, True) for vendor in RECORDED_CALLS)],
)
async def test_a_stream_has_the_recorded_shape(upstream, vendor, calls):
    """Nothing is in a vendor's chunks that it was not recorded to send."""
    members = {"stream_options": {"include_usage": True}} | ({"tools": TOOLS} if calls else {})
    async with upstream(Script(deltas=3, commentary=False), chat_vendor=vendor) as it:
        *found, end = await chunks(it, **members)
    assert "[DONE]" == end
    assert set() == places(found) - places([*recorded(vendor)])


def last_delta(found):
    return [chunk for chunk in found if chunk["choices"]][-1]["choices"][0]


TRAITS = {
    "deepseek": lambda found: (
        [True] * 2 == [name in found[1]["choices"][0]["delta"] for name in PAIR]
        and 0 == found[-1]["usage"]["prompt_cache_hit_tokens"]
    ),
    "kimi": lambda found: "usage" in found[-1] and "object" not in found[0],
    "mistral": lambda found: (
        "thinking" == found[1]["choices"][0]["delta"]["content"][0]["type"]
        and {"prompt_tokens", "completion_tokens", "total_tokens"} == set(found[-1]["usage"])
    ),
    "xai": lambda found: (
        "finish_reason" not in found[0]["choices"][0] and [] == found[-1]["choices"]
    ),
    "vllm": lambda found: "reasoning" in found[1]["choices"][0]["delta"],
    "vllm_unparsed": lambda found: found[1]["choices"][0]["delta"]["content"].startswith("<think>"),
    "openrouter": lambda found: (
        "reasoning.text" == found[1]["choices"][0]["delta"]["reasoning_details"][0]["type"]
    ),
    "azure": lambda found: ([], "") == (found[0]["choices"], found[0]["id"]),
}
PAIR = ("content", "reasoning_content")


@pytest.mark.parametrize("vendor", TRAITS)
async def test_answers_have_the_traits_of_their_vendor(upstream, vendor):
    """Each vendor says reasoning, usage and the end in its own way."""
    async with upstream(Script(deltas=1), chat_vendor=vendor) as it:
        found = (await chunks(it))[:-1]
        assert TRAITS[vendor](found), found
        assert "stop" == last_delta(found)["finish_reason"]


@pytest.mark.parametrize(
    ("vendor", "expected"),
    [
        ("openai", (0, "function", "tool_calls", 2)),
        ("anthropic", (1, "function", "tool_calls", 2)),
        ("mistral", (None, None, "tool_calls", 1)),
        ("qwen", (0, "function", "tool_calls", 3)),
        ("groq", (0, "function", "tool_calls", 1)),
        ("gemini", (0, "function", "stop", 1)),
    ],
)
async def test_calls_are_streamed_as_the_vendor_does(upstream, vendor, expected):
    """Index, type and finish reason of a call, and how many pieces it comes in."""
    async with upstream(Script(deltas=1, commentary=False), chat_vendor=vendor) as it:
        found = (await chunks(it, tools=TOOLS))[:-1]
    pieces = [
        choice["delta"]["tool_calls"][0]
        for chunk in found
        for choice in chunk["choices"]
        if "tool_calls" in choice["delta"]
    ]
    first, reason = pieces[0], last_delta(found)["finish_reason"]
    assert expected == (first.get("index"), first.get("type"), reason, len(pieces))
    assert "read" == first["function"]["name"]


async def test_mistral_calls_have_short_ids(upstream):
    """Nine letters and digits, in the whole answer as well."""
    async with upstream(Script(commentary=False), chat_vendor="mistral") as it:
        completion = await whole(it, tools=TOOLS)
        (call,) = completion["choices"][0]["message"]["tool_calls"]
        assert (9, True, "type" in call) == (len(call["id"]), call["id"].isalnum(), False)


async def test_xai_counts_reasoning_beside_the_completion(upstream):
    """Its total is more than prompt and completion."""
    async with upstream(chat_vendor="xai") as it:
        usage = (await whole(it))["usage"]
        thought = usage["completion_tokens_details"]["reasoning_tokens"]
        assert usage["total_tokens"] == (
            usage["prompt_tokens"] + usage["completion_tokens"] + thought
        )


async def test_gemini_wants_its_signature_back(upstream):
    """A call without the signature it came with is refused, in a list as Google has it."""
    async with upstream(Script(commentary=False), chat_vendor="gemini") as it:
        message = (await whole(it, tools=TOOLS))["choices"][0]["message"]
        (call,) = message["tool_calls"]
        output = {"role": "tool", "tool_call_id": call["id"], "content": "done"}
        await whole(it, tools=TOOLS, messages=[USER, message, output])
        del call["extra_content"]
        async with post(it, tools=TOOLS, messages=[USER, message, output]) as answer:
            (error,) = await answer.json()
        assert "INVALID_ARGUMENT" == error["error"]["status"]
        assert "thought_signature" in error["error"]["message"]


def turn(call=CALL, **members):
    """A conversation with one call."""
    return [USER, {"role": "assistant", "content": "", "tool_calls": [call], **members}, OUTPUT]


REFUSED = {
    "deepseek without reasoning": ("deepseek", {"messages": turn()}, "reasoning_content"),
    "deepseek with a schema": ("deepseek", {"response_format": SCHEMA}, "unavailable"),
    "deepseek forced": ("deepseek", {"tools": TOOLS, "tool_choice": "required"}, "thinking"),
    "deepseek forced by name": ("deepseek", {"tools": TOOLS, "tool_choice": READ}, "thinking"),
    "deepseek with a picture": (
        "deepseek",
        {"messages": [{"role": "user", "content": [PICTURE]}]},
        "image_url",
    ),
    "deepseek with a developer": (
        "deepseek",
        {"messages": [{"role": "developer", "content": "a"}]},
        "developer",
    ),
    "kimi forced": ("kimi", {"tools": TOOLS, "tool_choice": "required"}, "thinking"),
    "kimi without effort": ("kimi", {"reasoning_effort": "none"}, "none"),
    "kimi without reasoning": ("kimi", {"messages": turn()}, "reasoning_content"),
    "mistral with a long id": ("mistral", {"messages": turn()}, "length of 9"),
    "mistral with an answer last": (
        "mistral",
        {"messages": [USER, {"role": "assistant", "content": "a"}]},
        "Expected last role",
    ),
    "mistral with a strange member": ("mistral", {"seed_": 1}, "Extra inputs"),
    "mistral with another limit": ("mistral", {"max_completion_tokens": 9}, "Extra inputs"),
    "vllm with a late system": ("vllm", {"messages": [USER, SYSTEM]}, "must be at the beginning"),
    "vllm with two systems": ("vllm", {"messages": [SYSTEM, SYSTEM]}, "must be at the beginning"),
    "vllm with thinking": (
        "vllm",
        {"messages": [USER, {"role": "assistant", "content": [{"type": "thinking"}]}, USER]},
        "thinking",
    ),
    "azure with a file": (
        "azure",
        {"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": "a"}}]}]},
        "file",
    ),
    "groq with a strange member": ("groq", {"reasoning": {}}, "reasoning"),
}
TAKEN = {
    "deepseek with empty reasoning": ("deepseek", {"messages": turn(reasoning_content="")}),
    "deepseek that does not think": (
        "deepseek",
        {"messages": turn(), "thinking": {"type": "disabled"}},
    ),
    "deepseek by a model that does not": (
        "deepseek",
        {"model": "deepseek-chat", "messages": turn(), "tools": TOOLS, "tool_choice": "required"},
    ),
    "deepseek with a strange member": ("deepseek", {"novelty": 1}),
    "kimi with reasoning": ("kimi", {"messages": turn(reasoning_content="hm")}),
    "mistral with a short id": (
        "mistral",
        {"messages": [*turn(SHORT_CALL)[:2], OUTPUT | {"tool_call_id": "abcdef123"}]},
    ),
    "mistral with thinking": (
        "mistral",
        {
            "messages": [
                USER,
                {"role": "assistant", "content": [{"type": "thinking", "thinking": []}]},
                USER,
            ]
        },
    ),
    "vllm with one system": ("vllm", {"messages": [SYSTEM, USER]}),
    "gemini 2 without signature": ("gemini", {"model": "gemini-2.5-flash", "messages": turn()}),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_a_vendor_refuses(upstream, case):
    """What a vendor was seen to refuse is a 400 or 422 that says so, and a violation."""
    vendor, members, text = REFUSED[case]
    async with upstream(chat_vendor=vendor) as it:
        async with post(it, **members) as answer:
            assert answer.status == (422 if text == "Extra inputs" else 400)
            assert text in await answer.text()
        assert 1 == len(it.emulator.violations)


@pytest.mark.parametrize("case", TAKEN)
async def test_a_vendor_takes(upstream, case):
    """What lies just beside it is taken."""
    vendor, members = TAKEN[case]
    async with upstream(chat_vendor=vendor) as it:
        await whole(it, **members)
        assert [] == it.emulator.violations


@pytest.mark.parametrize(
    ("vendor", "expected"),
    [
        ("openai", {"error": {"code": "empty_array", "param": "messages"}}),
        ("mistral", {"object": "error", "code": "empty_array", "param": "messages"}),
        ("vllm", {"object": "error", "type": "BadRequestError", "code": 400}),
    ],
)
async def test_a_refusal_has_the_envelope_of_its_vendor(upstream, vendor, expected):
    """The error stands in `error`, or is the whole body."""
    async with upstream(chat_vendor=vendor) as it, post(it, messages=[]) as answer:
        found = await answer.json()
        inner, wanted = found.get("error", found), expected.get("error", expected)
        assert ("error" in expected) == ("error" in found)
        assert wanted == {name: inner[name] for name in wanted}


@pytest.mark.parametrize(
    ("vendor", "thought"),
    [
        ("deepseek", {"reasoning_content": "hm"}),
        ("vllm", {"reasoning": "hm"}),
        ("openrouter", {"reasoning_details": [{"type": "reasoning.text"}]}),
        ("mistral", {"content": [{"type": "thinking", "thinking": []}]}),
    ],
)
async def test_reasoning_that_comes_back_is_counted(upstream, vendor, thought):
    """The turn counts the messages that bring some; the digest does not."""
    async with upstream(chat_vendor=vendor) as it:
        await whole(it, messages=[USER, {"role": "assistant", "content": ""}, USER])
        await whole(it, messages=[USER, {"role": "assistant", "content": ""} | thought, USER])
        before, after = it.emulator.turns
        assert (0, 1) == (before.thoughts, after.thoughts)
        assert before.digest == after.digest


async def test_azure_takes_its_own_header(upstream):
    """A key may come as `api-key`, to Azure alone."""
    for vendor, status in (("azure", 200), ("openai", 401)):
        async with upstream(chat_vendor=vendor) as it:
            url = f"{it.emulator.url}/v1/chat/completions"
            body = {"model": "m", "messages": [USER]}
            async with it.session.post(url, json=body, headers={"api-key": "a"}) as answer:
                assert status == answer.status
