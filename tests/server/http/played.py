"""An exchange to which things happen one by one, on a real connection whose client only listens."""

import asyncio
from contextlib import asynccontextmanager, suppress
from inspect import iscoroutine

import uvicorn
from uvicorn.server import ServerState

from longwire.server.http.arrival import ArrivalLimits
from longwire.server.http.protocol import HttpProtocol

LIMIT = 1000
WAYS = {
    "begun": ["begin"],
    "streaming": ["begin", "write"],
    "ending": ["begin", "write", "paused", "end"],
    "ended": ["begin", "end"],
    "aborted": ["client_left"],
    "receiving": ["received"],
    "complete": ["ended"],
    "too_large": ["overflowed"],
}


class Serving:
    """An application whose turns are one coroutine's."""

    def __init__(self, turn):
        self.turns = self
        self.paths = (b"/v1/responses",)
        self.max_body = LIMIT
        self.arrival = ArrivalLimits(30, 30)
        self.turn = turn

    def serves(self, _path):
        return False

    async def __call__(self, exchange, *_):
        await self.turn(exchange)


def configured(turn):
    """What a server has that serves such turns."""
    options = {"ws": "none", "log_config": None, "lifespan": "off"}
    options |= {"proxy_headers": False, "server_header": False}
    return uvicorn.Config(Serving(turn), http=HttpProtocol, interface="asgi3", **options)


class Socket(asyncio.Transport):
    """The socket of a client that only listens."""

    def __init__(self):
        super().__init__()
        self.sent = b""
        self.fate = "open"

    def write(self, data):
        self.sent += data

    def is_closing(self):
        return self.fate != "open"

    def close(self):
        self.fate = "closed"

    def abort(self):
        self.fate = "aborted"

    def pause_reading(self):
        """Do nothing: nothing is read, either way."""

    resume_reading = pause_reading


class Played:
    """An exchange on a real connection, to which things happen by their names."""

    def __init__(self, version="1.1"):
        self.socket = Socket()
        loop = asyncio.get_running_loop()
        config = configured(lambda _: asyncio.Event().wait())
        config.load()
        self.connection = HttpProtocol(config, ServerState(), {}, loop)
        self.connection.connection_made(self.socket)
        lines = ("host: x", f"content-length: {LIMIT}", "expect: 100-continue", "", "")
        head = "\r\n".join((f"POST /v1/responses HTTP/{version}", *lines))
        self.connection.data_received(head.encode())
        self.exchange = self.connection.cycle
        (self.turn,) = self.connection.tasks
        self._waiting = []

    def happen(self, *names):
        """Let things happen, one after the other, each as far as it does not wait."""
        for name in names:
            work = self._begun(name)
            waiting, self._waiting = self._waiting, []
            for coroutine, future in [*waiting, *([(work, None)] if iscoroutine(work) else [])]:
                self._go_on(coroutine, future)

    def _go_on(self, coroutine, future):
        if future is None or future.done():
            try:
                future = coroutine.send(None)
            except StopIteration:
                return
        self._waiting.append((coroutine, future))

    def close(self):
        """End what waits."""
        self.connection.connection_lost(None)
        self.turn.cancel()
        for coroutine, _ in self._waiting:
            coroutine.close()

    def _begun(self, name):
        exchange = self.exchange
        match name:
            case "begin":
                return exchange.begin(200, {})
            case "write" | "end":
                return getattr(exchange, name)(b"text")
            case "received":
                return exchange.received(b"text")
            case "overflowed":
                return exchange.received(bytes(LIMIT + 1))
            case "paused":
                return self.connection.pause_writing()
            case "drained":
                return self.connection.resume_writing()
            case _:
                return getattr(exchange, name)()


@asynccontextmanager
async def played(state, version="1.1"):
    """An exchange that is in this state; in the end its client leaves."""
    it = Played(version)
    it.happen(*WAYS.get(state, ()))
    yield it
    it.close()
    with suppress(asyncio.CancelledError):
        await it.turn
