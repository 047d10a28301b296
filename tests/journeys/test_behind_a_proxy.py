"""Before a gateway: HAProxy, Envoy, nginx and Caddy, each as the documentation prints it."""

import io
import json
import time
from contextlib import AsyncExitStack
from urllib.parse import urlsplit

import aiohttp
import pytest
from websockets.asyncio.client import connect

from longwire.app import opening
from longwire.core.rules.session import SESSION_HEADERS
from tests.conftest import KEY
from tests.doubles.authority import Authority
from tests.doubles.canned import answer, canned
from tests.doubles.reverse_proxies import PROXIES, before, free_port
from tests.doubles.sockets import Socket, user
from tests.journeys.agent import scripted
from tests.journeys.conftest import settings_of

pytestmark = [pytest.mark.process, pytest.mark.parametrize("name", PROXIES)]

BEARER = {"authorization": f"Bearer {KEY}"}
CSRF = {"x-longwire-csrf": "1"}
LARGE = b"x" * 5_000_000
LONG_HEADS = (
    {"x-long": "x" * 60_000},
    {f"x-{number}": "x" * 9 for number in range(900)},
)
DROPPED_BY_CADDY = {"session_id", "conversation_id"}


@pytest.fixture
async def proxied(tmp_path, name):
    """A function from ports of gateways to a client of the proxy before them."""
    async with AsyncExitStack() as stack:

        async def start(*urls):
            ports = [urlsplit(url).port for url in urls]
            authority = Authority(tmp_path)
            proxy = await stack.enter_async_context(before(name, tmp_path / name, authority, ports))
            connector = aiohttp.TCPConnector(ssl=proxy.trust)
            client = aiohttp.ClientSession(proxy.origin, connector=connector, headers=BEARER)
            return proxy, await stack.enter_async_context(client)

        yield start


def turns(upstream):
    """The heads of the turns that came; a proxy asks for `/ready` as well."""
    return [head for head in upstream.heads if head.startswith("POST")]


async def test_events_pass_one_by_one(proxied, gateway):
    """The first is there long before the last; a stream is not collected."""
    _, client = await proxied(gateway.url)
    script = scripted(delay_ms=100)
    body = {"model": "gpt-5.5", "input": "hi", "stream": True, "metadata": script}
    async with client.post("/v1/responses", json=body) as response:
        first = await response.content.readuntil(b"\n\n")
        came = time.monotonic()
        rest = await response.read()
    assert b"response.created" in first
    assert b"response.completed" in rest
    assert time.monotonic() - came > 0.3


async def test_websockets_pass(proxied, gateway):
    """A client over WebSocket has its turns."""
    proxy, _ = await proxied(gateway.url)
    url = proxy.origin.replace("http", "ws", 1) + "/v1/responses"
    options = {"ssl": proxy.trust, "proxy": None, "close_timeout": 2}
    async with connect(url, additional_headers=BEARER, **options) as connection:
        client = Socket(connection, {"model": "gpt-5.5"})
        assert "completed" == (await client.ask(user("hi")))["status"]


async def test_a_page_of_its_own_origin_is_let_in(proxied, emulator, serve, tmp_path):
    """On a port that is not 443, too; one of another origin is not."""
    settings = settings_of(emulator.url, database={"url": f"sqlite:///{tmp_path / 'l.db'}"})
    gateway = await serve(settings, opening(settings))
    proxy, client = await proxied(gateway.url)
    codes = {}
    for origin in (proxy.origin, "https://evil.example"):
        headers = {"origin": origin, **CSRF}
        body = {"query": "{ channels { nodes { id } } }"}
        async with client.post("/admin/graphql", json=body, headers=headers) as response:
            errors = json.loads(await response.read())["errors"]
            codes[origin] = response.status, errors[0]["extensions"]["code"]
    assert (200, "UNAUTHENTICATED") == codes[proxy.origin]
    assert (403, "FORBIDDEN") == codes["https://evil.example"]


SIGN_IN = """mutation {
  signIn(input: {email: "o@example.org", password: "wrong wrong wrong"}) { id }
}"""


async def test_wrong_passwords_count_by_who_sends_them(proxied, emulator, serve, tmp_path):
    """One client guesses without an end; another signs in, whatever either says of itself."""
    server = {"trusted_proxies": ["127.0.0.1"], "insecure_cookies": True}
    database = {"url": f"sqlite:///{tmp_path / 'l.db'}"}
    settings = settings_of(emulator.url, server=server, database=database)
    gateway = await serve(settings, opening(settings))
    proxy, _ = await proxied(gateway.url)

    async def guesses(address, times):
        connector = aiohttp.TCPConnector(ssl=proxy.trust, local_addr=(address, 0))
        async with aiohttp.ClientSession(proxy.origin, connector=connector) as client:
            for number in range(times):
                headers = {**CSRF, "x-forwarded-for": f"10.0.0.{number}, 127.0.0.1"}
                call = client.post("/admin/graphql", json={"query": SIGN_IN}, headers=headers)
                async with call as response:
                    (error,) = (await response.json())["errors"]
                    yield error["extensions"]["code"]

    codes = [code async for code in guesses("127.0.0.2", 50)]
    assert ["INVALID"] * 10 + ["LIMIT"] * 40 == codes
    assert ["INVALID"] == [code async for code in guesses("127.0.0.3", 1)]


async def test_what_a_client_sends_arrives(proxied, name):
    """The host with its port, a body of five megabytes, and headers with an underscore.

    Caddy alone drops those, as the page says.
    """
    async with canned(answer()) as gateway:
        proxy, client = await proxied(gateway.url)
        headers = {"session_id": "s-1", "conversation_id": "c-1"}
        body = io.BytesIO(LARGE)
        async with client.post("/v1/responses", data=body, headers=headers) as response:
            assert 200 == response.status
        assert LARGE in gateway.bodies
        head = turns(gateway)[0].lower()
    assert f"\r\nhost: {urlsplit(proxy.origin).netloc}\r\n" in head
    assert (name != "caddy") == ("\r\nsession_id: s-1\r\n" in head)
    assert (name != "caddy") == ("\r\nconversation_id: c-1\r\n" in head)


@pytest.mark.parametrize("headers", LONG_HEADS, ids=["one long line", "many lines"])
async def test_long_heads_arrive(proxied, gateway, name, headers):
    """What the gateway takes by itself: nearly 64 KiB, of which Caddy may refuse some with 431."""
    _, client = await proxied(gateway.url)
    body = {"model": "gpt-5.5", "input": "hi", "metadata": scripted()}
    async with client.post("/v1/responses", json=body, headers=headers) as response:
        assert response.status in ({200, 431} if name == "caddy" else {200})


async def test_a_turn_is_never_sent_twice(proxied, name):
    """A gateway that hangs up over a turn may have sent it upstream: the client decides."""
    async with canned(answer(), answer(), None) as first, canned(answer(), answer(), None) as other:
        _, client = await proxied(first.url, other.url)
        first.answers = other.answers = [None]
        async with client.post("/v1/responses", json={"input": "hi"}) as response:
            assert (503 if name == "envoy" else 502) == response.status
            is_json = response.content_type == "application/json"
            assert (name == "haproxy") == is_json
        assert 1 == len(turns(first) + turns(other))


async def test_a_gateway_that_is_away_fails_no_turn(proxied):
    """Where nobody listens the turn goes to the next, whatever its session."""
    async with canned(answer()) as gateway:
        _, client = await proxied(f"http://127.0.0.1:{free_port()}", gateway.url)
        for number in range(8):
            headers = {"session-id": f"s-{number}"}
            async with client.post("/v1/responses", json={}, headers=headers) as response:
                assert 200 == response.status
        assert 8 == len(turns(gateway))


async def test_a_conversation_stays_with_its_gateway(proxied, name):
    """By any header that names a session, else by the key; and conversations are shared out."""
    names = [each for each in SESSION_HEADERS if name != "caddy" or each not in DROPPED_BY_CADDY]
    async with canned(answer()) as a, canned(answer()) as b, canned(answer()) as c:
        gateways = a, b, c
        _, client = await proxied(*(each.url for each in gateways))
        homes = set()
        for header in [*names, "authorization"]:
            for number in range(6):
                counts = [len(turns(each)) for each in gateways]
                for _ in range(3):
                    headers = {header: f"Bearer {header} {number}"}
                    async with client.post("/v1/responses", json={}, headers=headers) as response:
                        assert 200 == response.status
                grown = [len(turns(each)) - n for each, n in zip(gateways, counts, strict=True)]
                assert [0, 0, 3] == sorted(grown), header
                homes.add(grown.index(3))
    assert {0, 1, 2} == homes
