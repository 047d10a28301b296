"""A fast local upstream: answers each create with the events its plan asks for. An own process."""

import asyncio
import random
from itertools import count

import picows
import uvloop
from picows import WSCloseCode, WSMsgType

from bench.wire import writes

_LARGEST_CREATE = 64 * 1024 * 1024
_numbers = count(1)


class Connection(picows.WSListener):
    """One connection with at most one response at a time."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        """Answer a create; close when asked to."""
        if frame.msg_type == WSMsgType.TEXT:
            self._answer(transport, frame.get_payload_as_bytes())
        elif frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(WSCloseCode.OK)
            transport.disconnect()

    def on_ws_disconnected(self, _transport: picows.WSTransport) -> None:
        """Stop what is under way."""
        if self._timer is not None:
            self._timer.cancel()

    def _answer(self, transport: picows.WSTransport, create: bytes) -> None:
        write = transport.underlying_transport.write
        pieces, gap = writes(create, b"resp_%012d" % next(_numbers))
        if not gap:
            for piece in pieces:
                write(piece)
            return
        left = iter(pieces)
        due = self._loop.time() + gap * random.random()

        def write_next() -> None:
            nonlocal due
            piece = next(left, None)
            if piece is not None:
                write(piece)
                due += gap
                self._timer = self._loop.call_at(due, write_next)

        self._timer = self._loop.call_at(due, write_next)


async def serve() -> None:
    """Serve until the process is ended."""
    server = await picows.ws_create_server(
        lambda _: Connection(), "127.0.0.1", 0, max_frame_size=_LARGEST_CREATE
    )
    print(f"serves http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve())
