"""A stream that begins before its first event, for proxies that cut what is silent for too long.

Law: once it has begun, a failure is an event of the stream. What fills the silence is written while
the client keeps up, and never once an event is there.
"""

import asyncio
from collections.abc import Callable

from longwire.server.http.exchange import HttpExchange, ReplyState


class EarlyHead:
    """Begins a reply unless it is stopped in time, and then sends `filler` every `pause` seconds.

    `begin` writes the head of the reply.
    """

    __slots__ = ("_begin", "_exchange", "_filler", "_pause", "_timer")

    def __init__(
        self, exchange: HttpExchange, begin: Callable[[], None], filler: bytes, pause: float
    ) -> None:
        self._exchange = exchange
        self._begin = begin
        self._filler = filler
        self._pause = pause
        self._timer: asyncio.TimerHandle | None = None

    def start(self, seconds: float) -> None:
        """Begin in so many seconds."""
        self._timer = asyncio.get_running_loop().call_later(seconds, self._fill)

    def stop(self) -> None:
        """Write nothing any more."""
        if self._timer is not None:
            self._timer.cancel()

    def _fill(self) -> None:
        """Write what fills the silence, unless the client is gone."""
        if self._exchange.reply is ReplyState.NOT_BEGUN:
            self._begin()
        self._exchange.write_at_once(self._filler)
        if not self._exchange.response_complete:
            self.start(self._pause)
