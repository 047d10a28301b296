"""Write chunks of a body under way straight to its socket, past the coroutine that ASGI has for it.

Law: only between two writes of ASGI's own, and only while the client keeps up.
"""

import asyncio
from collections.abc import Iterable
from typing import Self

from starlette.types import Send
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle


class Chunks:
    """The body of one answer in chunked encoding, as uvicorn sends it."""

    __slots__ = ("_cycle", "_transport")

    def __init__(self, cycle: RequestResponseCycle) -> None:
        self._cycle = cycle
        self._transport: asyncio.Transport = cycle.transport

    @classmethod
    def behind(cls, send: Send) -> Self | None:
        """Return what stands behind `send` once an answer has begun; None where it is unknown."""
        cycle = getattr(send, "__self__", None)
        if isinstance(cycle, RequestResponseCycle) and cycle.chunked_encoding:
            return cls(cycle)
        return None

    @property
    def are_taken(self) -> bool:
        """Whether the client is there and keeps up: else ASGI's `send` waits, or drops."""
        cycle = self._cycle
        return not (cycle.flow.write_paused or cycle.disconnected or cycle.response_complete)

    def write(self, parts: Iterable[bytes]) -> None:
        """Write one chunk."""
        body = b"".join(parts)
        self._transport.write(b"%x\r\n%b\r\n" % (len(body), body))
