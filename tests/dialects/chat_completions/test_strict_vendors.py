"""Sessions with the emulator, as strict as each vendor: what a profile says is what it takes."""

import asyncio
import json
from contextlib import asynccontextmanager

import aiohttp
import pytest

from longwire.core.events import Event, Kind
from longwire.dialects.ports import Fallback, UpstreamCall
from longwire.dialects.profiles.known import profile_of
from longwire.dialects.profiles.profile import Profile
from longwire.emulator import Emulator, Options, Script
from tests.dialects.chat_completions.upstreams import Item, call_of, check, response_in

PROFILES = {
    **{name: name for name in ("openai", "azure", "deepseek", "kimi", "glm", "qwen", "mistral")},
    **{name: name for name in ("groq", "xai", "vllm", "ollama", "openrouter")},
    "vllm_unparsed": "vllm",
    "gemini": "gemini-openai",
    "anthropic": "generic",
}
"""The profile of each vendor that the emulator speaks as."""

MODELS = {"gemini": "gemini-3-flash", "openai": "gpt-5.2", "azure": "gpt-5.2"}
QUESTION: Item = {"role": "user", "content": [{"type": "input_text", "text": "Read a.txt"}]}
SCHEMA = {"type": "object", "properties": {"path": {"type": "string"}}}
TOOLS: list[Item] = [
    {"type": "function", "name": "read", "parameters": SCHEMA, "strict": True},
    {"type": "custom", "name": "patch", "format": {"type": "text"}},
]


@pytest.fixture(autouse=True, scope="module")
def _no_stray_loop():
    """Keep looptime from making an event loop around plain functions that nobody closes."""
    asyncio.set_event_loop(None)


@asynccontextmanager
async def emulated(vendor: str, **script: object):
    """A function that asks an emulator, and returns the events of its answer."""
    options = Options(chat_vendor=vendor)
    async with Emulator(options, Script(**script)) as emulator, aiohttp.ClientSession() as session:

        async def ask(call: UpstreamCall) -> list[Event]:
            headers = {"authorization": "Bearer sk-one", "content-type": "application/json"}
            url = f"{emulator.url}/v1/chat/completions"
            reading = call.reading(Fallback("fallback", 0))
            async with session.post(url, data=call.body, headers=headers) as answer:
                assert 200 == answer.status, await answer.text()
                events: list[Event] = []
                async for chunk in answer.content.iter_any():
                    events += reading.feed(chunk)
                return events + reading.end()

        yield ask


def results_of(output: list[Item]) -> list[Item]:
    """What a client returns for the calls of an answer."""
    return [
        {"type": f"{each['type']}_output", "call_id": each["call_id"], "output": "done"}
        for each in output
        if each["type"].endswith("_call")
    ]


def request(vendor: str, *items: Item, **members: object) -> UpstreamCall:
    own = {"model": MODELS.get(vendor, "m"), "tools": TOOLS, "max_output_tokens": 999}
    profile = profile_of(PROFILES[vendor], "")
    return call_of(*items, profile=profile, may_drop=True, **{**own, **members})


@pytest.mark.parametrize("vendor", PROFILES)
async def test_a_session_with_tools_is_taken_at_every_turn(vendor):
    """Instructions, two rounds of parallel calls, an image, thoughts that go back, a schema."""
    image = {"type": "input_image", "image_url": "data:image/png;base64,AA", "detail": "auto"}
    system = [{"role": each, "content": "Be brief."} for each in ("system", "developer")]
    script = {"tool_rounds": 2, "parallel_calls": 2}
    async with emulated(vendor, **script) as ask:
        items = [*system, QUESTION]
        for _ in range(2):
            events = await ask(request(vendor, *items, instructions="i", reasoning=HARD))
            check(events)
            output = response_in(events)["output"]
            results = results_of(output)
            assert 2 == len(results)
            items += [*output, *results]
        output = response_in(await ask(request(vendor, *items, instructions="i")))["output"]
        assert [] == results_of(output)
        items += [*output, {"role": "developer", "content": "Now a number."}, QUESTION]
        parts = [*QUESTION["content"], *([] if vendor == "deepseek" else [image])]
        schema = {"format": {"type": "json_schema", "name": "n", "schema": SCHEMA, "strict": True}}
        items += [{"role": "user", "content": parts}]
        check(await ask(request(vendor, *items, instructions="i", text=schema, tools=[])))


HARD: Item = {"effort": "high"}


@pytest.mark.parametrize("vendor", PROFILES)
@pytest.mark.parametrize("effort", ["none", "minimal", "low", "medium", "high", "xhigh", "max"])
async def test_each_effort_is_taken(vendor, effort):
    """As the vendor says it."""
    async with emulated(vendor, tool_rounds=0) as ask:
        events = await ask(request(vendor, QUESTION, reasoning={"effort": effort}))
        assert Kind.COMPLETED is events[-1].kind


@pytest.mark.parametrize("vendor", PROFILES)
@pytest.mark.parametrize(
    "choice",
    ["none", "required", {"type": "function", "name": "read"}, {"type": "custom", "name": "patch"}],
)
async def test_each_choice_is_taken(vendor, choice):
    """Or left out, where the operator wants that."""
    async with emulated(vendor) as ask:
        events = await ask(request(vendor, QUESTION, tool_choice=choice))
        assert Kind.COMPLETED is events[-1].kind


@pytest.mark.parametrize("vendor", PROFILES)
async def test_reasoning_of_another_vendor_is_no_trouble(vendor):
    """A conversation goes on at any vendor, whoever began it: ids, thoughts and all."""
    async with emulated("kimi", tool_rounds=1) as ask:
        begun = response_in(await ask(request("kimi", QUESTION)))["output"]
    items = [QUESTION, *begun, *results_of(begun)]
    if PROFILES[vendor] == "gemini-openai":
        items = [QUESTION]  # it wants signatures that no other vendor has
    async with emulated(vendor, tool_rounds=0) as ask:
        check(await ask(request(vendor, *items, QUESTION)))


async def test_what_a_profile_would_not_say_is_refused():
    """The emulator is strict indeed: as a vendor without a profile, Mistral and others refuse."""
    call = {"type": "function_call", "call_id": "call_1", "name": "read", "arguments": "{}"}
    items = [QUESTION, call, *results_of([call])]
    refused = []
    for vendor in PROFILES:
        async with emulated(vendor, tool_rounds=0) as ask:
            try:
                await ask(
                    call_of(
                        *items,
                        {"role": "developer", "content": "x"},
                        QUESTION,
                        profile=Profile("none", takes_developer=True),
                        model=MODELS.get(vendor, "m"),
                        reasoning={"effort": "xhigh"},
                        text={"format": {"type": "json_schema", "name": "n", "schema": SCHEMA}},
                    )
                )
            except AssertionError as error:
                refused.append((vendor, json.loads(str(error).splitlines()[0]) is not None))
    assert {"deepseek", "mistral", "vllm", "kimi"} <= {vendor for vendor, _ in refused}
