"""Write chunks of a body under way straight to its socket, past the coroutine that ASGI has for it.

Law: only between two writes of ASGI's own, and only while the client keeps up.
"""

from collections.abc import Callable, Sequence

from starlette.types import Send
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

Encode = Callable[[Sequence[bytes]], tuple[int, bytes]]
"""Encodes the first of some messages: how many, and what they come to."""


def passing(send: Send, encode: Encode) -> Callable[[Sequence[bytes]], int] | None:
    """Return what passes messages on behind `send`, once an answer has begun.

    It returns how many it passed on: none while `send` would wait, or the client is gone. None in
    its stead where nothing is known of `send`, or the answer is not in chunks.
    """
    cycle = getattr(send, "__self__", None)
    if not isinstance(cycle, RequestResponseCycle) or not cycle.chunked_encoding:
        return None
    flow, write = cycle.flow, cycle.transport.write

    def take(messages: Sequence[bytes]) -> int:
        if flow.write_paused or cycle.disconnected or cycle.response_complete:
            return 0
        count, body = encode(messages)
        if count:
            write(b"%x\r\n%b\r\n" % (len(body), body))
        return count

    return take
