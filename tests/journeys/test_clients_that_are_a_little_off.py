"""Clients that mean well and are a little off are served, or told the very thing and the mend."""

import json
from contextlib import AsyncExitStack, asynccontextmanager
from typing import NamedTuple

import aiohttp
import pytest
from yarl import URL

from longwire.core.nouns.access import ApiKey, Grant, IssuedKey
from longwire.core.nouns.secret import Secret
from longwire.settings import Settings
from tests.conftest import serving
from tests.doubles.canned import answer, canned

KEY = "lw-key-one"
TURN = {"model": "m", "input": "hi"}
KEYS = ({"name": "one", "key": KEY},)
ITEM = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "content": [{"type": "output_text", "text": "hello", "annotations": []}],
}
EVENTS = (
    {"type": "response.created", "response": {"id": "resp_1", "status": "in_progress"}},
    {"type": "response.output_item.added", "output_index": 0, "item": {**ITEM, "content": []}},
    {"type": "response.output_text.delta", "output_index": 0, "delta": "hello"},
    {"type": "response.output_item.done", "output_index": 0, "item": ITEM},
    {
        "type": "response.completed",
        "response": {"id": "resp_1", "status": "completed", "output": [ITEM]},
    },
)
GOOD = answer(b"".join(b"data: %b\n\n" % json.dumps(each).encode() for each in EVENTS))


class Client(NamedTuple):
    """Who asks the gateway at a URL."""

    session: aiohttp.ClientSession
    url: str


@asynccontextmanager
async def before(*answers, server=None, keys=KEYS, channel=(), names="a"):
    """A client without any key, and the upstream behind its gateway."""
    async with canned(*(answers or [GOOD])) as upstream, AsyncExitStack() as stack:
        declared = {"base_url": upstream.url, "api_key": "sk-op", "models": ["m"]}
        declared |= {"transport": "http", **dict(channel)}
        channels = tuple({"name": name, **declared} for name in names)
        settings = Settings(channels=channels, api_keys=keys, server=server or {})
        gateway = await stack.enter_async_context(serving(settings))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        yield Client(session, gateway.url), upstream


async def ask(client, path="/v1/responses", *, method="POST", key=KEY, body=TURN, **headers):
    """Status, headers and body of an answer; no redirect is followed."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    if key:
        named["authorization"] = f"Bearer {key}"
    content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    url, options = URL(client.url + path, encoded=True), {"allow_redirects": False}
    request = client.session.request(method, url, headers=named, data=content, **options)
    async with request as reply:
        return reply.status, reply.headers, await reply.read()


def words(body: bytes) -> str:
    """The message of OpenAI's envelope."""
    return json.loads(body)["error"]["message"]


class TestKeys:
    @pytest.mark.parametrize("name", ["x_api_key", "api_key", "x_goog_api_key"])
    async def test_in_another_usual_header(self, name):
        """It opens the door, a wrong one does not, and it never goes upstream."""
        async with before() as (client, upstream):
            assert 200 == (await ask(client, key="", **{name: KEY}))[0]
            status, _, body = await ask(client, key="", **{name: "wrong"})
            assert (401, True) == (status, name.replace("_", "-") in words(body))
            (head,) = upstream.heads
            assert KEY not in head
            assert name.replace("_", "-") not in head.lower()

    @pytest.mark.parametrize("authorization", ["Bearer ", "Bearer", "", "Bearer not-needed"])
    async def test_none_where_none_is_configured(self, authorization):
        """Whatever a program puts there that insists on a key, its caller is anonymous."""
        server = {"allow_anonymous": True}
        async with before(server=server, keys=()) as (client, upstream):
            status, _, _ = await ask(client, key="", authorization=authorization)
            assert (200, 1) == (status, len(upstream.bodies))

    async def test_a_wrong_one_beside_good_ones(self):
        """As long as there are keys, a typing error makes nobody anonymous."""
        async with before(server={"allow_anonymous": True}) as (client, _):
            assert 401 == (await ask(client, key="wrong"))[0]
            assert 200 == (await ask(client, key="", authorization="Bearer "))[0]


class TestTexts:
    @pytest.mark.parametrize("text", [r"cut \ud83d", r"a \ud83d b", r"low \ude00 half"])
    @pytest.mark.parametrize("streams", [b"true", b"false"])
    async def test_half_an_emoji_in_the_output_of_a_tool(self, text, streams):
        """A text that was cut at a byte count goes upstream with its escape, as it stands."""
        item = b'{"type":"function_call_output","call_id":"c1","output":"%b"}' % text.encode()
        body = b'{"model":"m","stream":%b,"input":[%b]}' % (streams, item)
        async with before() as (client, upstream):
            assert 200 == (await ask(client, body=body))[0]
            assert b'"input":[%b]' % item in upstream.bodies[0]

    @pytest.mark.parametrize("type_", ["openai", "codex"])
    async def test_half_an_emoji_in_any_place_of_an_item(self, type_):
        """Nothing that looks into an item stumbles: each travels with its escape, or is refused."""
        places = [
            '{"role":"system","content":[{"type":"input_text","text":"HALF"}]}',
            '{"role":"HALF","content":"hi"}',
            '{"type":"HALF","id":"HALF"}',
            '{"type":"item_reference","id":"HALF"}',
            '{"id":"HALF"}',
            '{"type":"message","id":"HALF","role":"assistant","content":"HALF"}',
            '{"type":"function_call","id":"fc_HALF","call_id":"HALF","name":"HALF","arguments":"HALF"}',
            '{"type":"reasoning","summary":[],"encrypted_content":"HALF","id":"rs_HALF"}',
            '{"role":"user","content":[{"type":"input_file","file_id":"HALF"}]}',
            '{"HALF":["HALF",{"HALF":"HALF"}]}',
            '"HALF"',
        ]
        async with before(channel={"type": type_}, names="ab") as (client, upstream):
            for place in places:
                item = place.replace("HALF", r"\ud83d")
                question = '{"role":"user","content":"hi"}'
                body = f'{{"model":"m","input":[{question},{item},{question}]}}'.encode()
                status, _, said = await ask(client, body=body, session_id=place)
                assert status in (200, 400), said
                is_passed = status == 400 or rb"\ud83d" in upstream.bodies[-1] or type_ == "codex"
                assert is_passed, place
        assert len(upstream.bodies) >= (8 if type_ == "codex" else len(places))

    async def test_half_an_emoji_where_a_name_is_needed(self):
        """The refusal says what is wrong with which member."""
        async with before() as (client, upstream):
            status, _, body = await ask(client, body=rb'{"model":"m\ud83d","input":"hi"}')
            error = json.loads(body)["error"]
            assert (400, "model", True) == (
                status,
                error["param"],
                "half an emoji" in error["message"],
            )
            assert [] == upstream.bodies

    async def test_a_byte_order_mark_before_the_body(self):
        """Some editors and shells write one: it is passed over."""
        async with before() as (client, upstream):
            body = b"\xef\xbb\xbf" + json.dumps(TURN).encode()
            assert 200 == (await ask(client, body=body))[0]
            assert "hi" == json.loads(upstream.bodies[0])["input"]

    async def test_a_body_in_utf_16(self):
        """Others write that: the refusal names it, and the mend."""
        async with before() as (client, _):
            status, _, body = await ask(client, body=json.dumps(TURN).encode("utf-16"))
            assert (400, True) == (status, "UTF-16; send it in UTF-8" in words(body))


class TestPaths:
    @pytest.mark.parametrize(
        "path",
        [
            "/v1/responses/",
            "/v1/responses//",
            "/v1//responses",
            "//v1/responses",
            "/v1/responses/?x=1",
            "/v1/responses?x=1",
            "/v1/v1/responses",
            "/v1/v1/v1/responses/",
            "/responses",
            "/responses/?x=1",
            "/v1/responses%2F",
            "/v1/responses/compact/",
            "/responses/compact",
            "/backend-api/codex/responses/",
            "/backend-api/codex//responses/compact/",
        ],
    )
    async def test_of_turns(self, path):
        """A slash too many, a version too many or none: served as meant, and only with a key."""
        compacted = b'{"id":"c","object":"response.compaction","output":[]}'
        said = answer(compacted, "application/json") if "compact" in path else GOOD
        async with before(said) as (client, upstream):
            assert 401 == (await ask(client, path, key=""))[0]
            assert 200 == (await ask(client, path))[0]
            assert 1 == len(upstream.bodies)

    @pytest.mark.parametrize(
        "path", ["/v1/models/", "/v1//models", "/v1/v1/models", "/models", "/models/?x=1"]
    )
    async def test_of_models(self, path):
        """The list is found in the same way; so is one model."""
        async with before() as (client, _):
            status, _, body = await ask(client, path, method="GET", body=None)
            assert (200, ["m"]) == (status, [each["id"] for each in json.loads(body)["data"]])
            path = path.partition("?")[0].rstrip("/") + "/m/"
            status, _, body = await ask(client, path, method="GET", body=None)
            assert (200, "m") == (status, json.loads(body)["id"])

    @pytest.mark.parametrize("path", ["/health/", "/ready/", "/metrics//", "/openapi.json/"])
    async def test_of_probes(self, path):
        """Those who watch the gateway are not redirected either."""
        async with before() as (client, _):
            assert 200 == (await ask(client, path, method="GET", key="", body=None))[0]

    async def test_of_upgrades(self):
        """A WebSocket is found in the same way."""
        async with before() as (client, _):
            for path in ("/v1/responses/", "/v1/v1/responses", "/responses"):
                headers = {"authorization": f"Bearer {KEY}"}
                connecting = client.session.ws_connect(client.url + path, headers=headers)
                async with connecting as socket:
                    await socket.send_str(json.dumps({"type": "response.create", **TURN}))
                    assert "response.created" == (await socket.receive_json())["type"]

    @pytest.mark.parametrize(
        ("path", "words_in_it"),
        [
            ("/openai/v1/responses", "as in /v1/responses."),
            ("/api/responses/compact", "as in /v1/responses/compact."),
            ("/v2/models", "as in /v1/models."),
            ("/v1/response", "POST /v1/response; the base URL ends in /v1, as in /v1/responses."),
        ],
    )
    async def test_that_lead_nowhere(self, path, words_in_it):
        """The error names the right URL."""
        async with before() as (client, _):
            status, _, body = await ask(client, path)
            assert (404, True) == (status, words_in_it in words(body))

    @pytest.mark.parametrize(
        ("path", "name"),
        [
            ("/v1beta/models/gemini-x:embedContent", "Gemini's API"),
            ("/v1/batches", "the API of this path"),
            ("/v1/images/variations", "the API of this path"),
        ],
    )
    async def test_of_another_api(self, path, name):
        """Its client is told which one is spoken here, in the envelope that it reads."""
        async with before() as (client, _):
            status, headers, body = await ask(client, path)
            answered = json.loads(body)
        assert (404, "application/json") == (status, headers["content-type"])
        assert "serves POST /v1/responses, /v1/chat/completions" in answered["error"]["message"]
        assert name in answered["error"]["message"]
        if "Gemini" in name:
            assert (404, "NOT_FOUND") == (answered["error"]["code"], answered["error"]["status"])
        else:
            assert "unknown_url" == answered["error"]["code"]

    @pytest.mark.parametrize(
        ("method", "path", "allow"),
        [
            ("PUT", "/v1/responses", "GET, HEAD, POST"),
            ("GET", "/v1/responses/compact/", "POST"),
            ("DELETE", "/v1/models", "GET, HEAD"),
            ("PATCH", "/responses", "GET, HEAD, POST"),
        ],
    )
    async def test_with_another_method(self, method, path, allow):
        """405 says in `Allow` and in words which ones there are; OPTIONS asks for the same."""
        async with before() as (client, _):
            status, headers, body = await ask(client, path, method=method)
            assert (405, allow) == (status, headers["allow"])
            assert f"use {allow}." in words(body)
            status, headers, body = await ask(client, path, method="OPTIONS", key="", body=None)
            assert (204, f"{allow}, OPTIONS", b"") == (status, headers["allow"], body)
            assert not [name for name in headers if name.lower().startswith("access-control")]


PAGE = "http://localhost:5173"
CORS = {"cors_origins": [PAGE]}
PREFLIGHT = {
    "origin": PAGE,
    "access_control_request_method": "POST",
    "access_control_request_headers": "authorization,content-type",
}


def cors_of(headers) -> dict[str, str]:
    """What of some headers is for browsers, by the rest of its name."""
    start = "access-control-"
    found = {name.lower(): text for name, text in headers.items()}
    return {name.removeprefix(start): found[name] for name in found if name.startswith(start)}


class TestPages:
    @pytest.mark.parametrize(
        "path", ["/v1/responses", "/v1/responses/", "/responses", "/v1/models"]
    )
    async def test_ask_beforehand(self, path):
        """A preflight has no key; the page may send what it announces."""
        async with before(server=CORS) as (client, _):
            status, headers, body = await ask(
                client, path, method="OPTIONS", key="", body=None, **PREFLIGHT
            )
        said = cors_of(headers)
        assert (204, b"", PAGE) == (status, body, said["allow-origin"])
        assert "POST" in said["allow-methods"]
        assert "authorization,content-type" == said["allow-headers"]

    @pytest.mark.parametrize("stream", [True, False])
    async def test_read_answers(self, stream):
        """A turn, streamed or whole, shows its page everything, the gateway's headers too."""
        async with before(server=CORS) as (client, _):
            status, headers, _ = await ask(client, body={**TURN, "stream": stream}, origin=PAGE)
        expected = {"allow-origin": PAGE, "expose-headers": "*"}
        assert (200, expected, "origin") == (status, cors_of(headers), headers["vary"])

    async def test_read_errors_and_lists(self):
        """Why it was refused, too: by the turns, the router and a channel."""
        failed = answer(b'{"error":{"message":"no","code":"x"}}', "application/json", 400)
        async with before(failed, server=CORS) as (client, _):
            answers = [
                await ask(client, key="", origin=PAGE),
                await ask(client, origin=PAGE),
                await ask(client, "/v1/models", method="GET", body=None, origin=PAGE),
                await ask(client, "/v1/models", method="GET", key="", body=None, origin=PAGE),
                await ask(client, "/v1/batches", origin=PAGE),
                await ask(client, method="PUT", origin=PAGE),
            ]
        assert [401, 400, 200, 401, 404, 405] == [status for status, _, _ in answers]
        assert [PAGE] * 6 == [cors_of(headers)["allow-origin"] for _, headers, _ in answers]

    async def test_of_others_read_nothing(self):
        """For a foreign origin, or without the setting, no header says that it may."""
        for server, origin in ((CORS, "http://evil.example"), ({}, PAGE)):
            preflight = {**PREFLIGHT, "origin": origin}
            async with before(server=server) as (client, _):
                answers = [
                    await ask(client, origin=origin),
                    await ask(client, "/v1/models", method="GET", body=None, origin=origin),
                    await ask(client, method="OPTIONS", key="", body=None, **preflight),
                ]
            assert [200, 200, 204] == [status for status, _, _ in answers]
            assert [{}] * 3 == [cors_of(headers) for _, headers, _ in answers]

    async def test_have_no_business_with_the_admin_api(self):
        """Nothing outside the data plane may be read by another page, whatever the setting."""
        async with before(server={"cors_origins": ["*"]}) as (client, _):
            answers = [
                await ask(
                    client, "/admin/graphql", key="", body={"query": "{me{id}}"}, origin=PAGE
                ),
                await ask(
                    client, "/admin/graphql", method="OPTIONS", key="", body=None, **PREFLIGHT
                ),
                await ask(client, "/", method="GET", key="", body=None, origin=PAGE),
            ]
        assert [{}] * 3 == [cors_of(headers) for _, headers, _ in answers]


class TestPagesWithoutAKey:
    async def test_are_let_in_by_name(self):
        """A page that is named calls like anybody, over WebSocket, too."""
        async with before(server={**CORS, "allow_anonymous": True}, keys=()) as (client, upstream):
            assert 200 == (await ask(client, key="", origin=PAGE))[0]
            connecting = client.session.ws_connect(f"{client.url}/v1/responses", origin=PAGE)
            async with connecting as socket:
                await socket.send_str(json.dumps({"type": "response.create", **TURN}))
                assert "response.created" == (await socket.receive_json())["type"]
            assert 2 == len(upstream.bodies)

    async def test_are_refused_unnamed(self):
        """Neither a form's POST nor a WebSocket asks beforehand: the gateway looks itself."""
        origin = "http://evil.example"
        async with before(server={**CORS, "allow_anonymous": True}, keys=()) as (client, upstream):
            assert 401 == (await ask(client, key="", origin=origin, content_type="text/plain"))[0]
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await client.session.ws_connect(f"{client.url}/v1/responses", origin=origin)
            assert (401, []) == (refused.value.status, upstream.bodies)


class TestKeysWithoutEveryChannel:
    @pytest.mark.parametrize("upstream_of_a", ["good", "gone"])
    async def test_hear_nothing_of_the_others(self, upstream_of_a):
        """Neither name nor address of a channel that a key may not use is in any answer to it."""
        async with canned(GOOD) as upstream:
            url = upstream.url if upstream_of_a == "good" else "http://127.0.0.1:1"
            declared = [
                {"name": "a", "base_url": url, "models": ["m"]},
                {"name": "hidden", "base_url": "http://127.0.0.1:2", "models": ["m", "h", "h-*"]},
                {"name": "hidden-off", "models": ["m", "o"], "enabled": False},
            ]
            channels = [{**each, "api_key": "sk-op", "transport": "http"} for each in declared]
            async with serving(Settings(channels=channels)) as gateway:
                grant = Grant("key_1", channels=("file:a",))
                issued = IssuedKey(ApiKey("key_1", "one", "", b"", grant), Secret(KEY))
                gateway.app.keys.hand_out([issued])
                async with aiohttp.ClientSession() as session:
                    answers = await self._answers(Client(session, gateway.url))
        assert {200, 404, 502} >= {status for status, _, _ in answers}
        assert [] == [each for each in answers if "hidden" in str(each) or ":2/" in str(each)]

    async def _answers(self, client):
        """Ask for everything that might tell."""
        bodies = [{**TURN, "model": name} for name in ("m", "h", "h-1", "o", "none")]
        bodies += [{**each, "stream": True} for each in bodies]
        bodies += [{**each, "background": True} for each in bodies]
        answers = [await ask(client, body=each) for each in bodies]
        answers += [await ask(client, "/v1/responses/compact", body=each) for each in bodies]
        paths = ("/v1/models", "/v1/models/h", "/v1/models?client_version=1")
        answers += [await ask(client, path, method="GET", body=None) for path in paths]
        return answers
