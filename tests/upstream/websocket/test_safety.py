"""What a second send would risk, told by every failure: a table over real sockets."""

import asyncio
import json
import socket
from contextlib import asynccontextmanager

import pytest

from longwire.core.errors import ReplaySafety, UpstreamError, UpstreamRejected
from longwire.core.events import Kind
from longwire.dialects.responses.request import decode_request
from longwire.emulator import Emulator, Options
from longwire.upstream.http.transport import Address, HttpTransport
from longwire.upstream.net import tls
from longwire.upstream.ports import Call, Timeouts
from longwire.upstream.websocket.dialer import Endpoint
from longwire.upstream.websocket.keepalive import Heartbeat
from tests.doubles.canned import answer, canned, sse
from tests.doubles.lending import lent
from tests.doubles.peer import BINARY, TEXT, accept, close_frame, frame, peer
from tests.doubles.responses import completed, created, delta, error, failed, item

SAFE, AMBIGUOUS, UNSAFE = ReplaySafety
VENDOR = b'{"type":"codex.rate_limits"}'
FORGOTTEN = failed("resp_x", "previous_response_not_found")


async def failure(opening, names=None):
    """Take a turn to its end, which is to fail; return the events before, and the failure."""
    names = [] if names is None else names
    with pytest.raises(UpstreamError) as raised:
        await read(opening, names)
    return names, raised.value


async def read(opening, names):
    """Read a turn to its end, and note its events."""
    async with opening as stream:
        async for batch in stream:
            names += [event.name for event in batch if event.kind is not Kind.VENDOR]


def text(*events):
    """Events as frames."""
    return b"".join(frame(TEXT, event) for event in events)


def refusing(status):
    """Answer every upgrade so."""
    return lambda _: b"HTTP/1.1 %d X\r\ncontent-length: 0\r\n\r\n" % status


STRIKES = {
    "close": (close_frame(1011), AMBIGUOUS),
    "hang up": (None, AMBIGUOUS),
    "silence": (b"", AMBIGUOUS),
    "binary": (frame(BINARY, b"x"), AMBIGUOUS),
    "broken frame": (b"\x8f\xff", AMBIGUOUS),
    "malformed": (text(b"no JSON"), AMBIGUOUS),
    "lane": (text(b'{"type":"response.created","stream_id":"a"}'), AMBIGUOUS),
    "error": (text(error()), SAFE),
    "error of the server": (text(error(500, "server_error")), SAFE),
    "expulsion": (text(error(401, "token_expired")), SAFE),
    "limit": (text(error(400, "websocket_connection_limit_reached")), SAFE),
    "refusal as a failed response": (text(FORGOTTEN), SAFE),
}
"""What strikes a turn of which nothing was seen yet, and what a second send would risk then."""

UNNAMED = {"output": delta(), "item": item()}


class TestWebSocket:
    @pytest.mark.parametrize(
        "answer",
        [refusing(401), refusing(429), refusing(503), refusing(404), lambda _: b"SSH-2.0\r\n\r\n"],
        ids=["401", "429", "503", "404", "nonsense"],
    )
    async def test_refused_dial(self, gateway, answer):
        """A handshake that is refused has begun nothing."""
        async with gateway() as it, peer(answer) as there:
            _, failed = await failure(it.transport_to(there.url).open(it.agent().call()))
            assert failed.safety is SAFE

    @pytest.mark.parametrize("cause", ["nobody", "no name", "silence", "closed at once"])
    async def test_no_dial(self, gateway, cause):
        """A connection that never came to be has begun nothing."""
        answers = {"closed at once": lambda head: accept(head) + close_frame(1013)}
        async with gateway() as it, peer(answers.get(cause, lambda _: None)) as there:
            urls = {"nobody": "ws://127.0.0.1:9/", "no name": "ws://nowhere.invalid/"}
            endpoint = Endpoint(urls.get(cause, there.url), {}, handshake_timeout=0.05)
            _, failed = await failure(it.transport_to(endpoint).open(it.agent().call()))
            assert failed.safety is SAFE

    @pytest.mark.parametrize("cause", ["never read", "reset", "closed"])
    async def test_failed_send(self, gateway, until, cause):
        """A turn that did not leave whole has begun nothing."""
        async with gateway() as it, peer() as there, asyncio.TaskGroup() as group:
            heartbeat = Heartbeat(send_timeout=0.05 if cause == "never read" else 30)
            agent = it.agent()
            agent.history[0]["content"] = "x" * 15_000_000
            opening = it.transport_to(Endpoint(there.url, {}, heartbeat=heartbeat)).open(
                agent.call()
            )
            failing = group.create_task(failure(opening))
            link = await there.links.get()
            link.pause()
            await until(lambda: failing.done() or is_sending(it))
            if cause == "reset":
                link.reset()
            elif cause == "closed":
                link.write(close_frame(1001))
            names, failed = await failing
            assert (names, failed.safety) == ([], SAFE)

    async def test_dead_before_the_send(self, gateway):
        """A connection that is found dead before anything was sent has begun nothing."""
        async with gateway() as it:
            agent = it.agent()
            await agent.take()
            async with lent(it.pool, agent.call(), None) as lease:
                lease.connection.abort("gone")
                with pytest.raises(UpstreamError) as raised:
                    await lease.connection.send(b"{}")
            assert raised.value.safety is SAFE

    async def test_dead_right_after_the_send(self, linked, until):
        """A connection that breaks after it took the message does not count as never sent."""
        async with linked() as ends, asyncio.TaskGroup() as group:
            ends.link.pause()
            sending = group.create_task(ends.connection.send(b"x" * 15_000_000))
            await until(lambda: "blocked" in repr(ends.connection))
            ends.connection.resume_writing()
            ends.connection.abort("gone")
            await sending
            with pytest.raises(UpstreamError):
                await ends.connection.receive(1)

    @pytest.mark.parametrize("notices", [0, 2])
    @pytest.mark.parametrize(("strike", "safety"), STRIKES.values(), ids=STRIKES)
    async def test_awaiting(self, gateway, until, strike, safety, notices):
        """Before the response is named only a refusal in words is safe; notices are no answer."""
        async with self.struck(gateway, text(*[VENDOR] * notices), strike) as (failing, _):
            names, failed = await failing
        assert (names, failed.safety) == ([], safety)

    @pytest.mark.parametrize("event", UNNAMED.values(), ids=UNNAMED)
    async def test_output_of_nobody(self, gateway, event):
        """Output before its response is named may be another turn's: it fails, undelivered."""
        async with self.struck(gateway, text(event, created(), completed())) as (failing, _):
            names, failed = await failing
        assert (names, failed.safety) == ([], AMBIGUOUS)

    @pytest.mark.parametrize("events", [[created()], [created(), delta(), item()]])
    @pytest.mark.parametrize(
        ("strike", "is_apart"),
        [
            pytest.param(strike, is_apart, id=f"{name} {'apart' if is_apart else 'together'}")
            for name, (strike, _) in STRIKES.items()
            for is_apart in (True, False)
        ],
    )
    async def test_streaming(self, gateway, until, events, strike, is_apart):
        """Output is billed, and what has opened may be, unless it is refused in words."""
        parts = [text(*events)] if is_apart else [text(*events), strike]
        expected = [json.loads(event)["type"] for event in events]
        async with self.struck(gateway, *parts) as (failing, link):
            if is_apart:
                await until(lambda: link.names == expected)
                say(link, strike)
            names, failed = await failing
        assert names == expected
        is_in_words = isinstance(failed, UpstreamRejected)
        assert failed.safety is (SAFE if is_in_words and len(events) == 1 else UNSAFE)

    @staticmethod
    @asynccontextmanager
    async def struck(gateway, *parts):
        """Take a turn that is answered with these bytes; `link.names` tells what came of them."""
        timeouts = Timeouts(first_event=0.1, idle_event=0.1)
        async with gateway() as it, peer() as there, asyncio.TaskGroup() as group:
            opening = it.transport_to(there.url, timeouts).open(it.agent().call())
            names = []
            failing = group.create_task(failure(opening, names))
            link = await there.links.get()
            link.names = names
            await link.frame()
            for part in parts:
                say(link, part)
            yield failing, link


def say(link, part):
    """Say some bytes; None hangs up."""
    if part is None:
        link.hang_up()
    else:
        link.write(part)


def is_sending(it):
    """Whether a connection waits for its socket to take a message."""
    return any("blocked" in repr(each) for each in it.pool._connections.values())


class TestHttp:
    BODY = b'{"model":"m","stream":true,"input":"hello"}'
    HEAD = answer(b"", size=10_000)

    async def failure(self, url, context=None, **timeouts):
        """The failure of a turn, and the events before it."""
        address = Address(url, None, context or tls.context(None, verify=True))
        transport = HttpTransport(address, Timeouts(**timeouts))
        try:
            return await failure(transport.open(Call(decode_request(self.BODY), None)))
        finally:
            await transport.close()

    @pytest.mark.parametrize(
        "url", ["http://127.0.0.1:9/", "http://nowhere.invalid/", "http://127.0.0.1:99999/"]
    )
    async def test_no_connection(self, url):
        """An upstream that cannot be reached has begun nothing."""
        _, failed = await self.failure(url)
        assert failed.safety is SAFE

    async def test_silent_tls(self):
        """A TLS handshake that never ends has begun nothing."""
        async with peer() as there:
            url = there.url.replace("ws://", "https://")
            _, failed = await self.failure(url, connect=0.05)
        assert (failed.safety, failed.phase) == (SAFE, "connect")

    async def test_wrong_tls(self, authority):
        """A certificate that nobody vouches for, or none at all, has begun nothing."""
        async with peer(tls=authority.server()) as there:
            _, failed = await self.failure(there.url.replace("wss://", "https://"))
            assert failed.safety is SAFE
        async with Emulator(Options()) as upstream:
            _, failed = await self.failure(upstream.url.replace("http", "https"))
            assert failed.safety is SAFE

    async def test_no_answer_to_the_connect(self):
        """A connect that times out has begun nothing."""
        with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
            fills = [socket.socket() for _ in range(4)]
            for each in fills:
                each.setblocking(False)
                each.connect_ex(full.getsockname())
            url = "http://{}:{}/".format(*full.getsockname())
            _, failed = await self.failure(url, connect=0.05)
            for each in fills:
                each.close()
        assert failed.safety is SAFE
        assert failed.phase == "connect"

    @pytest.mark.parametrize(
        ("response", "safety"),
        [
            (answer(b"{}", "application/json", 429), SAFE),
            (answer(b"{}", "application/json", 500), SAFE),
            (answer(b"", status=302), SAFE),
            (answer(b'{"error":{"message":"No."}}', "application/json"), SAFE),
            ([HEAD, sse(error())], SAFE),
            (None, AMBIGUOUS),
            (b"HTTP/1.1 two\r\n\r\n", AMBIGUOUS),
            ([b"HTTP/1.1 200 OK\r\n", None], AMBIGUOUS),
            ([b"", 5.0], AMBIGUOUS),
            ([HEAD, 5.0], AMBIGUOUS),
            ([HEAD, sse(VENDOR), 5.0], AMBIGUOUS),
            ([HEAD, 0.01, None], AMBIGUOUS),
            (answer(b""), AMBIGUOUS),
            (answer(b": hello\n\n"), AMBIGUOUS),
            ([HEAD, sse(b"no JSON")], AMBIGUOUS),
            (answer(b'{"id":"resp_1"', "application/json"), AMBIGUOUS),
        ],
    )
    async def test_before_any_event(self, response, safety):
        """A refusal in words is safe; a broken or silent POST leaves open what it began."""
        async with canned(response) as upstream:
            names, failed = await self.failure(upstream.url, first_event=0.05)
        assert (names, failed.safety) == ([], safety)

    @pytest.mark.parametrize("begun", [[created()], [delta()], [created(), item()]])
    @pytest.mark.parametrize(
        "end",
        [[5.0], [0.01, None], [sse(error())], [0.01, sse(error())], [sse(b"no JSON")]],
        ids=["silence", "cut", "error", "error apart", "malformed"],
    )
    async def test_after_an_event(self, begun, end):
        """Output is billed, and what has opened may be, unless it is refused in words."""
        async with canned([self.HEAD, sse(*begun), *end]) as upstream:
            names, failed = await self.failure(upstream.url, idle_event=0.05)
        assert names == [json.loads(event)["type"] for event in begun]
        is_in_words = isinstance(failed, UpstreamRejected)
        assert failed.safety is (SAFE if is_in_words and begun == [created()] else UNSAFE)

    @pytest.mark.parametrize("begun", [[created()], [delta()]])
    async def test_stream_that_ends_early(self, begun):
        """A body that ends in order before its response does is no less billed."""
        async with canned(answer(sse(*begun))) as upstream:
            names, failed = await self.failure(upstream.url)
        assert (len(names), failed.safety) == (1, UNSAFE)
