"""HTTP as clients write it, byte for byte: what is a request, and what is refused as none."""

import asyncio
import json

import pytest

from longwire.server.health import Stage
from longwire.server.http.protocol import MOST_UNFRAMED
from tests.conftest import KEY
from tests.doubles.canned import COMPLETED, CREATED, DELTA, answer, sse
from tests.server.conftest import between, dial, events_of, is_envelope

TURN = b'{"model":"gpt-5.5","input":"hi"}'
STREAMED = b'{"model":"gpt-5.5","input":"hi","stream":true}'
CHUNKED = "transfer-encoding: chunked"
LENGTH = f"content-length: {len(TURN)}"


def head(*lines, target="/v1/responses", version="1.1", key=KEY):
    """The head of a POST with a key."""
    first = f"POST {target} HTTP/{version}"
    own = ("host: gateway", f"authorization: Bearer {key}")
    return "\r\n".join([first, *own, *lines]).encode() + b"\r\n\r\n"


def chunked(body, step=7):
    """A body in chunks."""
    pieces = [body[at : at + step] for at in range(0, len(body), step)]
    return b"".join(b"%x\r\n%b\r\n" % (len(each), each) for each in pieces) + b"0\r\n\r\n"


async def refused(connection):
    """Read the answer of a connection that then ends, as the refusal that it is."""
    status, headers, body = await connection.receive()
    assert (status, headers["connection"]) == (400, "close")
    assert await connection.reader.read() == b""
    return body


@pytest.mark.parametrize(
    "target",
    [
        "/v1/responses",
        "/v1/responses?trace=1",
        "/v1/%72esponses",
        "http://gateway/v1/responses",
        "/backend-api/codex/responses",
    ],
)
async def test_targets(connection, target):
    """A target may have a query, escapes and a host, and is the same route."""
    connection.writer.write(head(LENGTH, target=target) + TURN)
    assert (await connection.receive())[0] == 200


@pytest.mark.parametrize("step", [1, 7, 10_000])
async def test_chunked_requests(connection, step):
    """A body in chunks is the same body, and what follows is the next request."""
    for _ in range(2):
        connection.writer.write(head("Transfer-Encoding: Chunked") + chunked(TURN, step))
    assert [(await connection.receive())[0] for _ in range(2)] == [200, 200]


async def test_trailers(connection):
    """Trailers behind the chunks mean nothing, and hold nothing up."""
    connection.writer.write(
        head(CHUNKED) + chunked(TURN)[:-2] + b"x-sum: 1\r\nauthorization: x\r\n\r\n"
    )
    assert (await connection.receive())[0] == 200
    assert (await connection.ask(TURN))[0] == 200


async def test_byte_by_byte(connection):
    """A request that comes in single bytes is served like any other."""
    for byte in head(LENGTH) + TURN:
        connection.writer.write(bytes([byte]))
        await connection.writer.drain()
        await asyncio.sleep(0)
    assert (await connection.receive())[0] == 200


@pytest.mark.parametrize(
    "lines",
    [
        [LENGTH, CHUNKED],
        [CHUNKED, LENGTH],
        [LENGTH, LENGTH],
        [LENGTH, "content-length: 1"],
        ["content-length: +3"],
        ["content-length: 3, 3"],
        ["content-length: 0x10"],
        ["content-length: -1"],
        ["content-length: 99999999999999999999999"],
        ["content-length: "],
        ["transfer-encoding: gzip, chunked"],
        ["transfer-encoding: chunked, chunked"],
        ["transfer-encoding: chunked, identity"],
        ["transfer-encoding: identity"],
        ["transfer-encoding: xchunked"],
        ["transfer-encoding: \x0bchunked"],
        [CHUNKED, CHUNKED],
        [CHUNKED, "transfer-encoding: identity"],
        ["transfer-encoding: gzip", CHUNKED],
        ["transfer-encoding : chunked"],
        ["transfer-encoding\t: chunked"],
        [" content-length: 3"],
        ["x: 1", " content-length: 3"],
        ["x\r: 1"],
        ["x: a\rb"],
        ["x: a\x00b"],
        [": 1"],
        ["no colon"],
    ],
    ids=repr,
)
async def test_smuggled_lengths(connection, emulator, lines):
    """Whatever could be read in two ways is refused, closed, and never served."""
    coded = any("transfer-encoding" in line for line in lines)
    connection.writer.write(head(*lines) + (chunked(TURN) if coded else TURN))
    assert b"Invalid HTTP request" in await refused(connection)
    assert list(emulator.turns) == []


@pytest.mark.parametrize(
    "body",
    [
        b"x\r\n",
        b"\r\n",
        b"-1\r\n",
        b"+1\r\n\n",
        b"0x1\r\na\r\n",
        b"1 \r\na\r\n",
        b"ffffffffffffffffff\r\n",
        b"1\r\nab\r\n",
        b"2\r\na\r\n0\r\n\r\n",
        b"1\na\n0\n\n",
        b"1;a\nb\r\na\r\n",
    ],
    ids=repr,
)
async def test_bad_chunks(connection, emulator, body):
    """A chunk that is not what its size says ends the request and its connection."""
    connection.writer.write(head(CHUNKED) + body)
    assert b"Invalid HTTP request" in await refused(connection)
    assert list(emulator.turns) == []


@pytest.mark.parametrize(
    "first",
    [
        "POST /v1/responses",
        "POST /v1/responses HTTP/1.1 ",
        "POST /v1/responses HTTP/3.7",
        "POST /v1/ responses HTTP/1.1",
        "POST responses HTTP/1.1",
        "post /v1/responses HTTP/1.1",
        "\x16\x03\x01\x02",
        "POST http://[::1/v1/responses HTTP/1.1",
        "POST /v1/responses HTTP/0.9",
        "POST /v1/responses HTTP/2.0",
        "PRI * HTTP/2.0",
        "CONNECT gateway:443 HTTP/1.1",
        "OPTIONS * HTTP/3.0",
    ],
    ids=repr,
)
async def test_no_request(connection, first):
    """What is no request gets the plain 400 of the server, and the end."""
    connection.writer.write(first.encode("latin-1") + b"\r\nhost: gateway\r\n" + LENGTH.encode())
    connection.writer.write(b"\r\n\r\n" + TURN)
    await refused(connection)


@pytest.mark.parametrize(
    "sent",
    [
        head("x: " + "a" * 9 * MOST_UNFRAMED),
        head(*[f"x-{number}: {'a' * 100}" for number in range(MOST_UNFRAMED // 10)]),
        head(target="/" + "a" * 9 * MOST_UNFRAMED),
        head(CHUNKED) + chunked(TURN)[:-2] + b"x: " + b"a" * 9 * MOST_UNFRAMED,
        head(CHUNKED) + b"1;" + b"a" * 9 * MOST_UNFRAMED,
    ],
    ids=["a field", "many fields", "a target", "a trailer", "an extension"],
)
async def test_endless_heads(connection, sent):
    """What never becomes a body is given up, before it fills the memory."""
    connection.writer.write(sent)
    assert (await connection.receive())[0] == 400


@pytest.mark.parametrize("key", [KEY, "wrong"])
async def test_expected_continue(connection, key):
    """Who asks whether to send the body may, or is refused and let go without it."""
    connection.writer.write(head(LENGTH, "expect: 100-continue", key=key))
    if key == "wrong":
        status, headers, _ = await connection.receive()
        assert (status, headers["connection"]) == (401, "close")
        assert await connection.reader.read() == b""
        return
    assert await connection.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    connection.writer.write(TURN)
    status, headers, _ = await connection.receive()
    assert (status, "connection" in headers) == (200, False)


async def test_expected_continue_with_the_body(connection):
    """Who asks and sends all the same gets one answer, without a detour."""
    connection.writer.write(head(LENGTH, "expect: 100-continue") + TURN)
    status, headers, _ = await connection.receive()
    assert (status, "connection" in headers) == (200, False)


@pytest.mark.parametrize(("expects", "size"), [([], 0), (["expect: 100-continue"], 9)])
async def test_refused_unread(connection, expects, size):
    """A refusal does not wait for the body, which is passed over; nor where one came unbidden."""
    connection.writer.write(head(LENGTH, *expects, key="wrong") + TURN[:size])
    status, headers, _ = await connection.receive()
    assert (status, "connection" in headers) == (401, False)
    connection.writer.write(TURN[size:])
    assert (await connection.ask(TURN))[0] == 200


@pytest.mark.parametrize("body", [TURN, STREAMED])
async def test_close(connection, body):
    """`Connection: close` is honoured and answered, the reply whole."""
    status, headers, reply = await connection.ask(body, headers=["Connection: Close"])
    assert (status, headers["connection"]) == (200, "close")
    assert b"completed" in reply
    assert await connection.reader.read() == b""


@pytest.mark.parametrize("body", [TURN, STREAMED])
async def test_old_clients(connection, body):
    """HTTP/1.0 knows no chunks: the answer ends with the connection."""
    connection.writer.write(
        head(f"content-length: {len(body)}", "connection: keep-alive", version="1.0")
    )
    connection.writer.write(body)
    top, _, reply = (await connection.reader.read()).partition(b"\r\n\r\n")
    assert b"connection: close" in top
    assert b"chunked" not in top
    if body is TURN:
        assert json.loads(reply)["status"] == "completed"
    else:
        assert list(events_of(reply))[-1][0] == "response.completed"


async def test_an_old_client_is_not_deceived():
    """Where only the end of a connection ends an answer, one that broke off says so."""
    async with between([answer(sse(CREATED), size=999), None]) as (_, connection):
        length = f"content-length: {len(STREAMED)}"
        connection.writer.write(head(length, version="1.0") + STREAMED)
        _, _, reply = (await connection.reader.read()).partition(b"\r\n\r\n")
    assert list(events_of(reply))[-1][0] == "response.failed"


async def test_the_date(connection):
    """Answers tell the date as all others do, and nothing of the server."""
    _, turn, _ = await connection.ask(STREAMED)
    _, other, _ = await connection.ask(b"", method="GET", path="/health")
    assert turn["date"].endswith("GMT")
    assert turn["date"][:16] == other["date"][:16]
    assert "server" not in turn


async def test_one_write():
    """Head and first events come in one piece, as do the last events and the end."""
    end = asyncio.Event()
    stream = sse(CREATED, DELTA, COMPLETED)
    late = [answer(sse(CREATED, DELTA), size=len(stream)), end, sse(COMPLETED)]
    async with between(late) as (_, connection):
        await connection.send(STREAMED)
        first = await connection.reader.read(1 << 20)
        end.set()
        last = await connection.reader.read(1 << 20)
    assert b"response.created" in first
    assert b"response.completed" in last
    assert last.endswith(b"\r\n0\r\n\r\n")


async def test_routes_take_turns_on_one_connection(connection):
    """Turns and all else share a connection, written one after the other or at once."""
    health = {"method": "GET", "path": "/health"}
    for _ in range(2):
        await connection.send(STREAMED)
        await connection.send(b"", **health)
        await connection.send(TURN)
        await connection.send(b"", **health)
    replies = [await connection.receive() for _ in range(8)]
    assert [status for status, _, _ in replies] == [200] * 8
    kinds = [headers["content-type"].partition(";")[0] for _, headers, _ in replies]
    assert kinds == ["text/event-stream", *["application/json"] * 3] * 2


async def test_a_queue_is_short(connection, emulator):
    """Of many requests written at once those behind a reply wait in the socket, and all come."""
    request = head(LENGTH, "x-padding: " + "a" * 2000) + TURN
    connection.writer.write(request * 400)
    assert [(await connection.receive())[0] for _ in range(400)] == [200] * 400
    assert len(emulator.turns) == 400


async def test_rubbish_behind_a_request(connection):
    """It spoils nothing before it: the reply is whole, and then the connection ends."""
    connection.writer.write(
        head(f"content-length: {len(STREAMED)}") + STREAMED + b"\x00\x01\x02\r\n\r\n"
    )
    status, _, reply = await connection.receive()
    assert (status, list(events_of(reply))[-1][0]) == (200, "response.completed")
    assert await connection.reader.read() == b""


async def test_an_upgrade_behind_a_turn():
    """It is not written into a reply under way: the connection ends, and the turn."""
    late = [answer(sse(CREATED, DELTA), size=999), 90.0]
    upgrade = head("connection: upgrade", "upgrade: websocket").replace(b"POST", b"GET")
    async with between(late) as (upstream, connection):
        await connection.send(STREAMED)
        await connection.reader.readuntil(b"response.created")
        connection.writer.write(upgrade)
        assert b"101" not in await connection.reader.read()
        async with asyncio.timeout(2):
            await upstream.hung_up.wait()


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("framing", [LENGTH, CHUNKED])
async def test_other_upgrades_are_declined(connection, emulator, framing, apart):
    """A client that would rather speak HTTP/2 is served as it is, and its body is no request."""
    body = TURN if framing is LENGTH else chunked(TURN)
    connection.writer.write(head(framing, "connection: upgrade, http2-settings", "upgrade: h2c"))
    if apart:
        await asyncio.sleep(0.01)
    connection.writer.write(body)
    assert (await connection.receive())[0] == 200
    smuggled = b"POST /v1/responses HTTP/1.1\r\n\r\n"
    lines = (f"content-length: {len(smuggled)}", "connection: upgrade", "upgrade: h2c")
    connection.writer.write(head(*lines) + smuggled)
    status, _, reply = await connection.receive()
    assert (status, json.loads(reply)["error"]["code"]) == (400, "invalid_request_error")
    assert (await connection.ask(b"", method="GET", path="/health", headers=lines[1:]))[0] == 200
    assert (await connection.ask(TURN))[0] == 200
    assert len(emulator.turns) == 2


async def test_idle_connections_close(gateway):
    """A connection that rests for longer than the server keeps it is closed."""
    async with dial(gateway) as connection:
        await connection.ask(TURN)
        (served,) = gateway.connections
        assert served.timeout_keep_alive == 75
        served.timeout_keep_alive = 0.02
        await connection.ask(TURN)
        assert await connection.reader.read() == b""


async def test_draining(gateway, connection):
    """Whoever comes while the gateway drains hears when to come again."""
    gateway.app.readiness.stage = Stage.DRAINING
    status, headers, reply = await connection.ask(STREAMED)
    assert (status, headers["retry-after"], is_envelope(reply)) == (503, "5", True)


async def test_half_closed(connection):
    """A client that closes its own side is gone, as for the rest of the server."""
    await connection.ask(TURN)
    connection.writer.write_eof()
    assert await connection.reader.read() == b""


@pytest.mark.parametrize("sent", [head(LENGTH) + TURN[:9], head(CHUNKED) + b"9\r\nabc"])
async def test_leaving_while_sending(gateway, emulator, sent):
    """Half a body is dropped: no turn, nothing counted, no connection left."""
    async with dial(gateway) as connection:
        connection.writer.write(head(LENGTH, "expect: 100-continue") + sent[:0])
        await connection.reader.readuntil(b"\r\n\r\n")
        assert gateway.app.readiness._turns == 1
    async with dial(gateway) as connection, asyncio.timeout(5):
        while gateway.app.readiness._turns or len(gateway.connections) > 1:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
    assert list(emulator.turns) == []


async def test_leaving_a_queue(gateway):
    """Who leaves with requests in the queue takes them along."""
    late = [answer(sse(CREATED, DELTA), size=999), 90.0]
    async with between(late) as (upstream, connection):
        for _ in range(3):
            await connection.send(STREAMED)
        await connection.reader.readuntil(b"response.created")
        connection.writer.transport.abort()
        async with asyncio.timeout(5):
            await upstream.hung_up.wait()
        assert len(upstream.bodies) == 1
