"""The server's side of HTTP/1.1: uvicorn's own, but a turn goes past ASGI, to `Turns`.

Law: parsing, order, keep-alive and shutdown stay uvicorn's. A client that leaves cancels its turn,
unless the reply has ended. What is refused never stands inside another reply.
"""

import asyncio
from collections.abc import Collection
from typing import Any, Final, Protocol
from urllib.parse import unquote_to_bytes

import httptools
from uvicorn._types import ASGI3Application
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from longwire.server.http.arrival import TOO_SLOW, Arrival, ArrivalLimits
from longwire.server.http.exchange import HttpExchange
from longwire.server.paths import canonical

MOST_UNFRAMED: Final = 64 * 1024
"""Bytes that may come in several reads before they make a head, a part of a body or its end."""

MOST_QUEUED: Final = 8
"""Requests that may wait behind a reply before no more are read."""

STALLED_AFTER: Final = 120.0
"""Seconds that a client may take nothing of what it is sent."""

_VERSIONS: Final = ("1.1", "1.0")


class Turns(Protocol):
    """The callable that serves what is posted to `paths`, with bodies of at most `max_body` bytes.

    It stands where ASGI has an application. `arrival` is how long requests of any kind may take to
    arrive.
    """

    paths: Collection[bytes]
    max_body: int
    arrival: ArrivalLimits

    def serves(self, path: bytes) -> bool:
        """Whether a path in its one spelling that is none of `paths` is served, too."""

    async def __call__(self, exchange: HttpExchange) -> None:
        """Serve one turn."""


class HttpProtocol(HttpToolsProtocol):
    """One connection of a client. The application has a `Turns` as its attribute `turns`."""

    cycle: RequestResponseCycle | HttpExchange | None  # type: ignore[assignment] # it asks both for the same
    _task: asyncio.Task[None]
    """Serves the turn of `_served`."""
    _arrival: Arrival

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._turns: Turns = config.loaded_app.turns
        self._served: HttpExchange | None = None
        self._unframed = 0
        self._stall: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request, but not for ever."""
        super().connection_made(transport)
        self._arrival = Arrival(self._turns.arrival, self.loop, self._refuse_slow)

    def data_received(self, data: bytes) -> None:
        """Take what the client sent."""
        if self._arrival.since is None:
            self._arrival.since = self.loop.time()
        self._unframed += len(data)
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            if self._should_upgrade():
                self.handle_websocket_upgrade()
            else:
                self._decline_upgrade(data[upgrade.args[0] :])
        except httptools.HttpParserError:
            self.send_400_response("Invalid HTTP request received.")
        else:
            if self._unframed > MOST_UNFRAMED:
                self.send_400_response("The head of the request is too large.")

    def _decline_upgrade(self, rest: bytes) -> None:
        """Read a request again as if it asked for no other protocol: `rest` begins with its body.

        llhttp would take its body for that protocol, and uvicorn for the next request.
        """
        lines = [b"%b: %b\r\n" % pair for pair in self.headers if pair[0] != b"upgrade"]
        method, version = self.parser.get_method(), self.parser.get_http_version().encode()
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn's own
        first = b"%b %b HTTP/%b\r\n" % (method, self.url, version)
        self.data_received(b"".join((first, *lines, b"\r\n", rest)))

    def pause_writing(self) -> None:
        """Let who writes wait for the client, but not for ever: its turn holds a connection."""
        super().pause_writing()
        self._stall = self.loop.call_later(STALLED_AFTER, self.transport.abort)

    def resume_writing(self) -> None:
        """Let who writes go on."""
        super().resume_writing()
        self._go_on()

    def _go_on(self) -> None:
        if self._stall is not None:
            self._stall.cancel()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of everything; a turn whose reply has not ended is cancelled."""
        self._arrival.stop()
        self._go_on()
        served, self._served = self._served, None
        if isinstance(self.cycle, HttpExchange):
            self.cycle = None
        super().connection_lost(exc)
        if served is not None and served.client_left():
            self._task.cancel()

    def on_headers_complete(self) -> None:
        """Begin a turn, or leave the request to uvicorn."""
        self._unframed = 0
        arrival = self._arrival
        arrival.since, arrival.size, arrival.is_body = self.loop.time(), 0, True
        method, version = self.parser.get_method(), self.parser.get_http_version()
        if version not in _VERSIONS or method == b"CONNECT":
            msg = "Neither tunnels nor other versions of HTTP are spoken here."
            raise httptools.HttpParserError(msg)
        if self.parser.should_upgrade():
            if self._should_upgrade():
                super().on_headers_complete()
            return
        path, paths = self.url, self._turns.paths
        if method == b"POST" and path not in paths:
            path = _path_of(path)
        if method == b"POST" and (path in paths or self._turns.serves(path)):
            self._begin_turn(path, is_http_1_1=version == "1.1")
        else:
            self._check_coding()
            super().on_headers_complete()
        if self.pipeline and len(self.pipeline) < MOST_QUEUED:
            self.flow.resume_reading()  # so that the client's leaving is seen

    def _begin_turn(self, path: bytes, *, is_http_1_1: bool) -> None:
        headers = {
            name.decode("latin-1"): value.decode("latin-1")
            for name, value in reversed(self.headers)
        }
        if "transfer-encoding" in headers:
            self._check_coding()
        limit = self._turns.max_body
        exchange = HttpExchange(self, path, headers, limit, is_http_1_1=is_http_1_1)
        before, self.cycle = self.cycle, exchange
        if before is None or before.response_complete:
            self._start_asgi_task(exchange, self.app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((exchange, self.app))  # type: ignore[arg-type] # likewise

    def _check_coding(self) -> None:
        """Raise for a body in other transfer codings than chunks: llhttp lets more of them pass."""
        codings = [value.lower() for name, value in self.headers if name == b"transfer-encoding"]
        if codings not in ([], [b"chunked"]):
            msg = "The transfer coding is not supported."
            raise httptools.HttpParserError(msg)

    def on_body(self, body: bytes) -> None:
        """Take a part of a body; while it waits behind a reply, only so much of it is read."""
        self._unframed = 0
        self._arrival.size += len(body)
        exchange = self.cycle
        if not isinstance(exchange, HttpExchange):
            super().on_body(body)
            return
        exchange.received(body)
        if exchange is not self._served and exchange.size > HIGH_WATER_LIMIT:
            self.flow.pause_reading()

    def on_message_complete(self) -> None:
        """Note the end of a request; the head of an upgrade belongs to none so far."""
        self._unframed = 0
        self._arrival.since, self._arrival.is_body = None, False
        if self.parser.should_upgrade():
            return
        exchange = self.cycle
        if isinstance(exchange, HttpExchange):
            exchange.ended()
        else:
            super().on_message_complete()

    def _start_asgi_task(
        self, cycle: RequestResponseCycle | HttpExchange, app: ASGI3Application
    ) -> None:
        """Serve a request in the task that it has on this connection."""
        if not isinstance(cycle, HttpExchange):
            self._served = None
            super()._start_asgi_task(cycle, app)
            return
        self._served = cycle
        self._task = task = self.loop.create_task(self._turns(cycle))
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)

    def handle_websocket_upgrade(self) -> None:
        """Upgrade, but not while a reply is under way: it would be written into the WebSocket."""
        if self._served is not None and not self._served.response_complete:
            self.transport.close()
        else:
            self._arrival.stop()
            self._go_on()
            super().handle_websocket_upgrade()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, and close; behind a reply under way only that is ended."""
        served = self._served
        if served is None or served.response_complete:
            super().send_400_response(msg)
        elif served is self.cycle and served.can_be_refused:
            served.refused()
            self._task.cancel()
            super().send_400_response(msg)
        else:
            served.close_afterwards()
            self.flow.pause_reading()

    def _refuse_slow(self) -> None:
        """End a connection whose next head or body does not come, but no reply under way on it."""
        cycle, is_body = self.cycle, self._arrival.is_body
        if self.flow.read_paused:
            return
        if cycle is None or cycle.response_complete:
            is_answered = is_body or not self._unframed
            self._close_with(b"" if is_answered else TOO_SLOW)
        elif not is_body:
            cycle.keep_alive = False
            self.flow.pause_reading()
        elif isinstance(cycle, HttpExchange):
            cycle.too_slow()
        elif not self.pipeline:
            self._close_with(b"" if cycle.response_started else TOO_SLOW)

    def _close_with(self, answer: bytes) -> None:
        """Write an answer and close; what the client does not take by the next time is dropped."""
        if self.transport.is_closing():
            self.transport.abort()
            return
        if answer:
            self.transport.write(answer)
        self.transport.close()


def _path_of(url: bytes) -> bytes:
    """Return the one spelling of the path of a request's target, as uvicorn reads it."""
    path = httptools.parse_url(url).path or b""
    path = unquote_to_bytes(path) if b"%" in path else path
    return canonical(path.decode("latin-1")).encode("latin-1")
