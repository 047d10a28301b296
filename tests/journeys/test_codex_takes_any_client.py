"""Any client may use a channel to the Codex backend.

What the public API allows is brought over, or left out where leaving it out changes nothing, or
refused by the gateway in words that tell the mend.
"""

from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
import pytest

from longwire.emulator import Options, digest
from longwire.settings import Settings
from tests.conftest import KEY, serving
from tests.journeys.conftest import SCRIPT

TRANSPORTS = pytest.mark.parametrize("transport", ["http", "websocket"])
STREAMS = pytest.mark.parametrize("stream", [True, False])
USER = {"role": "user", "content": "hi"}
GO_ON = {"role": "user", "content": "go on"}
ANSWER = {"role": "assistant", "content": "hello"}
TOOLS = [{"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}}]
ELSEWHERE = {"type": "reasoning", "id": "rs_made_elsewhere", "summary": []}


@pytest.fixture
def options():
    """An upstream that wants a text as instructions, as for its older models."""
    return Options(needs_instructions=True)


@asynccontextmanager
async def asking(emulator, transport):
    """A gateway with a codex channel; gives a function from a body to a status and an answer."""
    channel = {
        "name": "codex",
        "type": "codex",
        "base_url": f"{emulator.url}/backend-api/codex",
        "api_key": "sk-1",
        "transport": transport,
    }
    settings = Settings(channels=(channel,), api_keys=({"name": "dev", "key": KEY},))
    async with AsyncExitStack() as stack:
        gateway = await stack.enter_async_context(serving(settings))
        client = aiohttp.ClientSession(gateway.url, headers={**gateway.headers, "session-id": "s"})
        session = await stack.enter_async_context(client)

        async def ask(items, **members):
            body = {"model": "m", "input": items, "tools": TOOLS, **members}
            async with session.post("/v1/responses", json=body) as reply:
                if members.get("stream"):
                    return reply.status, await reply.text()
                answer = await reply.json()
                return reply.status, answer | {"way": reply.headers.get("x-longwire-continuity")}

        ask.session = session
        yield ask


@TRANSPORTS
@STREAMS
@pytest.mark.parametrize(
    "members",
    [
        {},
        {"instructions": None},
        {"instructions": ""},
        {"instructions": "Be brief."},
        {"input": [{"role": "developer", "content": "Be brief."}, USER]},
        {"input": "hi"},
    ],
    ids=str,
)
async def test_instructions_are_the_clients_to_give_or_not(emulator, transport, stream, members):
    """Absent, null and an empty text mean the same, and the items stay as they are."""
    items = members.get("input", [USER])
    async with asking(emulator, transport) as ask:
        status, answer = await ask(**{"items": items, "stream": stream, **members})
    assert 200 == status, answer
    assert digest(items) == emulator.turns[-1].digest


@TRANSPORTS
async def test_absent_null_and_empty_instructions_are_one_conversation(emulator, transport):
    """They do not begin it anew."""
    async with asking(emulator, transport) as ask:
        history, ways = [USER], []
        for members in ({}, {"instructions": None}, {"instructions": ""}):
            _, answer = await ask(history, tools=None, **members)
            history += [*answer["output"], GO_ON]
            ways.append(answer["way"])
    assert {"http": ["fresh"] * 3, "websocket": ["fresh", "continued", "continued"]}[
        transport
    ] == ways


LEFT_OUT = {
    "stream_options": {"include_obfuscation": False},
    "max_output_tokens": 1000,
    "max_tool_calls": 3,
    "top_logprobs": 0,
    "temperature": 1.0,
    "top_p": 1.0,
    "truncation": "disabled",
    "metadata": {"a": "b"},
    "user": "u",
    "safety_identifier": "s",
    "service_tier": "auto",
    "prompt_cache_retention": "24h",
    "prompt": None,
    "conversation": None,
    "reasoning": None,
    "text": None,
    "background": None,
    "previous_response_id": None,
}


@TRANSPORTS
@STREAMS
async def test_what_the_backend_refuses_and_nothing_depends_on_is_left_out(
    emulator, transport, stream
):
    """What official clients send by default costs no turn, and null is as good as absent."""
    async with asking(emulator, transport) as ask:
        status, answer = await ask([USER], stream=stream, **LEFT_OUT)
    assert 200 == status, answer


@TRANSPORTS
@STREAMS
@pytest.mark.parametrize(
    ("members", "mend"),
    [
        ({"prompt": {"id": "pmpt_1"}}, "'instructions' and 'input'"),
        ({"conversation": "conv_1"}, "send the items themselves"),
        ({"conversation": {"id": "conv_1"}}, "send the items themselves"),
        ({"top_logprobs": 3}, "leave 'top_logprobs' out"),
        ({"background": True}, "leave 'background' out"),
    ],
    ids=str,
)
async def test_what_it_cannot_do_is_refused_with_the_mend(
    emulator, transport, stream, members, mend
):
    """The gateway says so itself, names the member, and asks nobody."""
    async with asking(emulator, transport) as ask:
        status, answer = await ask([USER], **members)
    assert (400, *members) == (status, answer["error"]["param"])
    assert mend in answer["error"]["message"]
    assert 0 == emulator.counters.creates + emulator.counters.http_requests


def references(output):
    """An output as clients refer to it that believe it is stored."""
    return [{"type": "item_reference", "id": item["id"]} for item in output]


def results(output):
    """The outputs of the calls in an output."""
    calls = [item for item in output if item["type"] == "function_call"]
    return [
        {"type": "function_call_output", "call_id": call["call_id"], "output": "42"}
        for call in calls
    ]


async def test_references_are_refused_over_http(emulator):
    """Nothing is stored: the words tell how to send the items, and nobody is asked."""
    async with asking(emulator, "http") as ask:
        _, answer = await ask([USER])
        output = answer["output"]
        items = [USER, *references(output), *results(output)]
        status, refused = await ask(items)
        whole, _ = await ask([USER, *output, *results(output)])
    assert (400, "input", 200) == (status, refused["error"]["param"], whole)
    assert "send the items themselves" in refused["error"]["message"]
    assert "`store: false`" in refused["error"]["message"]
    assert 2 == emulator.counters.http_requests


async def test_references_are_known_where_a_connection_holds_the_items(emulator):
    """Only what is new is sent; an unknown one is refused, and the connection goes on."""
    async with asking(emulator, "websocket") as ask:
        _, answer = await ask([USER])
        output = answer["output"]
        lost = {"type": "item_reference", "id": "msg_of_another_life"}
        status, refused = await ask([USER, *output, *results(output), lost])
        _, known = await ask([USER, *references(output), *results(output)])
    assert 400 == status
    assert "send the items themselves" in refused["error"]["message"]
    assert "continued" == known["way"]
    assert digest([USER, *output, *results(output)]) == emulator.turns[-1].digest
    assert (2, 1) == (emulator.counters.creates, emulator.counters.sockets_opened)


@TRANSPORTS
async def test_reasoning_that_says_nothing_is_left_out(emulator, transport):
    """The model reads the same without it; with something to read only the id goes."""
    readable = ELSEWHERE | {"id": "rs_2", "content": [{"type": "reasoning_text", "text": "so"}]}
    async with asking(emulator, transport) as ask:
        status, answer = await ask([USER, ELSEWHERE, ANSWER, GO_ON], tools=None)
        assert 200 == status, answer
        assert digest([USER, ANSWER, GO_ON]) == emulator.turns[-1].digest
        status, answer = await ask([USER, readable, ANSWER, GO_ON], tools=None)
    assert 200 == status, answer
    assert digest([USER, readable, ANSWER, GO_ON]) == emulator.turns[-1].digest


async def test_reasoning_that_says_nothing_continues_what_the_connection_holds(emulator):
    """Its id tells which it was there; in what is new it is left out."""
    async with asking(emulator, "websocket") as ask:
        _, answer = await ask([USER], tools=None)
        output = answer["output"]
        bare = [{k: v for k, v in item.items() if k != "encrypted_content"} for item in output]
        assert "reasoning" == bare[0]["type"]
        status, answer = await ask([USER, *bare, GO_ON, ELSEWHERE, ANSWER, GO_ON], tools=None)
    assert (200, "continued") == (status, answer["way"])
    assert digest([USER, *output, GO_ON, ANSWER, GO_ON]) == emulator.turns[-1].digest


def test_the_stage_has_reasoning_to_lose():
    """Else the stories above would show nothing."""
    assert SCRIPT.reasoning


CHAT_TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
MESSAGES_TOOLS = [{"name": "f", "input_schema": {"type": "object"}}]


def chat_next(answer):
    """What a client of Chat Completions sends after an answer: it, and results of its calls."""
    message = answer["choices"][0]["message"]
    yield message
    for call in message.get("tool_calls") or ():
        yield {"role": "tool", "tool_call_id": call["id"], "content": "done"}
    if not message.get("tool_calls"):
        yield GO_ON


def messages_next(answer):
    """What a client of Messages sends after an answer, likewise."""
    calls = [block for block in answer["content"] if block["type"] == "tool_use"]
    results = [{"type": "tool_result", "tool_use_id": call["id"]} for call in calls]
    yield {"role": "assistant", "content": answer["content"]}
    yield {"role": "user", "content": results} if results else GO_ON


APIS = {
    "chat": (
        "/v1/chat/completions",
        chat_next,
        {"tools": CHAT_TOOLS, "max_tokens": 4096, "temperature": 0.5, "user": "ada"},
    ),
    "messages": (
        "/v1/messages",
        messages_next,
        {
            "tools": MESSAGES_TOOLS,
            "max_tokens": 4096,
            "system": "Be brief.",
            "thinking": {"type": "adaptive"},
            "metadata": {"user_id": "ada"},
        },
    ),
}


@pytest.mark.parametrize("api", APIS)
async def test_clients_of_other_apis_go_on_there(emulator, api):
    """What the backend does not take is left out and named; every later turn is continued."""
    path, following, members = APIS[api]
    ways, messages, dropped = [], [USER], set()
    async with asking(emulator, "websocket") as ask:
        for _ in range(5):
            body = {"model": "m", "messages": messages, **members}
            async with ask.session.post(path, json=body) as reply:
                answer = await reply.json()
            assert 200 == reply.status, answer
            ways.append(reply.headers["x-longwire-continuity"])
            dropped |= {*reply.headers["x-longwire-dropped"].split(", ")}
            messages = [*messages, *following(answer)]
    assert ["fresh", *["continued"] * 4] == ways
    assert "max_output_tokens" in dropped


async def test_what_is_named_of_it_fits_into_a_header(emulator):
    """Whatever names a client makes up."""
    async with asking(emulator, "websocket") as ask:
        assert 200 == (await ask([USER], **{"a\r\nb: ✓": None}))[0]


async def test_what_the_backend_does_not_take_is_named(emulator):
    """To clients of Responses, too; what is null says nothing, and is no loss."""
    body = {"model": "m", "input": [USER], "max_output_tokens": 99, "temperature": None}
    async with (
        asking(emulator, "websocket") as ask,
        ask.session.post("/v1/responses", json=body) as reply,
    ):
        assert 200 == reply.status
    assert "max_output_tokens" == reply.headers["x-longwire-dropped"]
