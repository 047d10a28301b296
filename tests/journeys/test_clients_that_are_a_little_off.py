"""Clients that mean well and are a little off are served, or told the very thing and the mend."""

import json
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
import pytest

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


@asynccontextmanager
async def before(*answers, server=None, keys=KEYS):
    """A client without any key, and the upstream behind its gateway."""
    async with canned(*(answers or [GOOD])) as upstream, AsyncExitStack() as stack:
        channel = {"name": "a", "base_url": upstream.url, "api_key": "sk-op", "models": ["m"]}
        settings = Settings(
            channels=({**channel, "transport": "http"},), api_keys=keys, server=server or {}
        )
        gateway = await stack.enter_async_context(serving(settings))
        client = aiohttp.ClientSession(gateway.url)
        yield await stack.enter_async_context(client), upstream


async def ask(client, path="/v1/responses", *, method="POST", key=KEY, body=TURN, **headers):
    """Status, headers and body of an answer; no redirect is followed."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    if key:
        named["authorization"] = f"Bearer {key}"
    content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    request = client.request(method, path, headers=named, data=content, allow_redirects=False)
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
