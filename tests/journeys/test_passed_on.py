"""Where both ends speak one API the gateway passes on what they say: proven on the wire.

The upstream here is a socket that keeps every byte it gets, and answers with bytes from a list.
"""

import asyncio
import json
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import anthropic
import pytest

from longwire.core.nouns.access import ApiKey, Grant
from longwire.core.nouns.secret import Secret
from longwire.store.store import open_store
from tests.conftest import KEY, serving
from tests.dialects.recordings import FOLDER, needs_recordings
from tests.doubles.canned import Canned, answer, canned
from tests.journeys.conftest import become, settings_of
from tests.journeys.two_upstreams import Stage, staged_before

CHAT, MESSAGES, COUNT = "/v1/chat/completions", "/v1/messages", "/v1/messages/count_tokens"
CHAT_BODY = b'{"model":"m" , "messages":[{"role":"user","content":"1.50 \xc3\xa9"}], "n":2%b}'
MESSAGES_BODY = (
    b'{"model":"m", "max_tokens":9,"messages":[{"role":"user","content":[{"type":"text",'
    b'"text":"hi" , "cache_control":{"type":"ephemeral"}}]}],"x_own":1.50%b}'
)
COUNTED = re.compile(rb'"choices": ?\[\].*"usage": ?\{')
STREAMS, WANTS_USAGE = b',"stream":true', b',"stream_options":{"include_usage":true}'
JSON = "application/json"


def chat_stream(*, usage: bool = True) -> bytes:
    head = b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m-1",'
    counted = (
        b'"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":4,"total_tokens":13}}\n\n'
    )
    return b"".join(
        [
            b": OPENROUTER PROCESSING\n\n",
            head + b'"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}\n\n',
            head + b'"choices":[{"index":0,"delta":{"content":"Hello  "},"x":1.50}]}\n\n',
            b": ping\n\n",
            head + b'"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n',
            head + counted if usage else b"",
            b"data: [DONE]\n\n",
        ]
    )


def event(kind: str, **members: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **members})}\n\n".encode()


USED = {"input_tokens": 9, "cache_read_input_tokens": 60, "output_tokens": 1}
MESSAGE = {"id": "msg_01", "type": "message", "role": "assistant", "model": "m-1", "content": []}
BEGUN = event("message_start", message={**MESSAGE, "stop_reason": None, "usage": USED})
MESSAGES_STREAM = b"".join(
    [
        BEGUN,
        event("ping"),
        event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
        event("content_block_delta", index=0, delta={"type": "text_delta", "text": "Hello"}),
        event("content_block_stop", index=0),
        event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 7}),
        event("message_stop"),
    ]
)
CHAT_WHOLE = (
    b'{ "id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m-1",'
    b'"choices":[{"index":0,'
    b'"message":{"role":"assistant","content":"Hello","x_own":1.50},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":9,"completion_tokens":4,"total_tokens":13}}\n'
)
MESSAGES_WHOLE = json.dumps(
    {**MESSAGE, "stop_reason": "end_turn", "usage": USED}, indent=1
).encode()


@asynccontextmanager
async def before(folder: Path, *answers: Any, **tables: Any) -> AsyncIterator[tuple[Stage, Canned]]:
    """A gateway before one upstream, of a type, that answers from a list."""
    async with (
        canned(*answers) as upstream,
        staged_before(folder, {"a": upstream}, **tables) as stage,
    ):
        yield stage, upstream


ANTHROPIC = {"channel": {"type": "anthropic"}}
CASES = [
    (CHAT, {}, CHAT_BODY, chat_stream(), CHAT_WHOLE),
    (MESSAGES, ANTHROPIC, MESSAGES_BODY, MESSAGES_STREAM, MESSAGES_WHOLE),
]


@pytest.mark.parametrize(("path", "tables", "body", "stream", "_"), CASES)
async def test_a_stream_is_the_upstreams_own_bytes(tmp_path, path, tables, body, stream, _):
    """Request and answer, comments and spaces, however the sockets cut them."""
    body %= STREAMS + (WANTS_USAGE if path == CHAT else b"")
    pieces = [
        answer(b"", size=len(stream)),
        stream[:150],
        0.05,
        stream[150:321],
        0.05,
        stream[321:],
    ]
    async with before(tmp_path, pieces, **tables) as (stage, upstream):
        reply = await stage.call("POST", path, data=body)
    assert (200, stream, [body]) == (reply.status, reply.body, upstream.bodies)
    assert "text/event-stream; charset=utf-8" == reply.headers["content-type"]
    assert ("native_api", path.split("/", 2)[2].replace("/", "_")) == (
        reply.headers["x-longwire-reason"],
        reply.headers["x-longwire-api"],
    )
    assert "x-longwire-dropped" not in reply.headers


@pytest.mark.parametrize(("path", "tables", "body", "_", "whole"), CASES)
async def test_a_whole_answer_is_the_upstreams_own_body(tmp_path, path, tables, body, _, whole):
    """Byte for byte, also where it is written with indents."""
    body %= b""
    async with before(tmp_path, answer(whole, JSON), **tables) as (stage, upstream):
        reply = await stage.call("POST", path, data=body)
    assert (200, whole, [body]) == (reply.status, reply.body, upstream.bodies)
    assert JSON == reply.headers["content-type"]


def renamed_on_the_way() -> bytes:
    """A stream as Azure writes it: what its filters say first has no id; another one counts."""
    first = (
        b'data: {"id":"","object":"","created":0,"model":"","choices":[],'
        b'"prompt_filter_results":[{"prompt_index":0,"content_filter_results":{}}]}\n\n'
    )
    comment, *chunks = chat_stream().split(b"\n\n")
    counted = chunks[-3].replace(b"chatcmpl-1", b"another")
    return b"\n\n".join([first + comment, *chunks[:-3], counted, *chunks[-2:]])


AZURE = FOLDER / "openai-chat" / "azure-model-router.1.chunks.txt"


@pytest.mark.parametrize(
    "stream",
    [
        renamed_on_the_way,
        pytest.param(
            lambda: (
                b"".join(b"data: %b\n\n" % line for line in AZURE.read_bytes().splitlines())
                + b"data: [DONE]\n\n"
            ),
            marks=needs_recordings,
        ),
    ],
    ids=["made", "recorded"],
)
@pytest.mark.parametrize("wanted", [b"", WANTS_USAGE])
async def test_the_id_of_an_answer_may_change_on_the_way(tmp_path, stream, wanted):
    """Whatever ids its chunks have, it is one answer, and each byte of it arrives."""
    said = stream()
    async with before(tmp_path, answer(said)) as (stage, _):
        reply = await stage.call("POST", CHAT, data=CHAT_BODY % (STREAMS + wanted))
    blocks = said.split(b"\n\n")
    expected = [each for each in blocks if wanted or not COUNTED.search(each)]
    assert expected == reply.body.split(b"\n\n")


async def test_only_the_model_is_renamed(tmp_path):
    """Where the channel has another name for it, nothing else of the body changes."""
    channel = {"type": "anthropic", "renames": {"m": "claude-x"}}
    body = MESSAGES_BODY.replace(b", ", b",").replace(b" , ", b",") % b""
    async with before(tmp_path, answer(MESSAGES_WHOLE, JSON), channel=channel) as (stage, upstream):
        await stage.call("POST", MESSAGES, data=body)
    assert json.loads(body) | {"model": "claude-x"} == json.loads(upstream.bodies[0])
    assert b'"x_own":1.50' in upstream.bodies[0]


async def test_the_channels_credentials_go_and_the_callers_stay(tmp_path):
    """With the version and the betas of the client, which are its own."""
    headers = {"anthropic-version": "2024-01-01", "anthropic-beta": "a,b", "x-own": "1"}
    async with before(tmp_path, answer(MESSAGES_WHOLE, JSON), **ANTHROPIC) as (stage, upstream):
        await stage.call("POST", MESSAGES, data=MESSAGES_BODY % b"", headers=headers)
        (head,) = upstream.heads
    sent = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if line)
    assert head.startswith("POST /v1/messages?beta=true HTTP/1.1\r\n")
    assert ("sk-of-a", "2024-01-01", "a,b") == (
        sent["x-api-key"],
        sent["anthropic-version"],
        sent["anthropic-beta"],
    )
    assert KEY not in head
    assert not {"authorization", "x-own"} & set(sent)


async def test_a_stream_tells_the_gateway_alone_what_it_cost(tmp_path):
    """A client that asked for no usage gets no chunk of it, and its turn is billed all the same."""
    async with before(tmp_path, answer(chat_stream())) as (stage, upstream):
        reply = await stage.call("POST", CHAT, data=CHAT_BODY % STREAMS)
        metrics = (await stage.call("GET", "/metrics")).body.decode()
    assert chat_stream(usage=False) == reply.body
    assert {"include_usage": True} == json.loads(upstream.bodies[0])["stream_options"]
    assert 'longwire_tokens_total{channel="a",kind="input"} 9' in metrics
    assert 'longwire_tokens_total{channel="a",kind="output"} 4' in metrics


ERROR = (
    b'{"type":"error","error":{"type":"invalid_request_error","message":"no  such thing"}, "x":1}'
)


@pytest.mark.parametrize(("path", "tables", "body", "_", "__"), CASES)
@pytest.mark.parametrize("streams", [b"", STREAMS])
@pytest.mark.parametrize("status", [400, 404, 413, 422, 429, 500, 529])
async def test_an_error_is_the_upstreams_own(tmp_path, path, tables, body, status, streams, _, __):
    """Its status and its words, and when to come again."""
    refused = answer(ERROR, JSON, status, ("retry-after: 7", "x-secret: 1"))
    async with before(tmp_path, refused, **tables) as (stage, _upstream):
        reply = await stage.call("POST", path, data=body % streams)
    assert (status, ERROR, JSON) == (reply.status, reply.body, reply.headers["content-type"])
    assert "7" == reply.headers["retry-after"]
    assert "x-secret" not in reply.headers


@pytest.mark.parametrize("status", [401, 403])
async def test_what_an_upstream_says_of_a_channels_key_stays_here(tmp_path, status):
    """A caller would look for its own key, and be quoted the operator's."""
    said = b'{"error":{"type":"authentication_error","message":"bad key sk-of-a"}}'
    async with before(tmp_path, answer(said, JSON, status), **ANTHROPIC) as (stage, _):
        reply = await stage.call("POST", MESSAGES, data=MESSAGES_BODY % b"")
    assert (502, False) == (reply.status, b"sk-of-a" in reply.body)


async def test_a_proxys_page_is_no_error_of_an_api(tmp_path):
    """It is shown as an error of the client's API, for a browser would run it."""
    page = answer(b"<html><title>Bad Gateway</title></html>", "text/html", 502)
    async with before(tmp_path, page, **ANTHROPIC) as (stage, _):
        reply = await stage.call("POST", MESSAGES, data=MESSAGES_BODY % b"")
    assert (502, "error") == (reply.status, reply.json["type"])
    assert "Bad Gateway" in reply.json["error"]["message"]


OVERLOADED = event("error", error={"type": "overloaded_error", "message": "Overloaded"})


async def test_an_error_within_a_stream_is_the_upstreams_own(tmp_path):
    """Behind output it ends the stream; before any it is the status of the answer."""
    begun = BEGUN + event("content_block_start", index=0, content_block={"type": "text"})
    answers = [answer(begun + OVERLOADED), answer(BEGUN + OVERLOADED)]
    async with before(tmp_path, *answers, **ANTHROPIC) as (stage, _):
        within = await stage.call("POST", MESSAGES, data=MESSAGES_BODY % STREAMS)
        first = await stage.call("POST", MESSAGES, data=MESSAGES_BODY % STREAMS)
    assert (200, begun + OVERLOADED) == (within.status, within.body)
    assert (529, OVERLOADED.split(b"data: ")[1].strip()) == (first.status, first.body)


async def test_a_stream_that_breaks_off_ends_with_an_error(tmp_path):
    """What the upstream did not finish cannot look whole."""
    broken = [answer(MESSAGES_STREAM[:-40], size=len(MESSAGES_STREAM)), None]
    async with before(tmp_path, broken, **ANTHROPIC) as (stage, _):
        reply = await stage.call("POST", MESSAGES, data=MESSAGES_BODY % STREAMS)
    blocks = reply.body.split(b"\n\n")
    assert MESSAGES_STREAM.startswith(b"\n\n".join(blocks[:-2]))
    assert blocks[-2].startswith(b"event: error\ndata: ")


async def test_another_channel_takes_over_from_one_that_fails(tmp_path):
    """As long as nothing was shown, whatever the upstream said."""
    async with (
        canned(answer(ERROR, JSON, 529)) as a,
        canned(answer(BEGUN + OVERLOADED)) as b,
        canned(answer(MESSAGES_STREAM)) as c,
        staged_before(tmp_path, {"a": a, "b": b, "c": c}, **ANTHROPIC) as stage,
    ):
        replies = [
            await stage.call(
                "POST", MESSAGES, data=MESSAGES_BODY % STREAMS, headers={"x-session-id": session}
            )
            for session in "abcdefgh"
        ]
    assert {(200, MESSAGES_STREAM)} == {(each.status, each.body) for each in replies}
    assert a.bodies
    assert b.bodies


async def test_a_count_is_the_upstreams_own(tmp_path):
    """And where it fails, an estimate."""
    count = b'{ "input_tokens": 2095 }'
    answers = [answer(count, JSON), answer(ERROR, JSON, 503)]
    async with before(tmp_path, *answers, **ANTHROPIC) as (stage, upstream):
        counted = await stage.call("POST", COUNT, data=MESSAGES_BODY % b"")
        estimated = await stage.call("POST", COUNT, data=MESSAGES_BODY % b"")
    assert (200, count) == (counted.status, counted.body)
    assert upstream.heads[0].startswith("POST /v1/messages/count_tokens HTTP/1.1")
    assert (200, "estimated") == (estimated.status, estimated.headers["x-longwire-tokens"])


GEMINI = "/v1beta/models/m:"
GEMINI_BODY = b'{ "contents":[{"parts":[{"text":"1.50"}]}],"cachedContent":"c" ,"xOwn":1.50}'
ENVELOPES = [
    (CHAT, CHAT_BODY % STREAMS, CHAT_WHOLE, {}, {"type", "param", "code"}),
    (MESSAGES, MESSAGES_BODY % STREAMS, MESSAGES_WHOLE, ANTHROPIC, {"type"}),
    (
        GEMINI + "streamGenerateContent?alt=sse",
        GEMINI_BODY,
        b'{"candidates":[{"content":{"parts":[{"text":"Hi"}]},"finishReason":"STOP"}]}',
        {"channel": {"type": "gemini"}},
        {"code", "status"},
    ),
]


@pytest.mark.parametrize(("path", "body", "whole", "tables", "members"), ENVELOPES)
async def test_a_whole_answer_to_a_stream_is_an_error_in_the_clients_words(
    tmp_path, path, body, whole, tables, members
):
    """In the envelope of its own API: it is the gateway that says it."""
    async with before(tmp_path, answer(whole, JSON), **tables) as (stage, _):
        reply = await stage.call("POST", path, data=body)
    assert 502 == reply.status
    assert "error" == reply.json.get("type", "error")
    assert {"message"} | members == set(reply.json["error"]) - {"details"}
    assert "one JSON body where a stream was requested" in reply.json["error"]["message"]


@pytest.mark.parametrize(
    ("path", "body", "member"),
    [
        (COUNT, MESSAGES_BODY % b"", "input_tokens"),
        (GEMINI + "countTokens", GEMINI_BODY.replace(b',"cachedContent":"c"', b""), "totalTokens"),
    ],
)
async def test_a_count_that_no_channel_can_make_is_an_estimate(tmp_path, path, body, member):
    """As where the upstream's own fails; its client counts before it takes a turn."""
    channel = {"apis": ["chat_completions"]}
    async with before(tmp_path, channel=channel) as (stage, upstream):
        reply = await stage.call("POST", path, data=body)
    assert (200, "estimated", {member}) == (
        reply.status,
        reply.headers.get("x-longwire-tokens"),
        set(reply.json),
    )
    assert reply.json[member] > 0
    assert [] == upstream.heads


UNSAYABLE = [
    (CHAT, {"n": 2}),
    (CHAT, {"logit_bias": {"1": 2}}),
    (CHAT, {"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]}),
    (MESSAGES, {"mcp_servers": [{"url": "https://x"}]}),
    (MESSAGES, {"messages": [{"role": "assistant", "content": "{"}]}),
    (MESSAGES, {"tools": [{"type": "code_execution_20260120", "name": "code_execution"}]}),
]


@pytest.mark.parametrize(("path", "members"), UNSAYABLE)
async def test_what_the_responses_api_cannot_say_goes_where_it_can_be_said(tmp_path, path, members):
    """To the endpoint of the client's own API, untouched."""
    body = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
    tables = ANTHROPIC if path == MESSAGES else {}
    whole = CHAT_WHOLE if path == CHAT else MESSAGES_WHOLE
    async with before(tmp_path, answer(whole, JSON), **tables) as (stage, upstream):
        reply = await stage.call("POST", path, json={**body, **members})
    assert (200, whole) == (reply.status, reply.body)
    assert {**body, **members} == json.loads(upstream.bodies[0])


GEMINI_ANSWER = (
    b'{ "candidates":[{"content":{"parts":[{"text":"Hi"}]},"finishReason":"STOP"}],'
    b'"usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":2},"modelVersion":"m-1"}'
)
GEMINI_STREAM = (
    b'data: {"candidates":[{"content":{"parts":[{"text":"Hi"}]}}]}\r\n\r\n'
    b"data: %b\r\n\r\n" % GEMINI_ANSWER
)


@pytest.mark.parametrize(
    ("action", "said", "kind"),
    [
        ("generateContent", GEMINI_ANSWER, JSON),
        ("countTokens", b'{ "totalTokens": 7}', JSON),
        ("streamGenerateContent?alt=sse", GEMINI_STREAM, "text/event-stream"),
        ("streamGenerateContent", b"[%b\n,\r\n%b]" % (GEMINI_ANSWER, GEMINI_ANSWER), JSON),
    ],
)
async def test_gemini_is_passed_on_in_each_of_its_forms(tmp_path, action, said, kind):
    """To where its client sent it, with the channel's key."""
    channel = {"type": "gemini", "base_url": None}
    async with canned(answer(said, kind)) as upstream:
        channel["base_url"] = f"{upstream.url}/v1beta"
        async with staged_before(tmp_path, {"a": upstream}, channel=channel) as stage:
            reply = await stage.call("POST", GEMINI + action, data=GEMINI_BODY)
    assert (200, said, [GEMINI_BODY]) == (reply.status, reply.body, upstream.bodies)
    assert reply.headers["content-type"].startswith(kind)
    assert upstream.heads[0].startswith(f"POST {GEMINI}{action} HTTP/1.1\r\n")
    assert "sk-of-a" == upstream.header("x-goog-api-key")
    assert KEY not in upstream.heads[0]


QUESTION = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


async def test_the_official_client_reads_chat_completions(tmp_path, client_of):
    """Whole and streamed, with what they count."""
    answers = [answer(CHAT_WHOLE, JSON), answer(chat_stream())]
    async with before(tmp_path, *answers) as (stage, _):
        completions = client_of(stage.gateway).chat.completions
        whole = await completions.create(**QUESTION, n=2)
        stream = await completions.create(**QUESTION, n=2, stream=True)
        texts = [chunk.choices[0].delta.content async for chunk in stream]
    assert ("Hello", 13) == (whole.choices[0].message.content, whole.usage.total_tokens)
    assert "Hello  " == "".join(text or "" for text in texts)


async def test_the_official_client_reads_messages(tmp_path):
    """Whole, with a beta, and streamed, with what they count; and an error in its own words."""
    answers = [answer(MESSAGES_WHOLE, JSON), answer(MESSAGES_STREAM), answer(ERROR, JSON, 400)]
    bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    http = anthropic.DefaultAsyncHttpxClient(trust_env=False, verify=bare)
    async with (
        before(tmp_path, *answers, **ANTHROPIC) as (stage, _),
        anthropic.AsyncAnthropic(
            base_url=stage.gateway.url, api_key=KEY, max_retries=0, http_client=http
        ) as client,
    ):
        message = await client.beta.messages.create(**QUESTION, max_tokens=9, betas=["b"])
        async with client.messages.stream(**QUESTION, max_tokens=9) as streamed:
            final = await streamed.get_final_message()
        with pytest.raises(anthropic.BadRequestError, match="no  such thing"):
            await client.messages.create(**QUESTION, max_tokens=9)
    assert (60, "msg_01") == (message.usage.cache_read_input_tokens, message.id)
    assert ("Hello", 7) == (final.content[0].text, final.usage.output_tokens)


async def test_a_client_that_leaves_ends_the_request_upstream(tmp_path):
    """Nothing is read, or paid, for nobody."""
    endless = [answer(b"", size=10**6), BEGUN, event("content_block_start", index=0), 60.0]
    async with before(tmp_path, endless, **ANTHROPIC) as (stage, upstream):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await stage.call("POST", MESSAGES, data=MESSAGES_BODY % STREAMS)
        async with asyncio.timeout(5):
            await upstream.hung_up.wait()
    assert 1 == upstream.connections


async def test_silence_is_bridged_between_events_alone(tmp_path):
    """A keep-alive never stands within an event that came in two pieces."""
    cut = MESSAGES_STREAM.index(b"Hello") + 2
    slow = [
        answer(b"", size=len(MESSAGES_STREAM)),
        MESSAGES_STREAM[:cut],
        0.5,
        MESSAGES_STREAM[cut:],
    ]
    async with before(tmp_path, slow, **ANTHROPIC, server={"keep_alive_comment": "100ms"}) as (
        stage,
        _,
    ):
        reply = await stage.call("POST", MESSAGES, data=MESSAGES_BODY % STREAMS)
    assert b": keep-alive\n" in reply.body
    assert MESSAGES_STREAM == reply.body.replace(b": keep-alive\n", b"")


@pytest.fixture
async def secret(store, actor):
    """The secret of a stored key whose bodies are kept."""
    grant = Grant(project_id="prj_default", keeps_bodies=True)
    return (await store.keys.create(ApiKey("", "ci", "", b"", grant), actor)).secret


@pytest.mark.parametrize(("streams", "sent"), [(STREAMS, MESSAGES_STREAM), (b"", MESSAGES_WHOLE)])
async def test_kept_bodies_are_what_was_passed_on(
    store, secret, database_url, tmp_path, streams, sent
):
    """The request as it came and the answer as it went, with what it cost."""

    async def opens():
        return await open_store(database_url, Secret(""), tmp_path / "secret.key")

    said = answer(sent) if streams else answer(sent, JSON)
    async with canned(said) as upstream:
        channel = {
            "name": "a",
            "base_url": f"{upstream.url}/v1",
            "api_key": "k",
            "type": "anthropic",
        }
        async with serving(settings_of(upstream.url, channels=(channel,)), opens) as gateway:
            body, headers = MESSAGES_BODY % streams, {"x-api-key": secret.reveal()}
            async with (
                aiohttp.ClientSession(headers=headers) as client,
                client.post(gateway.url + MESSAGES, data=body) as reply,
            ):
                assert sent == await reply.read()
            await become(lambda: gateway.app.control.backlog[0] == 0)
            (row,) = (await store.turns.page()).items
            kept = await store.turns.bodies(row.id)
    assert (body, sent) == (kept.request, kept.response)
    assert ("messages", "messages", "m-1", "completed") == (
        row.api,
        row.upstream_api,
        row.model_served,
        row.outcome,
    )
    assert (69, 60, 7 if streams else 1) == (row.input_tokens, row.cached_tokens, row.output_tokens)


ENVELOPES = {
    CHAT: {"message", "type", "param", "code"},
    MESSAGES: {"type", "message"},
    GEMINI: {"code", "message", "status"},
}
STREAMED = {CHAT: chat_stream(), MESSAGES: MESSAGES_STREAM, GEMINI: GEMINI_STREAM}
BODIES = {CHAT: CHAT_BODY % b"", MESSAGES: MESSAGES_BODY % b"", GEMINI: GEMINI_BODY}
TYPES = {CHAT: "openai", MESSAGES: "anthropic", GEMINI: "gemini"}
NO_ANSWERS = (b'{"choices":null}', b'{"candidates":[]}', b"null", b'{"id":"c","cho', b"[]")


@pytest.mark.parametrize("path", ENVELOPES)
async def test_what_is_no_answer_is_told_in_the_callers_own_envelope(tmp_path, path):
    """Events for a body, and what is neither: nothing of it is shown as if it were an error."""
    answers = [answer(STREAMED[path]), *(answer(each, JSON) for each in NO_ANSWERS)]
    url = f"{GEMINI}generateContent" if path == GEMINI else path
    async with canned(*answers) as upstream:
        base = f"{upstream.url}/{'v1beta' if path == GEMINI else 'v1'}"
        apis = ["chat_completions"] if path == CHAT else None
        channel = {"type": TYPES[path], "base_url": base, "apis": apis}
        async with staged_before(tmp_path, {"a": upstream}, channel=channel) as stage:
            replies = [await stage.call("POST", url, data=BODIES[path]) for _ in answers]
    assert [502] * len(answers) == [each.status for each in replies]
    for reply in replies:
        assert ENVELOPES[path] <= set(reply.json["error"])
        assert "body that is no answer of its API" in reply.json["error"]["message"]
