"""A client of Responses works with every vendor of Chat Completions, and with Gemini."""

import pytest

from longwire.emulator import Emulator, Options, Script, digest, merged, numbered, spoken
from tests.journeys.two_upstreams import staged_before

TOOLS = [
    {
        "type": "function",
        "name": "read",
        "parameters": {"type": "object", "properties": {"path": {"type": "string"}}},
    }
]
PROFILES = {"vllm_unparsed": "vllm", "gemini": "gemini-openai", "anthropic": "generic"}
VENDORS = [
    *("openai", "azure", "deepseek", "kimi", "glm", "qwen", "mistral", "groq", "xai", "vllm"),
    *("vllm_unparsed", "ollama", "openrouter", "gemini", "anthropic"),
]
THINKING = {"deepseek", "kimi", "glm", "groq", "vllm", "ollama", "openrouter", "gemini"}
"""Those that get their reasoning, or its signature, back."""
HISTORY = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hello"}]
STREAMS = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


async def conversation(stage, model, *, stream):
    """What was sent in each of three turns, of which two end with calls."""
    sent, history = [], [*HISTORY]
    for _ in range(3):
        members = {"model": model, "tools": TOOLS, "store": False, "stream": stream}
        reply = await stage.ask(history, **members, include=["reasoning.encrypted_content"])
        assert 200 == reply.status, reply.body
        sent.append([*history])
        output = reply.response["output"]
        calls = [item["call_id"] for item in output if item["type"] == "function_call"]
        outputs = [{"call_id": call_id, "output": "done"} for call_id in calls]
        history += output
        history += [{"type": "function_call_output", **each} for each in outputs]
    return sent


@STREAMS
@pytest.mark.parametrize("vendor", VENDORS)
async def test_every_vendor_holds_a_conversation(tmp_path, vendor, stream):
    """Nothing is refused, the model sees what was sent, and reasoning goes back where it must."""
    channel = {"apis": ["chat_completions"], "profile": PROFILES.get(vendor, vendor)}
    model = "gemini-3-flash" if vendor == "gemini" else "gpt-5.5"
    script = Script(tool_rounds=2, parallel_calls=2)
    async with (
        Emulator(Options(chat_vendor=vendor), script) as upstream,
        staged_before(tmp_path, {"a": upstream}, channel=channel) as stage,
    ):
        sent = await conversation(stage, model, stream=stream)
    turns = upstream.turns
    assert [] == upstream.violations
    assert [digest(spoken(items)) for items in sent] == [turn.digest for turn in turns]
    assert {"chat_completions"} == {turn.api for turn in turns}
    if vendor in THINKING:
        assert [0, 1, 2] == [turn.thoughts for turn in turns]
    assert 0 < turns[1].cached_tokens < turns[2].cached_tokens


@STREAMS
async def test_gemini_holds_a_conversation(tmp_path, stream):
    """The same over generateContent, signatures included."""
    async with Emulator(script=Script(tool_rounds=2, parallel_calls=2)) as upstream:
        channel = {"type": "gemini", "base_url": f"{upstream.url}/v1beta"}
        async with staged_before(tmp_path, {"a": upstream}, channel=channel) as stage:
            sent = await conversation(stage, "gemini-3-flash", stream=stream)
    turns = upstream.turns
    assert [] == upstream.violations
    assert [digest(numbered(merged(items))) for items in sent] == [turn.digest for turn in turns]
    assert {"generate_content"} == {turn.api for turn in turns}
    assert [0, 1, 2] == [turn.thoughts for turn in turns]
