"""Clients of other APIs before an upstream that speaks Gemini's: every turn is right there."""

import json
import ssl

import aiohttp
import anthropic
import pytest
from openai import APIStatusError

from longwire.emulator import Fault, Options, Script, digest, merged, numbered
from tests.conftest import KEY
from tests.doubles.canned import answer, canned
from tests.journeys.conftest import settings_of

MODEL = "gemini-3-pro-preview"
QUESTION = {"role": "user", "content": "What is there?"}
READ = {
    "type": "function",
    "name": "read",
    "parameters": {"type": "object", "properties": {"path": {"type": "string"}}},
    "strict": False,
}
PATCH = {"type": "custom", "name": "apply_patch", "description": "Edits files."}
LIMITED = Fault(at="before_create", act="error", status=429, headers={"retry-after": "34"}, times=0)
ROUNDS = 3


def channel_of(emulator, **changes):
    """A channel to Gemini, as an operator declares it."""
    declared = {"name": "google", "type": "gemini", "api_key": "sk-upstream"}
    return {**declared, "base_url": f"{emulator.url}/v1beta", **changes}


@pytest.fixture
def changes():
    """What the channel has beside its address."""
    return {}


@pytest.fixture
async def gateway(emulator, serve, tables, changes):
    """A gateway with one channel to Gemini."""
    channel = channel_of(emulator, **changes)
    return await serve(settings_of(emulator.url, channels=(channel,), **tables))


@pytest.fixture
def client(client_of, gateway):
    """The official client of the Responses API."""
    return client_of(gateway)


class Agent:
    """Resends all that there was, as clients of the Responses API do."""

    def __init__(self, client, *, streams=True, **members) -> None:
        self._client = client
        self._streams = streams
        self.members = {"model": MODEL, "tools": [READ], "instructions": "Be brief.", **members}
        self.items = [QUESTION]

    async def turn(self):
        """Send all, and keep the answer with what its calls returned."""
        sent = {**self.members, "input": self.items, "store": False}
        responses = self._client.responses
        if self._streams:
            async with responses.stream(**sent) as stream:
                response = await stream.get_final_response()
        else:
            response = await responses.create(**sent)
        self.items = [*self.items, *(each.to_dict() for each in response.output)]
        self.items += [
            {
                "type": f"{each.type}_output",
                "call_id": each.call_id,
                "output": f"{each.name} said ✓",
            }
            for each in response.output
            if each.type in ("function_call", "custom_tool_call")
        ]
        return response

    @property
    def digest(self) -> str:
        """The digest of what is meant, as Gemini's API can say it."""
        system = {"role": "developer", "content": self.members["instructions"]}
        return digest(numbered(merged([system, *self.items])))


@pytest.mark.parametrize("streams", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize("options", [Options(gemini_ids=True), Options(gemini_ids=False)])
async def test_an_agent_is_right_at_every_turn(emulator, client, *, streams):
    """Rounds of parallel calls with signatures, with ids and without: all is as it was meant."""
    emulator.script = Script(tool_rounds=ROUNDS, parallel_calls=2)
    agent = Agent(client, streams=streams, reasoning={"summary": "auto"})
    for _ in range(ROUNDS + 1):
        meant = agent.digest
        response = await agent.turn()
        assert meant == emulator.turns[-1].digest
        assert response.model == MODEL
        assert response.usage.output_tokens_details.reasoning_tokens > 0
    assert f"context sha256:{meant}" in response.output_text
    assert {"reasoning", "message"} == {each.type for each in response.output}


async def test_custom_tools_work_as_they_do_elsewhere(emulator, client):
    """A tool that takes a text is called with one, and what it says is a response to its call."""
    emulator.script = Script(tool="apply_patch", arguments='{"input":"*** Begin"}')
    agent = Agent(client, tools=[PATCH])
    called = await agent.turn()
    [call] = [each for each in called.output if each.type == "custom_tool_call"]
    assert (call.name, call.input) == ("apply_patch", "*** Begin")
    answered = await agent.turn()
    assert answered.output_text.startswith("context sha256:")


async def test_calls_of_another_model_are_taken(emulator, client):
    """A conversation that another vendor began goes on: nothing it has sealed is sent."""
    agent = Agent(client)
    call = {"type": "function_call", "call_id": "c1", "name": "read", "arguments": "{}"}
    foreign = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAA"}
    output = {"type": "function_call_output", "call_id": "c1", "output": "x"}
    agent.items += [foreign, call, output]
    meant = agent.digest
    await agent.turn()
    assert meant == emulator.turns[-1].digest


@pytest.mark.parametrize("streams", [True, False], ids=["streamed", "whole"])
async def test_claude_code_s_api_reaches_gemini(emulator, gateway, *, streams):
    """A client of Messages keeps signatures in its thinking blocks, and every turn is right."""
    emulator.script = Script(tool_rounds=ROUNDS, parallel_calls=2)
    bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    http = anthropic.DefaultAsyncHttpxClient(trust_env=False, verify=bare)
    messages = [QUESTION]
    sent = {
        "model": MODEL,
        "max_tokens": 4096,
        "thinking": {"type": "adaptive", "display": "summarized"},
        "tools": [{"name": "read", "input_schema": READ["parameters"]}],
    }
    async with anthropic.AsyncAnthropic(
        base_url=gateway.url, auth_token=KEY, max_retries=0, http_client=http
    ) as client:
        for _ in range(ROUNDS + 1):
            if streams:
                async with client.messages.stream(**sent, messages=messages) as stream:
                    answer = await stream.get_final_message()
            else:
                answer = await client.messages.create(**sent, messages=messages)
            messages.append(answer.to_param())
            calls = [block for block in answer.content if block.type == "tool_use"]
            results = [
                {"type": "tool_result", "tool_use_id": each.id, "content": "✓"} for each in calls
            ]
            if results:
                messages.append({"role": "user", "content": results})
    assert answer.stop_reason == "end_turn"
    [said] = [block.text for block in answer.content if block.type == "text"]
    assert f"context sha256:{emulator.turns[-1].digest}" in said


@pytest.mark.parametrize("streams", [True, False], ids=["streamed", "whole"])
async def test_chat_reaches_gemini(emulator, client, *, streams):
    """A client of Chat Completions that drops all reasoning is served with dummies."""
    emulator.script = Script(tool_rounds=ROUNDS, parallel_calls=2)
    function = {name: READ[name] for name in ("name", "parameters")}
    sent = {"model": MODEL, "tools": [{"type": "function", "function": function}]}
    messages = [QUESTION]
    for _ in range(ROUNDS + 1):
        if streams:
            async with client.chat.completions.stream(**sent, messages=messages) as stream:
                message = (await stream.get_final_completion()).choices[0].message
        else:
            completion = await client.chat.completions.create(**sent, messages=messages)
            message = completion.choices[0].message
        calls = [each.to_dict() for each in message.tool_calls or ()]
        said = {"role": "assistant", "content": message.content}
        messages.append({**said, "tool_calls": calls} if calls else said)
        messages += [{"role": "tool", "tool_call_id": each["id"], "content": "✓"} for each in calls]
    assert f"context sha256:{emulator.turns[-1].digest}" in message.content


async def test_tokens_are_counted_by_gemini(emulator, client):
    """What the upstream counts is what its own turn costs."""
    counted = await client.responses.input_tokens.count(model=MODEL, input="What is there?")
    response = await client.responses.create(model=MODEL, input="What is there?", store=False)
    assert counted.input_tokens == response.usage.input_tokens


async def test_an_answer_that_was_filtered_says_so(emulator, client):
    """A blocked prompt and a reason for safety are the same to the client."""
    for script in (Script(block_reason="SAFETY"), Script(finish_reason="PROHIBITED_CONTENT")):
        emulator.script = script
        response = await client.responses.create(model=MODEL, input="?", store=False)
        assert response.status == "incomplete"
        assert response.incomplete_details.reason == "content_filter"


async def test_an_answer_that_was_cut_says_so(emulator, client):
    """The most tokens that it may have are the reason."""
    emulator.script = Script(finish="incomplete")
    response = await client.responses.create(model=MODEL, input="?", store=False)
    assert response.incomplete_details.reason == "max_output_tokens"


async def test_a_call_that_went_wrong_is_asked_for_again(emulator, client):
    """Nothing was shown, so the same turn is sent once more, and not for ever."""
    emulator.script = Script(finish_reason="MALFORMED_FUNCTION_CALL", output=False)
    with pytest.raises(APIStatusError, match="MALFORMED_FUNCTION_CALL"):
        await client.responses.create(model=MODEL, input="?", store=False)
    assert len(emulator.turns) == 2


async def test_a_limit_says_when_to_try_again(emulator, client):
    """Google says it in the body alone, and the client gets it as the header it reads."""
    emulator.faults.add(LIMITED)
    with pytest.raises(APIStatusError) as refused:
        await client.responses.create(model=MODEL, input="?", store=False)
    assert (429, "34") == (refused.value.status_code, refused.value.response.headers["retry-after"])


async def test_the_way_is_shown(client):
    """Headers say in which API the upstream was asked, why, and what was left out."""
    raw = await client.responses.with_raw_response.create(
        model=MODEL, input="?", store=False, text={"verbosity": "low"}
    )
    said = {name: raw.headers.get(f"x-longwire-{name}") for name in ("api", "reason", "dropped")}
    assert said == {"api": "generate_content", "reason": "translated", "dropped": "text.verbosity"}


async def test_gemini_s_models_are_listed(client):
    """The list of the gateway has the names that Gemini's resources have."""
    assert MODEL in [model.id async for model in await client.models.list()]


@pytest.mark.parametrize("changes", [{"renames": {"gpt-5.5": MODEL}}])
async def test_codex_works_with_gemini(codex, emulator, overheard):
    """Tool rounds of the real Codex CLI: right at every turn, and Codex notices nothing."""
    emulator.script = Script(tool_rounds=2, tool="exec_command", arguments='{"cmd":"echo hi"}')
    ran = await codex.run("say hi")
    assert ran.code == 0, ran.said
    assert "Reconnecting" not in ran.said
    meant = {digest(numbered(merged(items))) for items in overheard.inputs()}
    shown = [turn.digest for turn in emulator.turns if turn.status == "completed"]
    assert meant.issuperset(shown)
    assert (3, f"context sha256:{shown[-1]}") == (len(shown), ran.answer)


@pytest.mark.parametrize("changes", [{"renames": {"gpt-5.5": MODEL}}])
async def test_codex_edits_files_with_gemini(codex, emulator):
    """Its freeform tool is called with a patch, which it applies."""
    patch = "*** Begin Patch\n*** Add File: a.txt\n+hi\n*** End Patch\n"
    emulator.script = Script(tool="apply_patch", arguments=json.dumps({"input": patch}))
    ran = await codex.run("write a file")
    assert ran.code == 0, ran.said
    assert (codex.work / "a.txt").read_text() == "hi\n"


@pytest.mark.parametrize(
    ("path", "member", "value"),
    [
        ("/v1/chat/completions", "n", 2),
        ("/v1/messages", "mcp_servers", [{"url": "https://x"}]),
    ],
    ids=["n", "servers"],
)
async def test_a_refusal_names_what_the_channels_speak_and_the_mend(gateway, path, member, value):
    """Nothing is said of an API that no channel offers."""
    body = {"model": MODEL, "max_tokens": 99, "messages": [QUESTION], member: value}
    headers = {"authorization": f"Bearer {KEY}"}
    async with aiohttp.ClientSession() as client:
        response = await client.post(gateway.url + path, json=body, headers=headers)
        said = (await response.json())["error"]["message"]
    assert (400, False) == (response.status, "Responses" in said)
    assert said.startswith(f"'{member}' has no equivalent in other APIs. ")
    assert "speak generate_content alone; leave it out" in said
    assert said.endswith('set a channel\'s unsupported = "drop".')


@pytest.mark.parametrize(
    "members",
    [
        {"prompt": {"id": "pmpt_1"}},
        {"background": True},
        {"generate": False},
        {"tools": [{"type": "file_search"}], "tool_choice": {"type": "file_search"}},
    ],
    ids=lambda members: next(iter(members)),
)
async def test_what_gemini_cannot_be_told_goes_to_the_next_channel(serve, emulator, members):
    """It is no fault of the request where another channel of the model can serve it."""
    google = channel_of(emulator, weight=100_000)
    async with canned(answer()) as upstream:
        other = {"name": "other", "type": "openai", "api_key": "sk-upstream", "transport": "http"}
        other |= {"base_url": f"{upstream.url}/v1", "apis": ["responses"]}
        gateway = await serve(settings_of(emulator.url, channels=(google, other)))
        async with aiohttp.ClientSession() as client:
            response = await client.post(
                f"{gateway.url}/v1/responses",
                json={"model": MODEL, "input": "hi", "stream": True, **members},
                headers={"authorization": f"Bearer {KEY}"},
            )
            assert (200, "other") == (response.status, response.headers["x-longwire-channel"])
    assert 0 == len(emulator.turns)
