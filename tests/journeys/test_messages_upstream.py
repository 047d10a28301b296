"""Clients of every API before an upstream that speaks Anthropic's Messages, and strictly."""

import json
import time
from collections.abc import Sequence
from typing import Any

import pytest
from openai import APIStatusError, AsyncOpenAI

from longwire.emulator import Call, Emulator, Fault, Options, Script, digest, said
from tests.conftest import Gateway
from tests.journeys.agent import Item, user
from tests.journeys.codex import Codex, answer_of
from tests.journeys.conftest import settings_of

MODELS = ("claude-sonnet-5-5", "claude-sonnet-4-5")
PATCH = "*** Begin Patch\n*** End Patch"
TOOLS: list[Any] = [
    {
        "type": "function",
        "name": "read",
        "parameters": {
            "type": "object",
            "properties": {"path": {"type": "string"}, "lines": {"type": "integer"}},
        },
    },
    {"type": "custom", "name": "patch"},
    {"type": "namespace", "name": "git", "tools": [{"type": "function", "name": "log"}]},
]


def channel(emulator: Emulator, **changes: Any) -> dict[str, Any]:
    """A channel to Anthropic, as an operator declares it."""
    declared = {"name": "claude", "type": "anthropic", "api_key": "sk-ant-api03-x"}
    return {**declared, "base_url": f"{emulator.url}/v1", **changes}


@pytest.fixture
def changes() -> dict[str, Any]:
    """What the channel has beside its address."""
    return {}


@pytest.fixture
async def gateway(emulator, serve, tables, changes):
    """A gateway with one channel to Anthropic."""
    return await serve(
        settings_of(emulator.url, channels=(channel(emulator, **changes),), **tables)
    )


def full_name(item: Item) -> Item:
    """An item with the name of its namespace before its own, as Anthropic's model knows it."""
    if "namespace" not in item:
        return item
    kept = {name: value for name, value in item.items() if name != "namespace"}
    return {**kept, "name": f"{item['namespace']}__{item['name']}"}


class Agent:
    """Resends its whole history, with the items of each answer as they came."""

    def __init__(self, client: AsyncOpenAI, emulator: Emulator, **members: Any) -> None:
        self._client, self._emulator = client, emulator
        self.members = {"model": MODELS[0], "tools": TOOLS, "store": False, **members}
        self.history: list[Item] = []
        self.headers: Any = {}
        self.output: Sequence[Item] = ()
        self.cached = self.written = 0

    async def step(self, **members: Any) -> None:
        """Answer the calls of the last turn, or ask; the model is shown what was sent."""
        self.history += self.following()
        request = {**self.members, **members, "input": self.history}
        raw = await self._client.responses.with_raw_response.create(**request, stream=True)
        events = [event async for event in raw.parse()]
        assert list(range(len(events))) == [event.sequence_number for event in events]
        self.headers = raw.headers
        response = events[-1].response.to_dict()
        items = [event.item.to_dict() for event in events if event.type.endswith("item.done")]
        assert response["output"] == items
        turn = self._emulator.turns[-1]
        assert digest(said(list(map(full_name, self.history)))) == turn.digest
        details = response["usage"]["input_tokens_details"]
        self.cached, self.written = details["cached_tokens"], details["cache_write_tokens"]
        self.output = response["output"]
        self.history += self.output

    def following(self) -> list[Item]:
        """What this agent says next."""
        calls = [item for item in self.output if item["type"].endswith("_call")]
        outputs = [
            {"type": f"{call['type']}_output", "call_id": call["call_id"], "output": f"ok {number}"}
            for number, call in enumerate(calls)
        ]
        return outputs or [user(f"question {len(self.history)}")]


@pytest.fixture
def agent(client_of, gateway, emulator) -> Agent:
    """An agent with an empty history."""
    return Agent(client_of(gateway), emulator)


@pytest.mark.parametrize("model", MODELS)
async def test_an_agents_loop(agent, model):
    """Nine turns with parallel tools and thoughts: the model sees each history as it was sent."""
    agent.members |= {"model": model, "reasoning": {"effort": "high", "summary": "auto"}}
    kinds = set()
    for number in range(9):
        await agent.step()
        kinds |= {item["type"] for item in agent.output}
        assert ("messages", "fresh", "translated") == (
            agent.headers["x-longwire-api"],
            agent.headers["x-longwire-continuity"],
            agent.headers["x-longwire-reason"],
        )
        assert bool(number) == bool(agent.cached)
    assert {"reasoning", "message", "function_call"} <= kinds


async def test_every_turn_reads_the_one_before_from_the_cache(agent, emulator):
    """However much a turn adds, all that the one before sent is read from Anthropic's cache."""
    emulator.script = Script(tool_rounds=30, parallel_calls=12)
    before = 0
    for _ in range(8):
        await agent.step()
        assert before == agent.cached
        before = agent.cached + agent.written


async def test_custom_tools_and_namespaces_come_back_as_they_were_offered(agent, emulator):
    """A patch is a custom tool's text again, and a function of a namespace has its own name."""
    patch = Call(tool="patch", arguments=json.dumps({"input": PATCH}))
    emulator.script = Script(tool_rounds=2, calls=(patch, Call(tool="git__log", arguments="{}")))
    await agent.step()
    call = next(item for item in agent.output if item["type"] == "custom_tool_call")
    assert ("patch", PATCH) == (call["name"], call["input"])
    await agent.step()
    call = next(item for item in agent.output if item["type"] == "function_call")
    assert ("log", "git") == (call["name"], call["namespace"])
    await agent.step()


async def test_a_search_of_the_web(client_of, gateway, emulator):
    """It runs at Anthropic; the client sees the search, its pages and what the text cites."""
    emulator.script = Script(tool_rounds=0, searches=True, reasoning=False)
    client = client_of(gateway)
    response = await client.responses.create(
        model=MODELS[0], input="news?", tools=[{"type": "web_search"}]
    )
    search, message = response.output
    assert ("web_search_call", "completed") == (search.type, search.status)
    assert search.action.sources[0].url == message.content[0].annotations[0].url


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (Script(tool_rounds=0, finish="incomplete"), "max_output_tokens"),
        (Script(tool_rounds=0, finish_reason="pause_turn"), "max_output_tokens"),
        (Script(tool_rounds=0, refusal="No."), "content_filter"),
    ],
    ids=["length", "pause", "refusal"],
)
async def test_answers_that_are_cut(client_of, gateway, emulator, script, reason):
    """They are incomplete, and say why."""
    emulator.script = script
    response = await client_of(gateway).responses.create(model=MODELS[0], input="go")
    assert ("incomplete", reason) == (response.status, response.incomplete_details.reason)


@pytest.mark.parametrize(
    "options",
    [
        Options(message_start="duplicate", message_pings=True),
        Options(message_start="whole"),
        Options(message_usage="at_end"),
    ],
    ids=["duplicate", "whole", "usage at the end"],
)
async def test_streams_that_are_odd(agent):
    """An agent works on, with the right usage."""
    for _ in range(4):
        await agent.step()


@pytest.mark.parametrize("options", [Options(message_start="spliced")], ids=["spliced"])
async def test_a_stream_that_begins_anew(client_of, gateway, emulator):
    """The answer is the second one, alone."""
    emulator.script = Script(tool_rounds=0, reasoning=False, text="Hello")
    client = client_of(gateway)
    response = await client.responses.create(model=MODELS[0], input="go")
    assert "Hello" == response.output_text
    async with client.responses.stream(model=MODELS[0], input="go") as stream:
        assert "Hello" == (await stream.get_final_response()).output_text
    question = [{"role": "user", "content": "go"}]
    answer = await client.chat.completions.create(model=MODELS[0], messages=question)
    assert "Hello" == answer.choices[0].message.content


async def test_an_overload_keeps_its_code(client_of, gateway, emulator):
    """529 before anything, as long as it lasts."""
    fault = Fault(at="before_create", act="error", code="overloaded_error", status=529, times=0)
    emulator.faults.add(fault)
    with pytest.raises(APIStatusError) as failed:
        await client_of(gateway).responses.create(model=MODELS[0], input="go")
    assert "overloaded_error" == failed.value.code


async def test_what_cannot_be_said_is_refused_by_name(client_of, gateway, emulator):
    """The client learns what to leave out, and that its operator may drop it."""
    tool: Any = {"type": "file_search", "vector_store_ids": ["vs_1"]}
    with pytest.raises(APIStatusError, match="file_search") as failed:
        await client_of(gateway).responses.create(
            model=MODELS[0], input="go", tools=[tool], tool_choice={"type": "file_search"}
        )
    assert 400 == failed.value.status_code
    assert not emulator.turns


async def test_an_answer_has_the_time_when_it_came(client_of, gateway, emulator):
    """Anthropic names none; clients show it, and sort by it."""
    response = await client_of(gateway).responses.create(model=MODELS[0], input="go")
    assert 0 <= time.time() - response.created_at < 60


async def test_a_count_of_tokens(client_of, gateway, emulator):
    """It is Anthropic's own count of the request as it would be said there."""
    counted = await client_of(gateway).responses.input_tokens.count(
        model=MODELS[0], input="go", tools=TOOLS
    )
    assert ("response.input_tokens", True) == (counted.object, counted.input_tokens > 0)


async def test_a_chat_client(client_of, gateway: Gateway, emulator):
    """Chat Completions in, Messages out: two rounds of tools over the hub."""
    client = client_of(gateway)
    tools: Any = [
        {"type": "function", "function": {"name": "read", "parameters": {"type": "object"}}}
    ]
    messages: list[Any] = [{"role": "user", "content": "go"}]
    for _ in range(3):
        answer = await client.chat.completions.create(
            model=MODELS[0], messages=messages, tools=tools, reasoning_effort="high"
        )
        message = answer.choices[0].message
        messages.append(message.model_dump(exclude_none=True))
        messages += [
            {"role": "tool", "tool_call_id": call.id, "content": "ok"}
            for call in message.tool_calls or ()
        ]
    assert "stop" == answer.choices[0].finish_reason
    assert ["messages"] * 3 == [turn.api for turn in emulator.turns]


async def test_codex_works_before_claude(binary, gateway, emulator, tmp_path):
    """The real Codex CLI, which speaks Responses alone, runs its tools with a model of Claude."""
    emulator.script = Script(tool_rounds=3, tool="exec_command", arguments='{"cmd":"echo hi"}')
    codex = Codex(binary, tmp_path, gateway.url, websockets=False)
    codex.set('model = "gpt-5.5"', f'model = "{MODELS[0]}"')
    ran = await codex.run("say hi")
    assert (ran.code, ran.answer) == (0, answer_of(emulator)), ran.said
    assert 4 == len(emulator.turns)
