"""A client of Gemini's API: every later turn goes on over one upstream connection."""

import json
import ssl
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import httpx2
import pytest
from google import genai
from google.genai import errors, types
from pydantic import BaseModel

from longwire.emulator import Fault, Script
from tests.conftest import KEY
from tests.journeys.conftest import SCRIPT, settings_of, websocket_channel

MODEL = "gpt-5.5"
TURNS = 5
THINKING = types.ThinkingConfig(include_thoughts=True, thinking_level="LOW")
BOTH = pytest.mark.parametrize("streams", [False, True], ids=["whole", "streamed"])


class Ways:
    """How each turn went upstream, by the headers of its answer."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    async def note(self, response: httpx2.Response) -> None:
        """Keep what the gateway says of a turn."""
        reason = response.headers.get("x-longwire-reason", "")
        self.seen.append(f"{response.headers.get('x-longwire-continuity')} {reason}".strip())

    @property
    def all_continued(self) -> bool:
        """Whether one turn began, and all later ones went on."""
        return self.seen == ["fresh new_session", *["continued"] * (len(self.seen) - 1)]


@pytest.fixture
def ways() -> Ways:
    """How the turns of this test went."""
    return Ways()


@pytest.fixture
async def client(gateway, ways) -> AsyncIterator[Any]:
    """The official client, without retries."""
    bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    hooks = {"response": [ways.note]}
    async with httpx2.AsyncClient(
        event_hooks=hooks, trust_env=False, verify=bare, timeout=20
    ) as own:
        options = types.HttpOptions(
            base_url=gateway.url,
            httpx_async_client=own,
            client_args={"verify": bare},
            async_client_args={"verify": bare, "ssl": bare},
        )
        with genai.Client(api_key=KEY, http_options=options) as client:
            yield client.aio


async def said(client, streams: bool, **request) -> types.Content:
    """Ask for content; return what the model said, streamed pieces in one content."""
    if not streams:
        answer = await client.models.generate_content(model=MODEL, **request)
        return answer.candidates[0].content
    parts = []
    async for chunk in await client.models.generate_content_stream(model=MODEL, **request):
        parts += chunk.candidates[0].content.parts
    return types.Content(role="model", parts=parts)


def function(name: str) -> types.FunctionDeclaration:
    """A function to call."""
    schema = {"type": "OBJECT", "properties": {"path": {"type": "STRING"}}}
    return types.FunctionDeclaration(name=name, description="Do it.", parameters=schema)


def answers(content: types.Content, *, with_ids: bool) -> types.Content:
    """What the functions return that a model called."""
    parts = [
        types.Part(
            function_response=types.FunctionResponse(
                id=call.function_call.id if with_ids else None,
                name=call.function_call.name,
                response={"result": f"{call.function_call.name} ✓"},
            )
        )
        for call in content.parts
        if call.function_call
    ]
    return types.Content(role="user", parts=parts)


@BOTH
@pytest.mark.parametrize("with_ids", [True, False], ids=["ids", "no ids"])
@pytest.mark.parametrize("thinking", [THINKING, None], ids=["thinking", "no thinking"])
async def test_every_later_turn_is_continued(
    emulator, client, ways, thinking, *, with_ids, streams
):
    """Tools, parallel calls, thoughts: one handshake, also where answers of calls have no ids."""
    emulator.script = SCRIPT
    tools = [types.Tool(function_declarations=[function("read"), function("a.b:c")])]
    config = types.GenerateContentConfig(
        system_instruction="You are an agent.", tools=tools, thinking_config=thinking
    )
    contents = [types.Content(role="user", parts=[types.Part(text="question")])]
    for _ in range(TURNS):
        content = await said(client, streams, contents=contents, config=config)
        replies = answers(content, with_ids=with_ids)
        contents += [content, replies if replies.parts else types.UserContent("and now?")]
    assert ways.all_continued, ways.seen
    assert 1 == emulator.counters.sockets_opened


def read(path: str) -> str:
    """Read a file."""
    return f"{path} ✓"


@BOTH
async def test_functions_are_called_by_the_client_itself(emulator, client, ways, *, streams):
    """It answers calls by their names alone, and sends each chunk back as a content of its own."""
    emulator.script = Script(tool_rounds=2, parallel_calls=2, arguments='{"path":"a.txt"}')
    config = types.GenerateContentConfig(tools=[read], thinking_config=THINKING)
    chat = client.chats.create(model=MODEL, config=config)
    for question in ("one", "two"):
        if streams:
            async for _ in await chat.send_message_stream(question):
                pass
        else:
            await chat.send_message(question)
    assert 6 == len(ways.seen)
    assert ways.all_continued, ways.seen
    results = [part for content in chat.get_history() for part in content.parts]
    found = [part.function_response.response for part in results if part.function_response]
    assert [{"result": "a.txt ✓"}] * 8 == found


@BOTH
async def test_a_chat_goes_on(client, ways, *, streams):
    """The history that the client keeps of its own is what the upstream holds."""
    chat = client.chats.create(model=MODEL)
    for question in ("one", "two", "three"):
        if streams:
            async for _ in await chat.send_message_stream(question):
                pass
        else:
            await chat.send_message(question)
    assert 3 == sum(each.role == "user" for each in chat.get_history(curated=True))
    assert ways.all_continued, ways.seen


class City(BaseModel):
    """What is wanted."""

    name: str
    size: int


async def test_an_answer_has_the_form_that_is_wanted(emulator, client):
    """A model of the client's becomes a schema upstream, in strict mode, and the answer one."""
    emulator.script = Script(text='{"name": "Aia", "size": 3}')
    config = types.GenerateContentConfig(
        response_mime_type="application/json", response_schema=City
    )
    answer = await client.models.generate_content(model=MODEL, contents="hi", config=config)
    assert City(name="Aia", size=3) == answer.parsed


async def test_a_stop_sequence_ends_an_answer(emulator, client, ways):
    """The gateway cuts it, so that its client's next turn begins anew."""
    emulator.script = Script(text="one END two")
    config = types.GenerateContentConfig(stop_sequences=["END"])
    chat = client.chats.create(model=MODEL, config=config)
    answer = await chat.send_message("hi")
    assert ("one ", types.FinishReason.STOP) == (answer.text, answer.candidates[0].finish_reason)
    await chat.send_message("and?")
    assert ["fresh new_session"] * 2 == ways.seen


async def test_tokens_are_counted(client):
    """By the upstream, or estimated."""
    counted = await client.models.count_tokens(model=MODEL, contents="how many are these?")
    assert 0 < counted.total_tokens


async def test_models_are_listed_in_pages(client):
    """By their names, with all pages; and each is found."""
    pager = await client.models.list(config={"page_size": 2})
    names = [model.name async for model in pager]
    assert len(names) == len(set(names)) > 2
    found = await client.models.get(model=names[-1].removeprefix("models/"))
    assert names[-1] == found.name


async def test_an_error_is_one_of_googles(emulator, client):
    """With its status, and how long to wait."""
    emulator.faults.add(
        Fault(
            at="before_create",
            act="error",
            status=429,
            body={"code": "rate_limit_exceeded", "message": "Slow."},
            headers={"retry-after": "7"},
        )
    )
    with pytest.raises(errors.ClientError) as raised:
        await client.models.generate_content(model=MODEL, contents="hi")
    details = {each["@type"].rpartition(".")[2]: each for each in error_of(raised)["details"]}
    assert (429, "RESOURCE_EXHAUSTED", "Slow.") == (
        raised.value.code,
        raised.value.status,
        raised.value.message,
    )
    assert ("7s", "RATE_LIMIT_EXCEEDED") == (
        details["RetryInfo"]["retryDelay"],
        details["ErrorInfo"]["reason"],
    )


def error_of(raised) -> dict:
    """The error that a client was sent."""
    return raised.value.details["error"]


async def test_a_stream_that_breaks_off_is_an_error(emulator, client):
    """Behind what came, the client raises it."""
    emulator.faults.add(Fault(at="mid_delta", act="reset"))
    with pytest.raises(errors.APIError) as raised:
        async for _ in await client.models.generate_content_stream(model=MODEL, contents="hi"):
            pass
    assert "UNAVAILABLE" == error_of(raised)["status"]


async def test_what_cannot_be_said_is_refused_with_its_name(client):
    """Where no channel speaks Gemini's API: the field, in words and in the details."""
    config = types.GenerateContentConfig(candidate_count=2)
    with pytest.raises(errors.ClientError) as raised:
        await client.models.generate_content(model=MODEL, contents="hi", config=config)
    assert "INVALID_ARGUMENT" == raised.value.status
    (violation,) = error_of(raised)["details"][-1]["fieldViolations"]
    assert "generationConfig.candidateCount" == violation["field"]


async def ask(gateway, target: str, *, headers=None, method="POST") -> tuple[int, str, Any]:
    """Ask without a client: status, media type and the body."""
    body = {"contents": [{"parts": [{"text": "hi"}]}], "novelty": 1}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.request(method, gateway.url + target, json=body) as reply,
    ):
        return reply.status, reply.content_type, await reply.text()


@pytest.mark.parametrize("version", ["v1", "v1beta", "v1/v1beta"])
async def test_a_stream_may_be_an_array(gateway, version):
    """Without `alt=sse`; the key may stand in the query, in whatever version of the API."""
    target = f"/{version}/models/{MODEL}:streamGenerateContent?key={KEY}"
    status, kind, body = await ask(gateway, target)
    assert (200, "application/json") == (status, kind)
    *_, last = json.loads(body)
    assert "STOP" == last["candidates"][0]["finishReason"]


@pytest.mark.parametrize(
    ("target", "status"),
    [
        (f"/v1beta/models/{MODEL}:generateContent", 401),
        (f"/v1beta/models/{MODEL}:generateContent?key=wrong", 401),
        (f"/v1beta/models/{MODEL}:generateContent?key={KEY}", 200),
        (f"/v1beta/models/{MODEL}%3AgenerateContent?key={KEY}", 200),
        (f"/v1/responses?key={KEY}", 401),
        (f"/v1/chat/completions?key={KEY}", 401),
    ],
)
async def test_a_key_in_a_query_counts_on_these_paths_alone(gateway, target, status):
    """Elsewhere it would be nothing but a secret in an address."""
    assert status == (await ask(gateway, target))[0]


@pytest.mark.parametrize(
    ("method", "target", "status", "name"),
    [
        ("POST", "/v1beta/models/x:embedContent", 404, "NOT_FOUND"),
        ("POST", "/v1beta/nothing", 404, "NOT_FOUND"),
        ("GET", "/v1beta/models/none", 404, "NOT_FOUND"),
        ("GET", f"/v1beta/models/{MODEL}:generateContent", 405, "UNIMPLEMENTED"),
        ("GET", "/v1beta/models?pageToken=none", 400, "INVALID_ARGUMENT"),
    ],
)
async def test_errors_have_googles_envelope_on_all_paths(gateway, method, target, status, name):
    """Of this API, whoever refuses."""
    headers = {"x-goog-api-key": KEY}
    found, kind, body = await ask(gateway, target, headers=headers, method=method)
    error = json.loads(body)["error"]
    assert (status, "application/json") == (found, kind)
    assert (status, name) == (error["code"], error["status"])


@pytest.fixture
async def slashed(emulator, serve):
    """A gateway whose model has a slash and a colon in its name."""
    channel = websocket_channel(emulator.url, renames={"vendor/model:8b": MODEL})
    return await serve(settings_of(emulator.url, channels=(channel,)))


async def test_a_model_may_have_any_name(slashed):
    """With slashes and colons; what the upstream has left out is named."""
    for name in ("vendor/model:8b", "vendor%2Fmodel:8b"):
        target = f"/v1beta/models/{name}:generateContent?key={KEY}"
        status, _, body = await ask(slashed, target)
        assert (200, "STOP") == (status, json.loads(body)["candidates"][0]["finishReason"])


@pytest.fixture
async def native(emulator, serve):
    """A gateway with a channel of the Responses API, and one of Gemini's own."""
    responses = websocket_channel(emulator.url, models=[MODEL])
    gemini = {
        "name": "gemini",
        "type": "gemini",
        "base_url": f"{emulator.url}/v1beta",
        "api_key": "g-key",
        "models": [MODEL],
    }
    return await serve(settings_of(emulator.url, channels=(responses, gemini)))


@pytest.mark.parametrize(
    ("config", "api"),
    [({}, "responses"), ({"responseLogprobs": True}, "generate_content")],
    ids=["sayable", "not sayable"],
)
@pytest.mark.parametrize("action", ["generateContent", "streamGenerateContent"])
async def test_what_cannot_be_said_goes_to_who_speaks_the_same(native, action, config, api):
    """The rest stays where sessions are; an array is an array, whoever answers."""
    body = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}], "generationConfig": config}
    target = f"{native.url}/v1beta/models/{MODEL}:{action}?key={KEY}"
    async with aiohttp.ClientSession() as session, session.post(target, json=body) as reply:
        assert (200, api) == (reply.status, reply.headers["x-longwire-api"]), await reply.text()
        answer = await reply.json()
    last = answer[-1] if action.startswith("stream") else answer
    assert "STOP" == last["candidates"][0]["finishReason"]
