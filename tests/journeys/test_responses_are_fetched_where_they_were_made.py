"""A response that an upstream keeps is fetched, cancelled and deleted there, for its own caller."""

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from longwire.core.nouns.access import ApiKey, Grant, IssuedKey, Rates
from longwire.core.nouns.secret import Secret
from tests.conftest import KEY, serving, settings_for
from tests.doubles.canned import answer, canned
from tests.journeys.two_upstreams import OTHER_KEY, staged, staged_before
from tests.server.conftest import between, dial, is_envelope

DONE = {"id": "resp_x", "object": "response", "status": "completed", "output": []}
DELETED = {"id": "resp_x", "object": "response", "deleted": True}
ITEMS = {"object": "list", "data": [{"id": "msg_1"}], "has_more": False}
GONE = {"error": {"message": "Response with id 'resp_x' not found.", "type": "invalid"}}


def said(body, status=200, headers=()) -> bytes:
    """An answer in JSON."""
    return answer(json.dumps(body).encode(), "application/json", status, headers)


def queued(name: str) -> bytes:
    """A response that runs in the background."""
    return said({"id": f"resp_{name}", "object": "response", "status": "queued", "output": []})


@asynccontextmanager
async def two_doubles(folder, **answers):
    """A stage before two upstreams that answer from a list each."""
    async with (
        canned(*answers["a"]) as a,
        canned(*answers["b"]) as b,
        staged_before(folder, {"a": a, "b": b}) as stage,
    ):
        yield stage


@pytest.mark.parametrize("restarts", [False, True], ids=["", "restarted"])
async def test_a_response_in_the_background_is_fetched_where_it_runs(tmp_path, restarts):
    """Six are queued; each is fetched from the channel that queued it."""
    numbers = range(6)
    answers = {name: [queued(f"{name}{number}") for number in numbers] for name in "ab"}
    async with two_doubles(tmp_path, **answers) as stage:
        replies = [await stage.ask(f"question {number}", background=True) for number in numbers]
        assert {"a", "b"} == {reply.channel for reply in replies}
        assert {"queued"} == {reply.json["status"] for reply in replies}
        if restarts:
            await stage.restart()
        for reply in replies:
            stage.upstreams[reply.channel].answers[:] = [said(DONE)]
            stage.upstreams[stage.other(reply.channel)].answers[:] = [said(GONE, 404)]
            fetched = await stage.call("GET", f"/v1/responses/{reply.json['id']}")
            assert (200, reply.channel, DONE) == (fetched.status, fetched.channel, fetched.json)
            assert fetched.headers["x-request-id"]


async def test_a_stored_response_is_read_and_deleted(tmp_path):
    """By its own caller, after a restart, too; when it is gone, its upstream says so itself."""
    async with staged(tmp_path) as stage:
        replies = [await stage.ask(f"question {number}") for number in range(8)]
        await stage.restart()
        for reply in replies:
            path = f"/v1/responses/{reply.json['id']}"
            read = await stage.call("GET", path)
            assert (200, reply.channel, reply.json["output"]) == (
                read.status,
                read.channel,
                read.json["output"],
            )
            stranger = await stage.call("GET", path, key=OTHER_KEY)
            assert (404, "response_not_found") == (stranger.status, stranger.code)
            assert is_envelope(stranger.body)
            assert 404 == (await stage.call("DELETE", path, key=OTHER_KEY)).status
            assert (await stage.call("DELETE", path)).json["deleted"]
            gone = await stage.call("GET", path)
            assert (404, "response_not_found") == (gone.status, gone.code)
    assert {"a", "b"} == {reply.channel for reply in replies}


async def test_another_key_never_reaches_it_where_one_channel_is_left(tmp_path):
    """What is somebody's is nobody else's, though there is but one place to ask; restarts too."""
    async with canned(queued("x"), said(DONE)) as only:
        async with staged_before(tmp_path, {"a": only}) as stage:
            await stage.ask("question", background=True)
            for _ in range(2):
                for method, rest in (("GET", ""), ("DELETE", ""), ("POST", "/cancel")):
                    path = f"/v1/responses/resp_x{rest}"
                    assert 404 == (await stage.call(method, path, key=OTHER_KEY)).status
                assert 200 == (await stage.call("GET", "/v1/responses/resp_x")).status
                await stage.restart()
        assert 3 == len(only.heads)


async def test_an_unknown_response_is_asked_of_the_only_channel(tmp_path):
    """One from before the gateway knew it; with several channels nobody knows whom to ask."""
    async with canned(said(DONE)) as only, staged_before(tmp_path, {"a": only}) as stage:
        assert DONE == (await stage.call("GET", "/v1/responses/resp_old")).json
    async with two_doubles(tmp_path, a=[said(DONE)], b=[said(DONE)]) as stage:
        reply = await stage.call("GET", "/v1/responses/resp_old")
        assert (404, "response_not_found") == (reply.status, reply.code)
        assert [] == [head for each in stage.upstreams.values() for head in each.heads]


CHAT_ALONE = {"apis": ["chat_completions"]}
CHAT_COMPLETION = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "model": "m",
    "choices": [{"message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}],
}


@pytest.mark.parametrize(
    ("method", "rest"),
    [("GET", ""), ("GET", "/input_items"), ("POST", "/cancel"), ("DELETE", "")],
)
async def test_a_response_that_another_api_made_is_not_found(tmp_path, method, rest):
    """No upstream keeps it, and none is asked."""
    async with (
        canned(said(CHAT_COMPLETION)) as upstream,
        staged_before(tmp_path, {"a": upstream}, channel=CHAT_ALONE) as stage,
    ):
        first = await stage.ask("question")
        reply = await stage.call(method, f"/v1/responses/{first.json['id']}{rest}")
    assert (200, 404, "response_not_found") == (first.status, reply.status, reply.code)
    assert 1 == len(upstream.heads)


async def test_an_unknown_response_is_asked_of_the_only_channel_that_may_keep_it(tmp_path):
    """Channels of other APIs keep none, however many there are."""
    async with canned() as chat, canned(said(DONE)) as only:
        channels = tuple(
            {
                "name": name,
                "base_url": f"{each.url}/v1",
                "api_key": "sk",
                "transport": "http",
                **own,
            }
            for name, each, own in (("a", chat, CHAT_ALONE), ("b", only, {}))
        )
        async with staged_before(tmp_path, {}, channels=channels) as stage:
            reply = await stage.call("GET", "/v1/responses/resp_old")
    assert ("b", DONE, []) == (reply.channel, reply.json, chat.heads)


@pytest.mark.parametrize(
    ("method", "rest", "expected"),
    [
        ("GET", "?stream=true&starting_after=3", DONE),
        ("GET", "?include[]=file_search_call.results&include=a%2Bb%20c&x=", DONE),
        ("GET", "/input_items?limit=5&order=asc&after=msg_1", ITEMS),
        ("POST", "/cancel", DONE),
        ("DELETE", "", DELETED),
    ],
)
async def test_each_route_goes_as_it_came(method, rest, expected):
    """Its method, path and query travel unchanged, with the key of the channel."""
    async with between(said(expected)) as (upstream, connection):
        path = f"/v1/responses/resp_x{rest}"
        status, headers, body = await connection.ask(b"", method=method, path=path)
        assert (200, expected) == (status, json.loads(body))
        assert "application/json" == headers["content-type"]
        assert f"{method} {path} HTTP/1.1" == upstream.heads[0].split("\r\n")[0]
        assert "Bearer sk-upstream" == upstream.header("authorization")
        assert KEY not in upstream.heads[0]


EVENTS = [b'event: response.completed\ndata: {"sequence_number":%d}\n\n' % n for n in (4, 5)]
STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def chunk(content: bytes) -> bytes:
    """A chunk of a body."""
    return b"%x\r\n%b\r\n" % (len(content), content)


async def test_the_rest_of_a_stream_comes_as_it_is_said():
    """Each event is passed on when it comes, not at the end."""
    goes_on = asyncio.Event()
    said_so = [STREAM + chunk(EVENTS[0]), goes_on, chunk(EVENTS[1]) + chunk(b"")]
    async with between(said_so) as (_, connection):
        path = "/v1/responses/resp_x?stream=true&starting_after=3"
        await connection.send(b"", method="GET", path=path)
        head = await connection.reader.readuntil(b"\r\n\r\n")
        assert b"content-type: text/event-stream\r\n" in head
        assert EVENTS[0] in await connection.reader.readuntil(EVENTS[0])
        goes_on.set()
        assert EVENTS[1] in await connection.reader.readuntil(b"0\r\n\r\n")


async def test_a_client_that_leaves_ends_the_stream():
    """The upstream is read no further, and nothing stays open."""
    async with between([STREAM + chunk(EVENTS[0]), 30.0]) as (upstream, connection):
        path = "/v1/responses/resp_x?stream=true"
        await connection.send(b"", method="GET", path=path)
        await connection.reader.readuntil(EVENTS[0])
        connection.writer.close()
        async with asyncio.timeout(5):
            await upstream.hung_up.wait()


async def test_a_stream_that_breaks_off_is_cut():
    """The client never takes a part for the whole."""
    async with between([STREAM + chunk(EVENTS[0]), None]) as (_, connection):
        await connection.send(b"", method="GET", path="/v1/responses/resp_x?stream=true")
        rest = await connection.reader.read()
        assert EVENTS[0] in rest
        assert not rest.endswith(b"0\r\n\r\n")


@pytest.mark.parametrize(
    "name", ["..", "%2e%2e", ".", "a%2Fb", "a%3Fb=c", "a b", "%00", "ä", "x" * 300]
)
async def test_no_name_leads_elsewhere(name):
    """What is no id of a response never becomes another path of the upstream."""
    async with between(said(DONE)) as (upstream, connection):
        path = f"/v1/responses/{name}".replace(" ", "%20").encode("utf-8").decode("latin-1")
        status, _, _ = await connection.ask(b"", method="GET", path=path)
        assert status in {400, 404, 426}
        assert [] == upstream.heads


async def test_who_may_not_come_in_is_refused():
    """No key, a wrong one, and a key without this channel."""
    async with canned(said(DONE)) as upstream:
        settings = settings_for(upstream.url)
        async with serving(settings) as gateway, dial(gateway) as connection:
            connection.key = "wrong"
            path = "/v1/responses/resp_x"
            status, _, body = await connection.ask(b"", method="GET", path=path)
    assert (401, True) == (status, is_envelope(body))
    assert [] == upstream.heads


@pytest.mark.parametrize(
    ("answers", "status", "code"),
    [
        (said(GONE, 404), 404, None),
        (said({"error": {"message": "m", "code": "x"}}, 429, ["retry-after: 7"]), 429, "x"),
        (said({"error": {"message": "Wrong key sk-upstream."}}, 401), 502, "channel_refused"),
        (answer(b"<title>Bad</title>", "text/html", 502), 502, None),
        (None, 502, "upstream_disconnected"),
    ],
)
async def test_an_upstreams_error_is_its_own(answers, status, code):
    """Its status and words pass, and when to try again; never what it says of the channel's key."""
    async with between(answers) as (_, connection):
        path = "/v1/responses/resp_x"
        got, headers, body = await connection.ask(b"", method="GET", path=path)
        assert (status, code) == (got, json.loads(body)["error"]["code"])
        assert {"message", "type", "param", "code"} == set(json.loads(body)["error"])
        assert b"sk-upstream" not in body
        assert ("7" if got == 429 else None) == headers.get("retry-after")


@asynccontextmanager
async def granted(grant):
    """An upstream with a response, and a connection of a key that may so much."""
    async with (
        canned(said(DONE)) as upstream,
        serving(settings_for(upstream.url)) as gateway,
        dial(gateway) as connection,
    ):
        key = ApiKey("key_1", "limited", "", b"", replace(grant, key_id="key_1"))
        gateway.app.keys.hand_out([IssuedKey(key, Secret(connection.key))])
        yield upstream, connection


async def test_what_is_fetched_counts_against_the_limits_of_its_key():
    """A key with two requests a minute has them, whatever they are for."""
    async with granted(Grant(rates=Rates(requests_per_minute=2))) as (upstream, connection):
        replies = [
            await connection.ask(b"", method="GET", path="/v1/responses/resp_x") for _ in range(3)
        ]
    assert [200, 200, 429] == [status for status, _, _ in replies]
    assert "1" == replies[0][1]["x-ratelimit-remaining-requests"]
    assert 2 == len(upstream.heads)


async def test_a_key_without_the_channel_finds_nothing_there():
    """The one channel that there is, is none for it."""
    async with granted(Grant(channels=("ch_other",))) as (upstream, connection):
        status, _, _ = await connection.ask(b"", method="GET", path="/v1/responses/resp_x")
    assert 404 == status
    assert [] == upstream.heads


async def test_other_methods_are_refused():
    """What the API has not, the gateway has not."""
    async with between(said(DONE)) as (upstream, connection):
        for method, path in (
            ("POST", "resp_x"),
            ("GET", "resp_x/cancel"),
            ("DELETE", "resp_x/input_items"),
            ("GET", "compact"),
            ("DELETE", "input_tokens"),
        ):
            status, _, _ = await connection.ask(b"", method=method, path=f"/v1/responses/{path}")
            assert 405 == status
        assert [] == upstream.heads


COUNTING = "/v1/responses/input_tokens"
COUNTED = {"object": "response.input_tokens", "input_tokens": 11}


async def test_tokens_are_counted_by_the_channel_of_the_model():
    """The body goes to it as it is, with the channel's key; the answer comes as it is."""
    async with between(said(COUNTED), channel={"models": ["m"]}) as (upstream, connection):
        body = json.dumps({"model": "m", "input": "hi", "tools": [], "x": 0}).encode()
        body = body.replace(b'"x": 0', b'"x": 1.50')
        status, headers, told = await connection.ask(body, path=COUNTING)
        assert (200, COUNTED) == (status, json.loads(told))
        assert "main" == headers["x-longwire-channel"]
        assert upstream.heads[0].startswith("POST /v1/responses/input_tokens HTTP/1.1")
        assert "Bearer sk-upstream" == upstream.header("authorization")
        assert json.loads(body) == json.loads(upstream.bodies[0])
        assert b"1.50" in upstream.bodies[0]
        status, _, told = await connection.ask(
            json.dumps({"model": "other", "input": "hi"}).encode(),
            path=COUNTING,
        )
        assert (404, "model_not_found") == (status, json.loads(told)["error"]["code"])


async def test_tokens_behind_a_response_are_counted_where_it_is(tmp_path):
    """To count what follows a response is to name it: its upstream alone can."""
    answers = {name: [queued(f"{name}{number}") for number in range(8)] for name in "ab"}
    async with two_doubles(tmp_path, **answers) as stage:
        replies = [await stage.ask(f"question {number}") for number in range(8)]
        for each in stage.upstreams.values():
            each.answers[:] = [said(COUNTED)]
        bodies = [{"model": "m", "previous_response_id": each.json["id"]} for each in replies]
        counts = [await stage.call("POST", COUNTING, json=each) for each in bodies]
    assert {"a", "b"} == {each.channel for each in replies}
    assert [(200, each.channel, COUNTED) for each in replies] == [
        (each.status, each.channel, each.json) for each in counts
    ]


@pytest.mark.parametrize("transport", ["websocket", "auto", "http"])
async def test_tokens_are_counted_whatever_the_transport(transport):
    """It has no WebSocket form, and goes over HTTP; a channel that fails is left to the next."""
    async with (
        canned(said({"error": {"message": "no"}}, 503)) as bad,
        canned(said(COUNTED)) as good,
    ):
        settings = settings_for(bad.url, channel={"transport": transport})
        second = settings_for(good.url, channel={"name": "good", "transport": transport})
        both = settings.model_copy(update={"channels": settings.channels + second.channels})
        async with serving(both) as gateway, dial(gateway) as connection:
            for number in range(4):
                body = json.dumps({"model": "m", "input": f"hi {number}"}).encode()
                status, _, told = await connection.ask(body, path=COUNTING)
                assert (200, COUNTED) == (status, json.loads(told))
    assert bad.heads
