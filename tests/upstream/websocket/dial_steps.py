"""What tests of dials share."""

from longwire.upstream.net import tls
from longwire.upstream.websocket.dialer import Endpoint, dial
from tests.doubles.peer import TEXT, frame

TRUSTING = tls.context(None, verify=True)


def nothing(_connection):
    """Nobody wants to know that a connection ended."""


async def dialed(url, **options):
    """Dial with no headers of a caller."""
    return await dial(
        Endpoint(url, {"authorization": "Bearer sk-upstream"}, **options), {}, nothing
    )


async def speaks(connection, there):
    """Whether both ends of a new connection hear each other; closes it."""
    link = await there.links.get()
    await connection.send(b'{"type":"response.create"}')
    opcode, payload = await link.frame()
    connection.begin()
    link.write(frame(TEXT, b'{"type":"x"}'))
    received = [bytes(message) for message in await connection.receive(5)]
    connection.abort("enough")
    await link.ended()
    return (opcode, payload, received) == (TEXT, b'{"type":"response.create"}', [b'{"type":"x"}'])


def answering(status, body=b"", headers=b"", *, chunked=False):
    """Answer every upgrade with a plain HTTP response."""
    length = b"transfer-encoding: chunked" if chunked else b"content-length: %d" % len(body)
    if chunked:
        body = b"%x\r\n%b\r\n4;x=y\r\n\r\n\r\n\r\n0\r\n\r\n" % (len(body), body)
    return lambda _: b"HTTP/1.1 %b\r\n%b\r\n%b\r\n%b" % (status, length, headers, body)
