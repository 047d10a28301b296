"""Pings and what they prove: whether the other side of a silent connection still lives.

Any frame is a sign of life, not the pong alone (RFC 6455, 5.5.3): some upstreams send their pongs
only after the events that wait before them.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Spans in seconds: `interval` of silence before a ping, `timeout` for a sign of life then.

    `send_timeout` is how long the socket may take nothing of a message.
    """

    interval: float = 20.0
    timeout: float = 20.0
    send_timeout: float = 30.0


class Keepalive:
    """Watches one connection while started; whoever reads sets `was_heard` at every read.

    The callbacks are held by the timer alone, so that a connection that ended is no cycle.
    """

    __slots__ = ("_call_later", "_heartbeat", "_timer", "was_heard")

    def __init__(self, heartbeat: Heartbeat) -> None:
        self._call_later = asyncio.get_running_loop().call_later
        self._heartbeat = heartbeat
        self._timer: asyncio.TimerHandle | None = None
        self.was_heard = False

    def start(self, ping: Callable[[], None], give_up: Callable[[], None]) -> None:
        """Call `ping` after each silent interval, and `give_up` where nothing follows it."""
        self.was_heard = False
        interval = self._heartbeat.interval
        self._timer = self._call_later(interval, self._check, ping, give_up)

    def stop(self) -> None:
        """Watch no more, or not until the next start."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _check(self, ping: Callable[[], None], give_up: Callable[[], None]) -> None:
        if self.was_heard:
            self.start(ping, give_up)
            return
        self._timer = self._call_later(self._heartbeat.timeout, self._expect, ping, give_up)
        ping()

    def _expect(self, ping: Callable[[], None], give_up: Callable[[], None]) -> None:
        if self.was_heard:
            self.start(ping, give_up)
        else:
            give_up()
