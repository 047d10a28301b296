"""What only Codex gets to see: notices, headers, its model list, and what it asks for beside."""

import base64
import json
from contextlib import asynccontextmanager
from dataclasses import replace

import aiohttp
import pytest
import zstandard

from longwire.core.nouns.quota import Quota, Window
from longwire.emulator import Emulator, Fault, Options, Script
from longwire.relay.channels.channel import Snapshot
from tests.conftest import KEY, serving
from tests.doubles.canned import answer, canned, sse
from tests.journeys.conftest import settings_of
from tests.server.conftest import events_of

CODEX = {"originator": "codex_exec", "user-agent": "codex_exec/0.169.0", "thread-id": "t-1"}
TRANSPORTS = pytest.mark.parametrize("transport", ["websocket", "http"])
CALLERS = pytest.mark.parametrize("headers", [CODEX, {}], ids=["codex", "other"])
LIMITED = b'{"type":"codex.rate_limits","rate_limits":{"primary":{"used_percent":40}}}'
CREATED = b'{"type":"response.created","sequence_number":0,"response":{"id":"resp_1","output":[]}}'
COMPLETED = (
    b'{"type":"response.completed","sequence_number":1,"response":{"id":"resp_1",'
    b'"status":"completed","output":[]}}'
)
USER = {"type": "message", "role": "user", "content": "hi"}


class Client:
    """A plain HTTP client with the key, and the gateway before its upstream."""

    def __init__(self, gateway, session):
        self.gateway = gateway
        self.session = session

    async def respond(self, headers=(), path="/v1/responses", **members):
        """Ask for a response; returns status, headers and body."""
        body = {"model": "gpt-5.5", "input": [USER], "stream": True, **members}
        async with self.session.post(path, json=body, headers=dict(headers)) as told:
            return told.status, told.headers, await told.read()

    async def get(self, path, **headers):
        """Ask for something beside."""
        async with self.session.get(path, headers=headers) as told:
            return told.status, told.headers, await told.read()

    def quota(self):
        """What is known of the Codex channel's quota."""
        return self.gateway.app.states.of(self.channel().endpoint).quota

    def channel(self, name="codex"):
        """A running channel."""
        channels = self.gateway.app.routing.snapshot.channels.values()
        return next(channel for channel in channels if channel.name == name)


def named(head):
    """The headers of a request."""
    pairs = (line.partition(": ") for line in head.split("\r\n")[1:])
    return {name.lower(): value for name, _, value in pairs}


def channel_to(url, **changes):
    """A Codex channel as an operator declares it."""
    return {
        "name": "codex",
        "type": "codex",
        "base_url": f"{url}/backend-api/codex",
        "api_key": "tok",
        "handshake_rate": 0,
        **changes,
    }


@asynccontextmanager
async def before(*channels, **tables):
    """A client of a gateway with these channels."""
    async with (
        serving(settings_of("", channels=channels, **tables)) as gateway,
        aiohttp.ClientSession(gateway.url, headers=gateway.headers) as session,
    ):
        yield Client(gateway, session)


@pytest.fixture
async def upstream():
    """A strict upstream that nobody gave reason to complain."""
    async with Emulator(Options(), Script(tool_rounds=0)) as running:
        yield running
        assert running.violations == []


@TRANSPORTS
@CALLERS
async def test_notices_are_for_codex_alone(upstream, transport, headers):
    """They stand outside the numbered events, which have no gap, and everybody else is spared."""
    async with before(channel_to(upstream.url, transport=transport)) as client:
        upstream.faults.add(Fault(at="mid_delta", act="extra_event"))
        status, told, body = await client.respond(headers)
        assert status == 200
        events = [event for _, event in events_of(body)]
        numbered = [event for event in events if "sequence_number" in event]
        assert [event["sequence_number"] for event in numbered] == list(range(len(numbered)))
        notices = {event["type"] for event in events if "sequence_number" not in event}
        seen = {"codex.emulator.extra", "response.metadata"} if headers else set()
        assert notices - {"codex.rate_limits"} == seen
        assert ("x-codex-turn-state" in told) == bool(headers)
        assert ("x-models-etag" in told) == bool(headers)
        assert "openai-model" not in told


@TRANSPORTS
async def test_the_channel_knows_how_much_is_used(upstream, transport):
    """Whether it was told in a frame or in headers."""
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
            status, told, _ = await client.respond(headers)
            assert (status, told["retry-after"]) == (429, "9")
            assert told.get("x-codex-primary-used-percent") == ("100" if headers else None)
        assert client.quota().quota.primary.used_percent == 100.0


async def test_a_refused_handshake_tells_how_much_is_used(upstream):
    """What stood in its headers is known, and Codex is told."""
    full = {"x-codex-primary-used-percent": "100"}
    refusal = {"status": 429, "headers": full, "times": 0}
    upstream.faults.add(Fault(at="handshake", act="error", **refusal))
    async with before(channel_to(upstream.url, transport="websocket")) as client:
        status, told, _ = await client.respond(CODEX)
        assert (status, told["x-codex-primary-used-percent"]) == (429, "100")
        assert client.quota().quota.primary.used_percent == 100.0


async def test_of_several_lists_no_mark_is_told(upstream):
    """One upstream's mark of its list would have Codex ask for the gateway's each turn."""
    channels = [channel_to(upstream.url, name=name) for name in ("one", "two")]
    async with before(*channels) as client:
        _, told, _ = await client.respond(CODEX)
        assert ("x-codex-turn-state" in told, "x-models-etag" in told) == (True, False)


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
        _, told, _ = await client.respond(CODEX)
        token = told["x-codex-turn-state"]
        for given in (token, "somebody-elses"):
            if by == "header":
                asked = client.respond({**CODEX, "x-codex-turn-state": given})
            else:
                asked = client.respond(CODEX, client_metadata={"x-codex-turn-state": given})
            assert (await asked)[0] == 200


async def test_the_routing_token_stays_with_its_account(upstream):
    """A turn that another channel serves goes without it."""
    one = channel_to(upstream.url, name="one", models=["gpt-5.5"], api_key="tok-1")
    two = channel_to(upstream.url, name="two", models=["gpt-5.2"], api_key="tok-2")
    async with before(one, two) as client:
        _, told, _ = await client.respond(CODEX)
        given = {**CODEX, "x-codex-turn-state": told["x-codex-turn-state"]}
        assert (await client.respond(given, model="gpt-5.2"))[0] == 200


@TRANSPORTS
async def test_a_client_of_the_public_api_is_served(upstream, transport):
    """Its system message, text, limits and JSON are the gateway's to bring over."""
    async with before(channel_to(upstream.url, transport=transport)) as client:
        plain = {"stream": False, "temperature": 0, "max_output_tokens": 9, "store": True}
        items = [{"role": "system", "content": "Be brief."}, USER | {"id": "item_1"}]
        for given in ("hi", items):
            status, _, body = await client.respond(**plain, input=given)
            assert (status, json.loads(body)["status"]) == (200, "completed")


async def test_as_whom_the_gateway_speaks():
    """Codex speaks for itself but for its account; for others a Codex is named."""
    stream = answer(sse(CREATED, COMPLETED))
    async with canned(stream, stream) as there:
        async with before(channel_to(there.url, transport="http")) as client:
            given = {**CODEX, "chatgpt-account-id": "mine", "x-codex-window-id": "t-1:0"}
            await client.respond(given)
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
        async with client.session.post(path, data=packed, headers=headers) as told:
            assert told.status == 200
            assert b"response.completed" in await told.read()


class TestCompaction:
    @pytest.mark.parametrize("kind", ["codex", "openai"])
    @pytest.mark.parametrize("path", ["/v1", "/backend-api/codex"])
    @TRANSPORTS
    async def test_compact(self, upstream, kind, path, transport):
        """It goes over HTTP, whatever the channel speaks; its output begins a new chain."""
        base = f"{upstream.url}/{'backend-api/codex' if kind == 'codex' else 'v1'}"
        channel = channel_to(upstream.url, type=kind, base_url=base, transport=transport)
        async with before(channel) as client:
            status, told, body = await client.respond(
                path=f"{path}/responses/compact", instructions="x", store=False
            )
            assert (status, told["x-longwire-transport"]) == (200, "http")
            output = json.loads(body)["output"]
            assert [item["type"] for item in output] == ["message", "compaction"]
            status, told, _ = await client.respond(input=[*output, USER])
            assert (status, told["x-longwire-continuity"]) == (200, "fresh")
            status, told, _ = await client.respond(CODEX, input=[*output, USER])
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
        """What the upstream says of it is told in its own words and status."""
        upstream.faults.add(Fault(at="handshake", act="refuse", status=400, message="no"))
        async with before(channel_to(upstream.url)) as client:
            status, _, body = await client.respond(path="/v1/responses/compact")
            assert (status, json.loads(body)["error"]["message"]) == (400, "no")

    async def test_get_is_no_way(self, upstream):
        """The routes say how they are used."""
        async with before(channel_to(upstream.url)) as client:
            for path in ("/v1", "/backend-api/codex"):
                status, told, _ = await client.get(f"{path}/responses/compact")
                assert (status, told["allow"]) == (405, "POST")


def _rename(client, *renames):
    """Send models by other names over the Codex channel."""
    channels = dict(client.gateway.app.routing.snapshot.channels)
    own = client.channel()
    channels[own.id] = replace(own, spec=replace(own.spec, renames=renames))
    client.gateway.app.routing.snapshot = Snapshot(channels)


class TestModels:
    async def test_the_list_as_codex_reads_it(self, upstream):
        """An upstream's own entries under the callers' names, and made ones in the same shape."""
        codex = channel_to(upstream.url, models=["gpt-5.5", "mine"])
        plain = channel_to(upstream.url, name="plain", type="openai", models=["o3"])
        async with before(codex, plain) as client:
            _rename(client, ("mine", "gpt-5.2"))
            _, told, body = await client.get("/v1/models?client_version=0.169.0")
            entries = json.loads(body)["models"]
            assert [entry["slug"] for entry in entries] == ["gpt-5.5", "mine", "o3"]
            assert len({frozenset(entry) for entry in entries}) == 1
            assert entries[1]["display_name"] == "gpt-5.2"
            assert told["etag"] == '"emulator-1"'
            path = "/backend-api/codex/models"
            status, _, again = await client.get(path, **{"if-none-match": told["etag"]})
            assert (status, again) == (304, b"")
            _, _, public = await client.get("/v1/models")
            assert [each["id"] for each in json.loads(public)["data"]] == ["gpt-5.5", "mine", "o3"]

    async def test_a_list_that_cannot_be_had_leaves_the_names(self, upstream):
        """Codex gets entries of what was declared, with an ETag of their own."""
        upstream.faults.add(Fault(at="handshake", act="error", status=500))
        async with before(channel_to(upstream.url, models=["gpt-5.5"])) as client:
            status, told, body = await client.get("/backend-api/codex/models")
            assert (status, [e["slug"] for e in json.loads(body)["models"]]) == (200, ["gpt-5.5"])
            assert told["etag"].startswith('"')


def token_of(account):
    """A sign-in with ChatGPT: its signature is nobody's business here."""
    claims = {"https://api.openai.com/auth": {"chatgpt_account_id": account}}
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{payload}.c2ln"


class TestSignedInWithChatGpt:
    async def test_the_key_stands_in_a_header_of_its_own(self, upstream, capfd):
        """Codex' own token is neither looked at, sent on, nor logged."""
        signed_in = {"authorization": f"Bearer {token_of('acc-1')}", "x-longwire-key": KEY}
        async with before(channel_to(upstream.url)) as client:
            status, _, _ = await client.respond(
                {**CODEX, **signed_in}, path="/backend-api/codex/responses"
            )
            assert status == 200
            assert upstream.turns[-1].fingerprint == "tok"
            del signed_in["x-longwire-key"]
            status, _, body = await client.respond({**CODEX, **signed_in})
            assert (status, b"x-longwire-key" in body) == (401, True)
        assert token_of("acc-1") not in "".join(capfd.readouterr())

    @pytest.mark.parametrize(
        ("given", "account"),
        [(token_of("acc-1"), "acc-1"), (KEY, ""), ("a.b.c", ""), ("a.e30.", "")],
    )
    async def test_who_the_caller_is_stands_in_its_own_token(self, upstream, given, account):
        """Nothing is told but what it says itself."""
        async with before(channel_to(upstream.url)) as client:
            _, _, body = await client.get(
                "/backend-api/wham/accounts/check", authorization=f"Bearer {given}"
            )
            assert json.loads(body) == {
                "accounts": [
                    {
                        "id": account,
                        "workspace_backend_origin": "https://chatgpt.com",
                        "account_routing_override": "NO_CONSTRAINT",
                    }
                ]
            }

    async def test_usage_is_that_of_the_callers_channels(self, upstream):
        """With a key the freest subscription is told, without one none."""
        async with before(channel_to(upstream.url)) as client:
            soon = 9_999_999_999.0
            client.quota().observe(
                Quota("pro", Window(100.0, 300, soon), limit_reached=True, seen_at=1.0)
            )
            _, _, body = await client.get("/backend-api/wham/usage")
            told = json.loads(body)
            assert (told["plan_type"], told["rate_limit"]["limit_reached"]) == ("pro", True)
            assert told["rate_limit"]["primary_window"]["used_percent"] == 100
            assert told["rate_limit"]["primary_window"]["limit_window_seconds"] == 18_000
            foreign = {"authorization": f"Bearer {token_of('acc-1')}"}
            _, _, body = await client.get("/backend-api/wham/usage", **foreign)
            told = json.loads(body)
            assert (told["plan_type"], told["rate_limit"]["allowed"]) == ("unknown", True)

    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("GET", "wham/settings/user", 200),
            ("GET", "ps/plugins/installed?limit=200", 200),
            ("GET", "ps/plugins/suggested/codex", 200),
            ("POST", "ps/mcp", 404),
            ("POST", "codex/analytics-events/events", 202),
        ],
    )
    async def test_what_else_it_asks_for(self, upstream, method, path, status):
        """Each is answered so that Codex goes on."""
        async with before(channel_to(upstream.url)) as client:
            asked = client.session.request(method, f"/backend-api/{path}", data=b"{}")
            async with asked as told:
                assert (told.status, type(await told.json())) == (status, dict)
