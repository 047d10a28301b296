"""What only Codex gets to see: notices and headers; and what it sends, compaction too."""

import json

import pytest
import zstandard

from longwire.core.nouns.quota import Quota
from longwire.emulator import Fault
from tests.doubles.canned import answer, canned, sse
from tests.server.conftest import events_of
from tests.server.data.codex_channels import CODEX, USER, before, channel_to

TRANSPORTS = pytest.mark.parametrize("transport", ["websocket", "http"])
CALLERS = pytest.mark.parametrize("headers", [CODEX, {}], ids=["codex", "other"])
LIMITED = b'{"type":"codex.rate_limits","rate_limits":{"primary":{"used_percent":40}}}'
CREATED = b'{"type":"response.created","sequence_number":0,"response":{"id":"resp_1","output":[]}}'
COMPLETED = (
    b'{"type":"response.completed","sequence_number":1,"response":{"id":"resp_1",'
    b'"status":"completed","output":[]}}'
)


def named(head):
    """The headers of a request."""
    pairs = (line.partition(": ") for line in head.split("\r\n")[1:])
    return {name.lower(): value for name, _, value in pairs}


@TRANSPORTS
@CALLERS
async def test_notices_are_for_codex_alone(upstream, transport, headers):
    """They stand outside the numbered events, which have no gap, and everybody else is spared."""
    async with before(channel_to(upstream.url, transport=transport)) as client:
        upstream.faults.add(Fault(at="mid_delta", act="extra_event"))
        status, received, body = await client.respond(headers)
        assert status == 200
        events = [event for _, event in events_of(body)]
        numbered = [event for event in events if "sequence_number" in event]
        assert [event["sequence_number"] for event in numbered] == list(range(len(numbered)))
        notices = {event["type"] for event in events if "sequence_number" not in event}
        seen = {"codex.emulator.extra", "response.metadata"} if headers else set()
        assert notices - {"codex.rate_limits"} == seen
        assert ("x-codex-turn-state" in received) == bool(headers)
        assert ("x-models-etag" in received) == bool(headers)
        assert "openai-model" not in received


@TRANSPORTS
async def test_the_channel_knows_how_much_is_used(upstream, transport):
    """Whether it stood in a frame or in headers."""
    async with before(channel_to(upstream.url, transport=transport)) as client:
        assert client.quota().quota == Quota()
        await client.respond()
        assert client.quota().quota.primary.used_percent == 1.0


async def test_a_refusal_tells_how_much_is_used(upstream):
    """The headers of a 429 reach the channel, Codex, and no other caller."""
    full = {"x-codex-primary-used-percent": "100", "retry-after": "9"}
    async with before(channel_to(upstream.url, transport="http")) as client:
        for headers in (CODEX, {}):
            upstream.faults.add(
                Fault(at="before_create", act="error", status=429, code="x", headers=full)
            )
            status, received, _ = await client.respond(headers)
            assert (status, received["retry-after"]) == (429, "9")
            assert received.get("x-codex-primary-used-percent") == ("100" if headers else None)
        assert client.quota().quota.primary.used_percent == 100.0


async def test_a_refused_handshake_tells_how_much_is_used(upstream):
    """What stood in its headers is known, and Codex gets it."""
    full = {"x-codex-primary-used-percent": "100"}
    refusal = {"status": 429, "headers": full, "times": 0}
    upstream.faults.add(Fault(at="handshake", act="error", **refusal))
    async with before(channel_to(upstream.url, transport="websocket")) as client:
        status, headers, _ = await client.respond(CODEX)
        assert (status, headers["x-codex-primary-used-percent"]) == (429, "100")
        assert client.quota().quota.primary.used_percent == 100.0


async def test_of_several_lists_no_mark_is_told(upstream):
    """One upstream's mark of its list would have Codex ask for the gateway's each turn."""
    channels = [channel_to(upstream.url, name=name) for name in ("one", "two")]
    async with before(*channels) as client:
        _, headers, _ = await client.respond(CODEX)
        assert ("x-codex-turn-state" in headers, "x-models-etag" in headers) == (True, False)


async def test_a_notice_is_no_beginning():
    """What breaks behind notices alone is made good, and the client sees one clean stream."""
    first = [answer(sse(LIMITED), size=9999), None]
    second = answer(sse(LIMITED, CREATED, COMPLETED))
    async with canned(first, second) as there:
        one = channel_to(there.url, name="one", transport="http", weight=1000.0)
        two = channel_to(there.url, name="two", transport="http", weight=0.001)
        async with before(one, two) as client:
            status, _, body = await client.respond(CODEX)
            kinds = [event["type"] for _, event in events_of(body)]
    assert (status, kinds) == (
        200,
        ["codex.rate_limits", "response.created", "response.completed"],
    )


@TRANSPORTS
@pytest.mark.parametrize("by", ["header", "metadata"])
async def test_the_routing_token_goes_back_to_its_account(upstream, transport, by):
    """Whichever way it came and comes back; the upstream would refuse one that is not its own."""
    async with before(channel_to(upstream.url, transport=transport)) as client:
        _, headers, _ = await client.respond(CODEX)
        token = headers["x-codex-turn-state"]
        for state in (token, "somebody-elses"):
            if by == "header":
                response = client.respond({**CODEX, "x-codex-turn-state": state})
            else:
                response = client.respond(CODEX, client_metadata={"x-codex-turn-state": state})
            assert (await response)[0] == 200


async def test_the_routing_token_stays_with_its_account(upstream):
    """A turn that another channel serves goes without it."""
    one = channel_to(upstream.url, name="one", models=["gpt-5.5"], api_key="tok-1")
    two = channel_to(upstream.url, name="two", models=["gpt-5.2"], api_key="tok-2")
    async with before(one, two) as client:
        _, headers, _ = await client.respond(CODEX)
        sent = {**CODEX, "x-codex-turn-state": headers["x-codex-turn-state"]}
        assert (await client.respond(sent, model="gpt-5.2"))[0] == 200


@TRANSPORTS
async def test_a_client_of_the_public_api_is_served(upstream, transport):
    """Its system message, text, limits and JSON are the gateway's to bring over."""
    async with before(channel_to(upstream.url, transport=transport)) as client:
        plain = {"stream": False, "temperature": 0, "max_output_tokens": 9, "store": True}
        items = [{"role": "system", "content": "Be brief."}, USER | {"id": "item_1"}]
        for question in ("hi", items):
            status, _, body = await client.respond(**plain, input=question)
            assert (status, json.loads(body)["status"]) == (200, "completed")


async def test_as_whom_the_gateway_speaks():
    """Codex speaks for itself but for its account; for others a Codex is named."""
    stream = answer(sse(CREATED, COMPLETED))
    async with canned(stream, stream) as there:
        async with before(channel_to(there.url, transport="http")) as client:
            sent = {**CODEX, "chatgpt-account-id": "mine", "x-codex-window-id": "t-1:0"}
            await client.respond(sent)
            await client.respond({"openai-beta": "x", "originator": "me", "thread-id": "t"})
        heads = [
            {
                name: named(head).get(name)
                for name in (*CODEX, "chatgpt-account-id", "x-codex-window-id")
            }
            for head in there.heads
        ]
    assert heads == [
        {**CODEX, "chatgpt-account-id": None, "x-codex-window-id": "t-1:0"},
        {
            "originator": "codex_cli_rs",
            "user-agent": "codex_cli_rs/0.169.0 (Linux; x86_64) unknown",
            "thread-id": None,
            "chatgpt-account-id": None,
            "x-codex-window-id": None,
        },
    ]


async def test_zstd_as_codex_sends_it(upstream):
    """A body in Codex' own packing."""
    async with before(channel_to(upstream.url)) as client:
        body = json.dumps({"model": "gpt-5.5", "input": [USER], "stream": True}).encode()
        packed = zstandard.ZstdCompressor(3).compress(body)
        headers = {**CODEX, "content-encoding": "zstd", "content-type": "application/json"}
        path = "/backend-api/codex/responses"
        async with client.session.post(path, data=packed, headers=headers) as response:
            assert response.status == 200
            assert b"response.completed" in await response.read()


class TestCompaction:
    @pytest.mark.parametrize("kind", ["codex", "openai"])
    @pytest.mark.parametrize("path", ["/v1", "/backend-api/codex"])
    @TRANSPORTS
    async def test_compact(self, upstream, kind, path, transport):
        """It goes over HTTP, whatever the channel speaks; its output begins a new chain."""
        base = f"{upstream.url}/{'backend-api/codex' if kind == 'codex' else 'v1'}"
        channel = channel_to(upstream.url, type=kind, base_url=base, transport=transport)
        async with before(channel) as client:
            status, headers, body = await client.respond(
                path=f"{path}/responses/compact", instructions="x", store=False
            )
            assert (status, headers["x-longwire-transport"]) == (200, "http")
            output = json.loads(body)["output"]
            assert [item["type"] for item in output] == ["message", "compaction"]
            status, headers, _ = await client.respond(input=[*output, USER])
            assert (status, headers["x-longwire-continuity"]) == (200, "fresh")
            status, headers, _ = await client.respond(CODEX, input=[*output, USER])
        assert upstream.counters.compactions == 1

    async def test_it_needs_a_key(self, upstream):
        """As all of the data plane does."""
        async with before(channel_to(upstream.url)) as client:
            wrong = {"authorization": "Bearer wrong"}
            status, _, _ = await client.respond(wrong, path="/v1/responses/compact")
            assert status == 401

    async def test_another_channel_takes_over(self, upstream):
        """A channel that fails is no end of it."""
        upstream.faults.add(Fault(at="handshake", act="refuse", status=503))
        channels = [channel_to(upstream.url, name=name, api_key=name) for name in ("one", "two")]
        async with before(*channels) as client:
            status, _, _ = await client.respond(path="/v1/responses/compact")
            assert (status, upstream.counters.compactions) == (200, 1)

    async def test_refusals_pass_on(self, upstream):
        """What the upstream says of it reaches the client in its own words and status."""
        upstream.faults.add(Fault(at="handshake", act="refuse", status=400, message="no"))
        async with before(channel_to(upstream.url)) as client:
            status, _, body = await client.respond(path="/v1/responses/compact")
            assert (status, json.loads(body)["error"]["message"]) == (400, "no")

    async def test_get_is_no_way(self, upstream):
        """The routes say how they are used."""
        async with before(channel_to(upstream.url)) as client:
            for path in ("/v1", "/backend-api/codex"):
                status, headers, _ = await client.get(f"{path}/responses/compact")
                assert (status, headers["allow"]) == (405, "POST")
