"""TLS over a carrier, against OpenSSL as the other side, without a socket."""

import asyncio
import ssl
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longwire.upstream.net import tls
from longwire.upstream.net.tls_transport import TlsTransport

RECORD = 16 * 1024


class Below:
    """A carrier that keeps what it is to carry."""

    def __init__(self) -> None:
        self.sent = bytearray()
        self.writes: list[int] = []
        self.done: list[str] = []

    def write(self, data):
        self.sent += data
        self.writes.append(len(data))

    def writelines(self, parts):
        for part in parts:
            self.write(part)

    def close(self):
        self.done.append("close")

    def abort(self):
        self.done.append("abort")

    def pause_reading(self):
        self.done.append("pause")

    def resume_reading(self):
        self.done.append("resume")


class Above(asyncio.Protocol):
    """A protocol that keeps what it is told."""

    def __init__(self) -> None:
        self.chunks: list[bytes] = []
        self.calls: list[object] = []

    def data_received(self, data):
        self.chunks.append(data)

    def connection_lost(self, exc):
        self.calls.append(exc)

    def pause_writing(self):
        self.calls.append("pause")

    def resume_writing(self):
        self.calls.append("resume")


class Ends:
    """Both ends of a TLS connection; `secure` is ours."""

    def __init__(self, authority) -> None:
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.server = authority.server().wrap_bio(self._in, self._out, server_side=True)
        self.below, self.above = Below(), Above()
        self.secure = TlsTransport(tls.context(authority.file, verify=True), "127.0.0.1")
        self.secure.connection_made(self.below)
        self.secure.set_protocol(self.above)

    def shake(self) -> "Ends":
        """Carry bytes to and fro until both have agreed."""
        for _ in range(2):
            try:
                self.take()
                self.server.do_handshake()
            except ssl.SSLWantReadError:
                pass
            self.give()
        return self

    def take(self) -> None:
        """Bring the server what we sent."""
        self._in.write(bytes(self.below.sent))
        self.below.sent.clear()

    def give(self, *places: int) -> None:
        """Bring us what the server sent, cut at places."""
        sent = self._out.read()
        edges = [0, *sorted({place % (len(sent) + 1) for place in places}), len(sent)]
        for begins, ends in pairwise(edges):
            self.secure.data_received(sent[begins:ends])

    def read(self) -> bytes:
        """Read all that the server can read."""
        self.take()
        parts = []
        while self._in.pending or self.server.pending():
            parts.append(self.server.read(1 << 20))
        return b"".join(parts)

    def write(self, data: bytes) -> None:
        """Have the server say something."""
        left = memoryview(data)
        while left:
            left = left[self.server.write(left) :]


@pytest.fixture
def ends(authority):
    """Return two ends that have not shaken hands yet."""
    return lambda: Ends(authority)


async def test_both_ways(ends):
    """What one end says the other hears, whatever its size; one read is handed on as one."""
    it = ends().shake()
    await it.secure.handshake()
    for size in (1, RECORD, RECORD + 1, 1_000_000):
        it.secure.writelines((b"a" * size, b"b"))
        assert b"a" * size + b"b" == it.read()
        it.write(b"c" * size)
        it.give()
        assert [b"c" * size] == it.above.chunks
        it.above.chunks.clear()
    assert not it.below.done


async def test_cut_anywhere(ends):
    """It does not matter how the network cuts records."""
    it = ends().shake()

    @settings(deadline=None)
    @given(st.lists(st.integers(1, 40_000), max_size=4), st.lists(st.integers(0), max_size=9))
    def law(sizes, places):
        it.above.chunks.clear()
        for size in sizes:
            it.write(b"x" * size)
        it.give(*places)
        assert sum(sizes) == len(b"".join(it.above.chunks))

    law()


async def test_a_record_at_a_time(ends):
    """No buffer of OpenSSL's is asked to take much more than a record, in either direction."""
    it = ends().shake()
    it.below.writes.clear()
    it.secure.write(b"x" * 1_000_000)
    assert max(it.below.writes) < RECORD + 512
    it.read()
    it.write(b"y" * 1_000_000)
    incoming, most = it.secure._incoming, []

    class Watched:
        def write(self, data):
            incoming.write(data)
            most.append(incoming.pending)

        @property
        def pending(self):
            return incoming.pending

    it.secure._incoming = Watched()
    it.give()
    assert [b"y" * 1_000_000] == it.above.chunks
    assert max(most) <= RECORD


async def test_flow(ends):
    """Pauses go through in both directions."""
    it = ends().shake()
    it.secure.pause_reading()
    it.secure.resume_reading()
    it.secure.pause_writing()
    it.secure.resume_writing()
    assert (["pause", "resume"], ["pause", "resume"]) == (it.below.done, it.above.calls)


async def test_we_close(ends):
    """Our end is told with a close_notify, once, and nothing is sent or taken after it."""
    it = ends().shake()
    it.secure.write(b"last")
    it.secure.close()
    it.secure.close()
    it.secure.write(b"too late")
    assert ["close"] == it.below.done
    assert b"last" == it.read()
    it.write(b"unheard")
    it.give()
    assert [] == it.above.chunks
    assert not it.below.sent


async def test_the_other_side_closes(ends):
    """What came with a close_notify is handed on; the end is answered with one."""
    it = ends().shake()
    it.write(b"last")
    with pytest.raises(ssl.SSLWantReadError):
        it.server.unwrap()
    it.give()
    assert ([b"last"], ["close"]) == (it.above.chunks, it.below.done)
    it.take()
    it.server.unwrap()
    it.secure.connection_lost(None)
    assert [None] == it.above.calls


@pytest.mark.parametrize("has_shaken", [True, False])
async def test_garbage(ends, has_shaken):
    """What is no TLS ends the connection, before and after the handshake."""
    it = ends()
    if has_shaken:
        it.shake()
    it.secure.data_received(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 9)
    if has_shaken:
        assert ["abort"] == it.below.done
    else:
        with pytest.raises(ssl.SSLError):
            await it.secure.handshake()
    assert [] == it.above.chunks


async def test_lost_in_the_handshake(ends):
    """A connection that ends before both agreed is told to who waits."""
    it = ends()
    it.secure.connection_lost(None)
    with pytest.raises(ConnectionResetError, match="TLS handshake"):
        await it.secure.handshake()


async def test_any_bytes():
    """No bytes raise anything out of it."""
    context = tls.context(None, verify=False)

    @settings(deadline=None)
    @given(st.binary(max_size=200))
    def law(sent):
        secure = TlsTransport(context, "host")
        secure.connection_made(Below())
        secure.data_received(sent)
        secure.data_received(sent)

    law()
