"""Clients of every API before upstreams of Chat Completions, as strict as their vendors."""

import json
import ssl
from collections.abc import Sequence
from typing import Any

import anthropic
import pytest
from openai import APIStatusError, AsyncOpenAI

from longwire.emulator import Call, Emulator, Fault, Options, Script
from tests.conftest import KEY, Gateway
from tests.journeys.agent import Item, user
from tests.journeys.codex import Codex, answer_of
from tests.journeys.conftest import settings_of

VENDORS = ("deepseek", "kimi", "mistral", "vllm", "vllm_unparsed", "openrouter", "xai", "gemini")
PROFILES = {"vllm_unparsed": "vllm", "gemini": "gemini-openai"}
MODELS = {"gemini": "gemini-3-flash"}
PATCH = "*** Begin Patch\n*** End Patch"
SCHEMA = {"type": "object", "properties": {"path": {"type": "string"}}}
TOOLS: list[Any] = [
    {"type": "function", "name": "read", "parameters": SCHEMA},
    {"type": "custom", "name": "patch"},
    {"type": "namespace", "name": "git", "tools": [{"type": "function", "name": "log"}]},
]


@pytest.fixture
def options(vendor: str) -> Options:
    """What the upstream is."""
    return Options(chat_vendor=vendor)


@pytest.fixture
def vendor() -> str:
    """Whose API is spoken, where a story needs none of its own."""
    return "deepseek"


@pytest.fixture
async def gateway(emulator: Emulator, serve, tables, vendor):
    """A gateway with one channel to that vendor."""
    channel = {
        "name": vendor,
        "api_key": "sk-x",
        "base_url": f"{emulator.url}/v1",
        "apis": ["chat_completions"],
        "profile": PROFILES.get(vendor, vendor),
    }
    return await serve(settings_of(emulator.url, channels=(channel,), **tables))


class Agent:
    """Resends its whole history, with the items of each answer as they came."""

    def __init__(self, client: AsyncOpenAI, model: str) -> None:
        self._client = client
        self.members: dict[str, Any] = {"model": model, "tools": TOOLS, "store": False}
        self.history: list[Item] = []
        self.headers: Any = {}
        self.output: Sequence[Item] = ()

    async def step(self) -> None:
        """Answer the calls of the last turn, or ask."""
        self.history += self.following()
        request = {**self.members, "input": self.history}
        raw = await self._client.responses.with_raw_response.create(**request, stream=True)
        events = [event async for event in raw.parse()]
        assert list(range(len(events))) == [event.sequence_number for event in events]
        self.headers, response = raw.headers, events[-1].response.to_dict()
        done = [event.item.to_dict() for event in events if event.type.endswith("item.done")]
        self.output = response["output"]
        assert sorted(map(json.dumps, self.output)) == sorted(map(json.dumps, done))
        self.history += self.output

    def following(self) -> list[Item]:
        """What this agent says next."""
        outputs = [
            {"type": f"{call['type']}_output", "call_id": call["call_id"], "output": f"ok {at}"}
            for at, call in enumerate(self.output)
            if call["type"].endswith("_call")
        ]
        return outputs or [user(f"question {len(self.history)}")]


@pytest.fixture
def agent(client_of, gateway, vendor) -> Agent:
    """An agent with an empty history."""
    return Agent(client_of(gateway), MODELS.get(vendor, "m"))


@pytest.mark.parametrize("vendor", VENDORS)
async def test_an_agents_loop(agent, emulator):
    """Parallel tools and thoughts at every vendor: each turn is taken, and ends well."""
    emulator.script = Script(tool_rounds=2, parallel_calls=2)
    kinds = set()
    for _ in range(7):
        await agent.step()
        kinds |= {item["type"] for item in agent.output}
        assert ("chat_completions", "fresh", "translated") == (
            agent.headers["x-longwire-api"],
            agent.headers["x-longwire-continuity"],
            agent.headers["x-longwire-reason"],
        )
        assert "x-longwire-dropped" not in agent.headers
    assert {"message", "function_call"} <= kinds


@pytest.mark.parametrize("vendor", ["deepseek", "kimi", "openrouter", "gemini"])
async def test_thoughts_come_back(agent, emulator):
    """Each turn of the model that calls tools brings its own, as its vendor wants it."""
    for _ in range(3):
        await agent.step()
    calls = [turn.thoughts for turn in emulator.turns]
    assert calls[0] == 0
    assert calls[-1] > 0


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


@pytest.mark.parametrize("streams", [True, False], ids=["streamed", "whole"])
async def test_a_client_of_messages(gateway: Gateway, emulator, streams):
    """Messages in, Chat Completions out: thinking goes back with the calls."""
    tools: Any = [{"name": "read", "input_schema": SCHEMA}]
    messages: list[Any] = [{"role": "user", "content": "go"}]
    http = anthropic.DefaultAsyncHttpxClient(
        trust_env=False, verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    )
    async with anthropic.AsyncAnthropic(
        auth_token=KEY, base_url=gateway.url, max_retries=0, http_client=http
    ) as client:
        for _ in range(3):
            request: Any = {"model": "m", "max_tokens": 64_000, "messages": messages}
            request |= {"tools": tools, "thinking": {"type": "adaptive"}}
            async with client.messages.stream(**request) as stream:
                answer = await stream.get_final_message()
            if not streams:
                answer = await client.messages.create(**request, timeout=10)
            messages.append({"role": "assistant", "content": answer.to_dict()["content"]})
            results = [
                {"type": "tool_result", "tool_use_id": block.id, "content": "ok"}
                for block in answer.content
                if block.type == "tool_use"
            ]
            if not results:
                break
            messages.append({"role": "user", "content": results})
    assert "end_turn" == answer.stop_reason
    assert emulator.turns[-1].thoughts


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (Script(tool_rounds=0, finish="incomplete"), "max_output_tokens"),
        (Script(tool_rounds=0, finish_reason="content_filter"), "content_filter"),
    ],
    ids=["length", "filter"],
)
async def test_answers_that_are_cut(client_of, gateway, emulator, script, reason):
    """They are incomplete, and say why."""
    emulator.script = script
    response = await client_of(gateway).responses.create(model="m", input="go")
    assert ("incomplete", reason) == (response.status, response.incomplete_details.reason)


async def test_an_overload_keeps_its_code(client_of, gateway, emulator):
    """An error before the answer is the upstream's own."""
    fault = Fault(at="before_create", act="error", code="slow_down", status=503, times=0)
    emulator.faults.add(fault)
    with pytest.raises(APIStatusError) as failed:
        await client_of(gateway).responses.create(model="m", input="go")
    assert (503, "slow_down") == (failed.value.status_code, failed.value.code)


async def test_what_cannot_be_said_is_refused_by_name(client_of, gateway, emulator):
    """The client learns what to leave out, and that its operator may drop it."""
    tool: Any = {"type": "file_search", "vector_store_ids": ["vs_1"]}
    with pytest.raises(APIStatusError, match="file_search") as failed:
        await client_of(gateway).responses.create(
            model="m", input="go", tools=[tool], tool_choice={"type": "file_search"}
        )
    assert 400 == failed.value.status_code
    assert not emulator.turns


async def test_codex_works_with_deepseek(binary, gateway, emulator, tmp_path):
    """The real Codex CLI runs its tools with another's model; the search of the web is left out."""
    emulator.script = Script(tool_rounds=3, tool="exec_command", arguments='{"cmd":"echo hi"}')
    codex = Codex(binary, tmp_path, gateway.url, websockets=False)
    ran = await codex.run("say hi")
    assert (ran.code, ran.answer) == (0, answer_of(emulator)), ran.said
    assert 4 == len(emulator.turns)
    assert emulator.turns[-1].thoughts
