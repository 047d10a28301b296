"""Requests that a proxy and the gateway could read differently, sent through real ones.

Law: the gateway serves no request that the proxy did not see as one, and nobody gets an answer to
what somebody else sent.
"""

import asyncio
import re
from contextlib import suppress
from urllib.parse import urlsplit

import pytest

from tests.conftest import KEY, serving, settings_for
from tests.doubles.authority import Authority
from tests.doubles.canned import canned
from tests.doubles.reverse_proxies import PROXIES, before

pytestmark = [pytest.mark.process, pytest.mark.parametrize("name", PROXIES)]

CHUNKED = "transfer-encoding: chunked"


def post(body, *lines):
    """A turn; without `lines` it is framed by its length."""
    framing = lines or (f"content-length: {len(body)}",)
    head = ("POST /v1/responses HTTP/1.1", "host: x", f"authorization: Bearer {KEY}", *framing)
    return "\r\n".join((*head, "", body))


def turn(model):
    """The body of a turn."""
    return f'{{"model":"{model}","input":"hi"}}'


HIDDEN = post(turn("hidden"))
CHUNKS = f"{len(turn('outer')):x}\r\n{turn('outer')}\r\n0\r\n\r\n"
SHORT = f"content-length: {len(turn('outer'))}"
WHOLE = f"content-length: {len(CHUNKS + HIDDEN)}"
FRAMINGS = [
    (CHUNKED, WHOLE),
    (WHOLE, CHUNKED),
    ("transfer-encoding: xchunked", WHOLE),
    ("transfer-encoding: gzip, chunked", WHOLE),
    ("transfer-encoding: chunked, identity", WHOLE),
    ("transfer-encoding: identity", WHOLE),
    ("transfer-encoding: ,chunked", WHOLE),
    ("transfer-encoding : chunked", WHOLE),
    ("transfer-encoding:\tchunked", WHOLE),
    ("transfer-encoding:\x0bchunked", WHOLE),
    ("transfer-encoding:\r\n chunked", WHOLE),
    (" transfer-encoding: chunked", WHOLE),
    ("x: 1\ntransfer-encoding: chunked", WHOLE),
    ("x: 1\rtransfer-encoding: chunked", WHOLE),
    ("x: 1\x00\r\ntransfer-encoding: chunked", WHOLE),
    ("transfer_encoding: chunked", WHOLE),
    ('transfer-encoding: "chunked"', WHOLE),
    ("transfer-encoding: chunked;q=1", WHOLE),
    (CHUNKED, "transfer-encoding: identity", WHOLE),
    (WHOLE, SHORT),
    (SHORT, WHOLE),
    (WHOLE + ", " + SHORT[16:],),
    ("content-length: +" + WHOLE[16:],),
    ("content-length : " + WHOLE[16:],),
    (WHOLE, "connection: content-length"),
    (CHUNKED, "connection: transfer-encoding"),
]
OTHERS = [
    ("connection: upgrade", "upgrade: h2c"),
    ("connection: upgrade", "upgrade: websocket", "sec-websocket-version: 13"),
    ("connection: upgrade, http2-settings", "upgrade: h2c", "http2-settings: AAMAAABkAAQ"),
    ("expect: 100-continue",),
    ("connection: close",),
]
"""What may have a gateway take a body for the next request."""

BODIES = {
    "extension": f"{len(turn('outer')):x};a=\n\r\n{turn('outer')}\r\n0\r\n\r\n{HIDDEN}",
    "quoted extension": f'{len(turn("outer")):x};a="\r\n{turn("outer")}\r\n0\r\n\r\n{HIDDEN}',
    "bare line feeds": f"{len(turn('outer')):x}\n{turn('outer')}\n0\n\n{HIDDEN}",
    "huge size": f"1{'0' * 16}{len(turn('outer')):x}\r\n{CHUNKS}{HIDDEN}",
    "a size with a prefix": f"0x{len(turn('outer')):x}\r\n{turn('outer')}\r\n0\r\n\r\n{HIDDEN}",
    "trailers": f"{CHUNKS[:-2]}content-length: {len(HIDDEN)}\r\n\r\n{HIDDEN}",
    "no end": f"{CHUNKS[:-2]}{HIDDEN}",
}
ATTACKS = [post(CHUNKS + HIDDEN, *each) for each in FRAMINGS]
ATTACKS += [post(HIDDEN, f"content-length: {len(HIDDEN)}", *each) for each in OTHERS]
ATTACKS += [each.replace("POST", "GET", 1) for each in ATTACKS[-len(OTHERS) :]]
ATTACKS += [post(body, CHUNKED) for body in BODIES.values()]
ATTACKS += [post(turn("outer")) + HIDDEN, f"GET /health HTTP/1.1\nhost: x\n\n{HIDDEN}"]
VICTIM = post(turn("victim"), f"content-length: {len(turn('victim'))}", "connection: close")


async def statuses(proxy, request):
    """The final status of each answer that comes for what is sent."""
    place = urlsplit(proxy.origin)
    reader, writer = await asyncio.open_connection(place.hostname, place.port, ssl=proxy.trust)
    writer.write(request.replace("host: x", f"host: {place.netloc}", 1).encode("latin-1"))
    said = b""
    with suppress(TimeoutError, ConnectionError):
        while True:
            async with asyncio.timeout(0.3):
                piece = await reader.read(1 << 16)
            if not piece:
                break
            said += piece
    writer.transport.abort()
    return [int(each) for each in re.findall(rb"HTTP/1\.[01] ([2-5]\d\d)", said)]


async def test_nothing_is_smuggled(name, tmp_path):
    """Every spelling of lengths and codings, and what hides behind it."""
    async with canned() as upstream, serving(settings_for(upstream.url)) as gateway:
        port = urlsplit(gateway.url).port
        async with before(name, tmp_path, Authority(tmp_path), [port]) as proxy:
            for attack in ATTACKS:
                answered = await statuses(proxy, attack)
                assert len(upstream.bodies) <= answered.count(200), attack
                hidden = [body for body in upstream.bodies if b'"hidden"' in body]
                assert len(hidden) <= len(answered[1:]), attack
                for _ in range(2):
                    upstream.bodies.clear()
                    assert [200] == await statuses(proxy, VICTIM), attack
                    assert [True] == [b'"victim"' in body for body in upstream.bodies], attack
                upstream.bodies.clear()
