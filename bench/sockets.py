"""An agent's connection straight to the upstream, over WebSocket: it sends only what is new."""

import asyncio

import picows

from bench.talk import Talk
from bench.tally import Tally, Turn

_ID = b'"id":"resp_'


class WebSocket(picows.WSListener):
    """A connection straight to the upstream, which sends only what is new."""

    answer = b""

    def __init__(self, tally: Tally) -> None:
        self.turn = Turn(tally)
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._previous = b""
        self._name = ""

    def on_ws_connected(self, transport: picows.WSTransport) -> None:
        """Be ready to send."""
        self._transport = transport

    def send(self, talk: Talk, name: str) -> None:
        """Send a create; another conversation begins anew."""
        if name != self._name:
            self._name, self._previous = name, b""
        create = talk.create(self._previous)
        self.done = asyncio.get_running_loop().create_future()
        self.turn.begin()
        self._transport.send(picows.WSMsgType.TEXT, create)

    def on_ws_frame(self, _transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        """Count events; the terminal ends the turn."""
        payload = frame.get_payload_as_bytes()
        self.turn.see(payload, 1)
        if payload.startswith(b'{"type":"response.completed"'):
            at = payload.index(_ID) + 6
            self._previous = payload[at : payload.index(b'"', at)]
            self.turn.tally.turns += 1
            self.done.set_result(None)
