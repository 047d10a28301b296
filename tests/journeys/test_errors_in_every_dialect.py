"""Every error that a turn can end with before it begins, as clients of each API are shown it.

Clients act on status, type and headers: Claude Code compacts on `prompt is too long`, waits for
`retry-after`, and tries again for minutes what is not said to be final.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest

from longwire.core.nouns.access import ApiKey, Budgets, Grant, IssuedKey, Rates
from longwire.core.nouns.secret import Secret
from longwire.emulator import Emulator, Fault
from longwire.server import health
from tests.conftest import Gateway
from tests.journeys.conftest import become, settings_of, websocket_channel

MESSAGES, CHAT = "/v1/messages?beta=true", "/v1/chat/completions"
KINDS = [(MESSAGES, False), (MESSAGES, True), (CHAT, False), (CHAT, True)]
QUESTION = {"role": "user", "content": "hi"}
FINAL = {"x-should-retry": "false"}
SIGNALS = ("retry-after", "x-should-retry")
SOON = "some seconds"


@dataclass(slots=True)
class Stage:
    """An upstream, a gateway before it, and who asks what of it."""

    emulator: Emulator
    gateway: Gateway
    headers: dict[str, str] = field(default_factory=dict)
    group: asyncio.TaskGroup | None = None
    waiting: list[asyncio.Task[Any]] = field(default_factory=list)

    async def ask(self, path: str, **members: Any) -> tuple[int, Mapping[str, str], Any]:
        """Ask once: status, headers and the body."""
        body = {"model": "gpt-5.5", "max_tokens": 64, "messages": [QUESTION], **members}
        headers = {**self.gateway.headers, **self.headers}
        async with (
            aiohttp.ClientSession(headers=headers) as client,
            client.post(self.gateway.url + path, json=body) as reply,
        ):
            return reply.status, reply.headers, await reply.json()


@dataclass(frozen=True, slots=True)
class Shown:
    """What a client of Messages is shown: `signals` are its headers; `chat` are status and code."""

    status: int
    type: str
    chat: tuple[int, str | None]
    signals: Mapping[str, str] = field(default_factory=dict)


async def shows(stage: Stage, path: str, shown: Shown, **members: Any) -> str:
    """Ask, compare all but the message, and return that."""
    status, headers, body = await stage.ask(path, **members)
    names = SIGNALS[:1] if path == CHAT else SIGNALS
    signals = {name: headers[name] for name in names if name in headers}
    expected = {name: value for name, value in shown.signals.items() if name in names}
    if expected.get("retry-after") == SOON:
        assert 0 < int(signals["retry-after"])
        signals["retry-after"] = SOON
    assert expected == signals
    assert "application/json" == headers["content-type"]
    assert headers["x-request-id"]
    error = body["error"]
    if path == CHAT:
        assert {"message", "type", "param", "code"} <= set(error)
        assert (*shown.chat, {"error"}) == (status, error["code"], set(body))
    else:
        assert (shown.status, shown.type) == (status, error["type"])
        assert {"type", "error", "request_id"} == set(body)
        assert ("error", headers["request-id"]) == (body["type"], body["request_id"])
        assert not [name for name in headers if name.lower().startswith("x-ratelimit")]
    return error["message"]


def refused(status: int, code: str | None, **members: Any) -> Fault:
    """A fault: the upstream answers with this error."""
    error = {"type": "upstream", "code": code, "message": members.pop("message", "No.")}
    return Fault(at="before_create", act="error", status=status, body=error, **members)


def kept(status: int, kind: str, code: str | None, **signals: str) -> Shown:
    """What has the same status in both APIs."""
    named = {name.replace("_", "-"): value for name, value in signals.items()}
    return Shown(status, kind, (status, code), named)


HIDDEN = Shown(502, "api_error", (502, "channel_refused"), FINAL)
"""The upstream refuses what is the operator's: no waiting mends it, and its words stay inside."""
LEFT = {"retry-after": "7", "x-ratelimit-remaining-requests": "0"}
FLAGGED = "This model requires moderation; your input was flagged."
UPSTREAM = {
    "400": (refused(400, "invalid_prompt"), kept(400, "invalid_request_error", "invalid_prompt")),
    "401": (refused(401, "invalid_api_key"), HIDDEN),
    "402": (refused(402, "billing"), HIDDEN),
    "403": (refused(403, "no_access"), HIDDEN),
    "403, flagged": (refused(403, "x", message=FLAGGED), kept(403, "permission_error", "x")),
    "404": (refused(404, "model_not_found"), kept(404, "not_found_error", "model_not_found")),
    "413": (refused(413, "too_large"), kept(413, "request_too_large", "too_large")),
    "429": (
        refused(429, "rate_limit_exceeded", headers=LEFT),
        kept(429, "rate_limit_error", "rate_limit_exceeded", retry_after="7"),
    ),
    "429, quota": (
        refused(429, "insufficient_quota"),
        Shown(429, "billing_error", (429, "insufficient_quota"), FINAL),
    ),
    "500": (refused(500, "server_error"), kept(500, "api_error", "server_error")),
    "502": (refused(502, "bad_gateway"), kept(502, "api_error", "bad_gateway")),
    "503": (
        refused(503, "server_is_overloaded", headers={"retry-after": "2"}),
        Shown(529, "overloaded_error", (503, "server_is_overloaded"), {"retry-after": "2"}),
    ),
    "504": (refused(504, "timeout"), kept(504, "timeout_error", "timeout")),
    "529": (refused(529, "overloaded_error"), kept(529, "overloaded_error", "overloaded_error")),
}


@pytest.fixture(params=["http", "websocket"])
async def stage(request, emulator, serve):
    """A gateway whose channel has each transport."""
    channel = websocket_channel(emulator.url, transport=request.param)
    return Stage(emulator, await serve(settings_of(emulator.url, channels=(channel,))))


@pytest.mark.parametrize(("fault", "shown"), UPSTREAM.values(), ids=UPSTREAM)
@pytest.mark.parametrize(("path", "stream"), KINDS)
async def test_an_upstreams_error_is_said_as_each_api_says_it(stage, path, stream, fault, shown):
    """With the status, type and headers that its clients act on; its limits are none of theirs."""
    stage.emulator.faults.add(fault)
    await shows(stage, path, shown, stream=stream)


GOOGLES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
GEMINI_ACTIONS = ["generateContent", "streamGenerateContent?alt=sse", "streamGenerateContent"]


async def google_shows(stage: Stage, action: str, shown: Shown, **members: Any) -> str:
    """Ask in Gemini's API, compare all but the message, and return that."""
    model = members.pop("model", "gpt-5.5")
    contents = members.pop("messages", [{"parts": [{"text": "hi"}]}])
    path = f"/v1beta/models/{model}:{action}"
    status, headers, body = await stage.ask(path, contents=contents, **members)
    error = body["error"]
    details = {each["@type"].rpartition(".")[2]: each for each in error["details"]}
    expected = 503 if shown.chat[0] == 529 else shown.chat[0]
    assert {"error"} == set(body)
    assert (expected, expected, GOOGLES[expected]) == (status, error["code"], error["status"])
    assert str(shown.chat[1]).upper() == details["ErrorInfo"]["reason"]
    assert ("retry-after" in shown.signals) == ("RetryInfo" in details)
    if "RetryInfo" in details:
        assert f"{headers['retry-after']}s" == details["RetryInfo"]["retryDelay"]
    return error["message"]


@pytest.mark.parametrize(("fault", "shown"), UPSTREAM.values(), ids=UPSTREAM)
@pytest.mark.parametrize("action", GEMINI_ACTIONS)
async def test_an_upstreams_error_is_said_as_google_says_it(stage, action, fault, shown):
    """With the status that Google has for it, and how long to wait."""
    stage.emulator.faults.add(fault)
    await google_shows(stage, action, shown)


TOO_LONG = "prompt is too long: "
OPENAI = "This model's maximum context length is 128000 tokens. However, your messages resulted in "
WINDOW = "Your input exceeds the context window of this model. Please adjust your input."
VLLM = (
    "This model's maximum context length is 4,096 tokens. However, you requested 5000 tokens "
    "(4500 in the messages, 500 in the completion)."
)
CLAUDE = "prompt is too long: 210000 tokens > 200000 maximum"
BOTH = "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000"
BEDROCK = "Input is too long for requested model."
GEMINI = "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."
LLAMA = "the request exceeds the available context size, try increasing it"
FULL = {
    "OpenAI": (
        "context_length_exceeded",
        f"{OPENAI}204308 tokens.",
        "prompt is too long: 204308 tokens > 128000 maximum",
    ),
    "Responses": ("context_length_exceeded", WINDOW, TOO_LONG + WINDOW),
    "no code": (None, WINDOW, TOO_LONG + WINDOW),
    "vLLM": (400, VLLM, "prompt is too long: 5000 tokens > 4096 maximum"),
    "Claude": (None, CLAUDE, CLAUDE),
    "Claude, output": (None, BOTH, BOTH),
    "Bedrock": (None, BEDROCK, TOO_LONG + BEDROCK),
    "Gemini": (400, GEMINI, "prompt is too long: 1200000 tokens > 1048576 maximum"),
    "llama.cpp": (400, LLAMA, TOO_LONG + LLAMA),
}


@pytest.mark.parametrize(("code", "message", "expected"), FULL.values(), ids=FULL)
@pytest.mark.parametrize("path", [MESSAGES, CHAT])
async def test_a_full_context_is_known_by_any_upstreams_words(stage, path, code, message, expected):
    """Another text costs six requests in Claude Code, and its conversation is not compacted."""
    stage.emulator.faults.add(refused(400, code, message=message))
    shown = kept(400, "invalid_request_error", "context_length_exceeded")
    assert (message if path == CHAT else expected) == await shows(stage, path, shown)


Prepare = Callable[[Stage], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Own:
    """An error of the gateway's own: the settings, the state and the request that lead to it."""

    shown: Shown
    prepare: Prepare | None = None
    members: Mapping[str, Any] = field(default_factory=dict)
    tables: Mapping[str, Any] = field(default_factory=dict)


async def _with_a_wrong_key(stage: Stage) -> None:
    stage.headers["authorization"] = "Bearer wrong"


def _limited(**limits: Any) -> Prepare:
    """Ask by a key that has had what it may have."""

    async def prepare(stage: Stage) -> None:
        key = ApiKey("key_1", "limited", "", b"", Grant("key_1", **limits))
        stage.gateway.app.keys.hand_out([IssuedKey(key, Secret("lw-limited"))])
        stage.headers["x-api-key"] = "lw-limited"
        del stage.gateway.headers["authorization"]
        assert 200 == (await stage.ask(CHAT))[0]

    return prepare


async def _draining(stage: Stage) -> None:
    stage.gateway.app.readiness.stage = health.Stage.DRAINING


async def _busy(stage: Stage) -> None:
    stage.emulator.faults.add(Fault(at="before_create", act="hang"))
    stage.waiting.append(stage.group.create_task(stage.ask(CHAT)))
    await become(lambda: stage.emulator.faults.struck == 1)


async def _silent(stage: Stage) -> None:
    stage.emulator.faults.add(Fault(at="before_create", act="hang", times=0))


async def _dying(stage: Stage) -> None:
    stage.emulator.faults.add(Fault(at="after_create", act="reset", times=0))


async def _broken(stage: Stage) -> None:
    def fail(*_: object) -> None:
        raise KeyError("secret")

    stage.gateway.app.relay.open = fail


ONE_CONNECTION = {
    "max_connections": 1,
    "max_connections_per_session": 1,
    "queue_timeout": "100ms",
}
NOWHERE = (websocket_channel("http://127.0.0.1:9"),)
RESPONSES = (websocket_channel("http://127.0.0.1:9", apis=["responses"]),)
KNOWN = (websocket_channel("http://127.0.0.1:9", models=["gpt-5.5"]),)
OWN = {
    "400": Own(
        kept(400, "invalid_request_error", "invalid_request_error"),
        members={"messages": 7},
        tables={"channels": RESPONSES},
    ),
    "401": Own(
        Shown(401, "authentication_error", (401, "invalid_api_key"), FINAL), _with_a_wrong_key
    ),
    "404": Own(
        kept(404, "not_found_error", "model_not_found"),
        members={"model": "none"},
        tables={"channels": KNOWN},
    ),
    "413": Own(
        kept(413, "request_too_large", "request_too_large"),
        members={"user": "x" * 5000},
        tables={"server": {"max_body": "4KiB"}},
    ),
    "429": Own(
        kept(429, "rate_limit_error", "rate_limit_exceeded", retry_after=SOON),
        _limited(rates=Rates(requests_per_minute=1)),
    ),
    "429, budget": Own(
        Shown(429, "billing_error", (429, "insufficient_quota"), {**FINAL, "retry-after": SOON}),
        _limited(budgets=Budgets(tokens_per_day=1)),
    ),
    "500": Own(kept(500, "api_error", "internal_error"), _broken),
    "502, unreachable": Own(
        kept(502, "api_error", "upstream_unavailable"), tables={"channels": NOWHERE}
    ),
    "502, lost": Own(kept(502, "api_error", "upstream_disconnected"), _dying),
    "503, draining": Own(
        Shown(529, "overloaded_error", (503, "overloaded"), {"retry-after": "5"}), _draining
    ),
    "503, busy": Own(
        Shown(529, "overloaded_error", (503, "overloaded"), {"retry-after": "1"}),
        _busy,
        tables={"sessions": ONE_CONNECTION},
    ),
    "504": Own(
        kept(504, "timeout_error", "upstream_timeout"),
        _silent,
        tables={"sessions": {"first_event_timeout": "200ms"}},
    ),
}


@pytest.mark.parametrize("own", OWN.values(), ids=OWN)
@pytest.mark.parametrize(("path", "stream"), KINDS)
async def test_the_gateways_own_error_is_said_as_each_api_says_it(
    emulator, serve, path, stream, own
):
    """With what its clients need to know: whether to try again, and when."""
    gateway = await serve(settings_of(emulator.url, **own.tables))
    async with asyncio.TaskGroup() as group:
        stage = Stage(emulator, gateway, group=group)
        if own.prepare is not None:
            await own.prepare(stage)
        assert "secret" not in await shows(stage, path, own.shown, stream=stream, **own.members)
        for task in stage.waiting:
            task.cancel()


@pytest.mark.parametrize("own", OWN.values(), ids=OWN)
@pytest.mark.parametrize("action", GEMINI_ACTIONS)
async def test_the_gateways_own_error_is_said_as_google_says_it(emulator, serve, action, own):
    """Likewise."""
    gateway = await serve(settings_of(emulator.url, **own.tables))
    async with asyncio.TaskGroup() as group:
        stage = Stage(emulator, gateway, group=group)
        if own.prepare is not None:
            await own.prepare(stage)
        assert "secret" not in await google_shows(stage, action, own.shown, **own.members)
        for task in stage.waiting:
            task.cancel()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/messages", 405),
        ("POST", "/v1/messages/batches", 404),
        ("POST", "/anthropic/v1/messages/nothing", 404),
        ("GET", "/v1/models", 401),
        ("GET", "/v1/models/gpt-5.5", 401),
        ("GET", "/anthropic/v1/models", 401),
        ("GET", "/v1/nothing", 404),
        ("POST", "/v1/files", 404),
    ],
)
async def test_clients_of_messages_read_their_errors_beside_turns_too(
    gateway, method, path, status
):
    """A path that is none of a turn's is known to be theirs by the header of their version."""
    kinds = {404: "not_found_error", 401: "authentication_error", 405: "invalid_request_error"}
    headers = {"anthropic-version": "2023-06-01", "x-api-key": "wrong"}
    async with (
        aiohttp.ClientSession(headers=headers) as client,
        client.request(method, gateway.url + path) as reply,
    ):
        body = await reply.json()
    assert (status, kinds[status]) == (reply.status, body["error"]["type"])
    assert ("error", reply.headers["request-id"]) == (body["type"], body["request_id"])
    assert reply.headers.get("x-should-retry") == ("false" if status == 401 else None)
    assert reply.headers.get("allow") == ("POST" if status == 405 else None)
