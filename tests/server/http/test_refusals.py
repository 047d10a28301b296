"""What is no turn: framed in two ways, or an upgrade that is none, it is refused and ended."""

import asyncio

import pytest

UPGRADE = ("connection: upgrade", "upgrade: websocket", "sec-websocket-version: 13")
CHUNKED = "transfer-encoding: chunked"


async def refused(connection, target, *lines, body=b"0\r\n\r\n"):
    """All that comes back for a request, until its connection ends."""
    head = "\r\n".join([f"{target} HTTP/1.1", "host: gateway", *lines])
    connection.writer.write(head.encode() + b"\r\n\r\n" + body)
    async with asyncio.timeout(5):
        return await connection.reader.read()


@pytest.mark.parametrize("target", ["GET /v1/models", "POST /admin/graphql", "GET /health"])
@pytest.mark.parametrize(
    "lines",
    [
        ["transfer-encoding: gzip, chunked"],
        ["transfer-encoding: ,chunked"],
        ["transfer-encoding: chunked, gzip"],
        ["transfer-encoding: gzip", CHUNKED],
        [CHUNKED, "content-length: 5"],
        ["content-length: 0", "content-length: 5"],
        ["x: 1", " content-length: 5"],
        ["x: 1\ncontent-length: 5"],
    ],
    ids=repr,
)
async def test_what_could_be_read_in_two_ways(connection, target, lines):
    """Whatever route it is for; what comes behind it is not served."""
    smuggled = b"0\r\n\r\nGET /health HTTP/1.1\r\nhost: x\r\n\r\n"
    said = await refused(connection, target, *lines, body=smuggled)
    assert said.startswith(b"HTTP/1.1 400 ")
    assert 1 == said.count(b"HTTP/1.1")


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (["content-length: 5"], 400),
        ([CHUNKED], 400),
        (["x: " + "a" * 20_000], 431),
        (["x: 1"] * 200, 431),
        (["sec-websocket-key: none"], 400),
    ],
    ids=lambda value: repr(value)[:40],
)
@pytest.mark.parametrize("path", ["/v1/responses", "/admin/graphql", "/"])
async def test_an_upgrade_that_is_none(connection, lines, status, path):
    """It has its status at once: nothing is awaited behind it."""
    said = await refused(connection, f"GET {path}", *UPGRADE, *lines)
    assert said.startswith(b"HTTP/1.1 %d " % status)
