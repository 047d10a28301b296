"""Give back the memory of a read buffer that grew: picows doubles it and never shrinks it.

Law: only what holds no data is given back, page by page; the buffer itself stays as it is.
"""

import asyncio
import ctypes
import mmap
from typing import cast

_libc = ctypes.CDLL(None)
_PAGE = mmap.PAGESIZE


def release(transport: asyncio.Transport) -> None:
    """Let the system have the free pages of a connection's buffer until they are used again."""
    advice = getattr(mmap, "MADV_DONTNEED", None)
    protocol = transport.get_protocol()
    if advice is None or not isinstance(protocol, asyncio.BufferedProtocol):
        return
    free = cast("memoryview", protocol.get_buffer(-1))
    begins = ctypes.addressof(ctypes.c_char.from_buffer(free))
    first, end = -(-begins // _PAGE) * _PAGE, (begins + len(free)) // _PAGE * _PAGE
    if end > first:
        _libc.madvise(ctypes.c_void_p(first), ctypes.c_size_t(end - first), advice)
