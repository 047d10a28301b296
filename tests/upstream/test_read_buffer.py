"""Read buffers give their free pages back, and nothing else."""

import asyncio
import ctypes
import mmap

import pytest

from longwire.upstream import read_buffer
from tests.doubles.peer import TEXT, frame

pytestmark = pytest.mark.skipif(
    not hasattr(mmap, "MADV_DONTNEED"), reason="this system takes no such advice"
)
PAGES = 8
KIB = 1024


class Buffered(asyncio.BufferedProtocol):
    """A protocol whose buffer holds data up to a place, and is full of old bytes behind it."""

    def __init__(self, held: int) -> None:
        private = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
        self.memory = mmap.mmap(-1, PAGES * mmap.PAGESIZE, flags=private)
        self.memory[:] = b"\xff" * len(self.memory)
        self.held = held

    def get_buffer(self, _sizehint):
        return memoryview(self.memory)[self.held :]


class Transport(asyncio.Transport):
    """A transport that knows its protocol."""

    def __init__(self, protocol) -> None:
        self._protocol = protocol

    def get_protocol(self):
        return self._protocol


@pytest.mark.parametrize("held", [0, 1, mmap.PAGESIZE, 3 * mmap.PAGESIZE + 1])
def test_data_stays(held):
    """Whole pages behind the data are given back; what shares a page with it stays."""
    protocol = Buffered(held)
    read_buffer.release(Transport(protocol))
    kept = -(-held // mmap.PAGESIZE) * mmap.PAGESIZE
    assert protocol.memory[:kept] == b"\xff" * kept
    assert protocol.memory[kept:] == bytes(PAGES * mmap.PAGESIZE - kept)


def test_nothing_free():
    """A buffer without a whole free page is left alone."""
    protocol = Buffered(PAGES * mmap.PAGESIZE - 100)
    read_buffer.release(Transport(protocol))
    assert protocol.memory[-100:] == b"\xff" * 100


def test_other_protocols():
    """A protocol without a buffer of its own has nothing to give back."""
    read_buffer.release(Transport(asyncio.Protocol()))


async def test_after_a_large_message(linked):
    """A connection that took a large message gives its buffer back and takes the next one."""
    async with linked() as ends:
        large = b'{"type":"x","text":"%b"}' % (b"y" * 500 * KIB)
        for message in (large, b"{}", large):
            ends.connection.begin()
            ends.link.write(frame(TEXT, message))
            told = []
            while not told:
                told += await ends.connection.receive(5)
            assert told == [message]
            ends.connection.finish()
        free = ends.connection._transport.underlying_transport.get_protocol().get_buffer(-1)
        assert len(free) > 500 * KIB
        assert resident(free) < 64 * KIB


def resident(free):
    """Return the bytes of a buffer's pages that are in memory, as mincore(2) tells."""
    start = ctypes.addressof(ctypes.c_char.from_buffer(free))
    first = -(-start // mmap.PAGESIZE) * mmap.PAGESIZE
    pages = (start + len(free) - first) // mmap.PAGESIZE
    told = (ctypes.c_ubyte * pages)()
    libc = ctypes.CDLL(None)
    size = ctypes.c_size_t(pages * mmap.PAGESIZE)
    assert libc.mincore(ctypes.c_void_p(first), size, told) == 0
    return sum(page & 1 for page in told) * mmap.PAGESIZE
