"""The floor: the same relay written directly on picows and uvicorn, without any gateway in it."""

import asyncio
import socket
import sys
from typing import cast

import msgspec
import picows
import uvicorn
from starlette.types import Receive, Scope, Send


class _Head(msgspec.Struct):
    type: str


_heads = msgspec.json.Decoder(_Head)


class Upstream(picows.WSListener):
    """One connection; frames that arrived in one read are taken together."""

    transport: picows.WSTransport
    arrived: asyncio.Future[None] | None = None

    def __init__(self) -> None:
        self.frames: list[bytes] = []

    def on_ws_connected(self, transport: picows.WSTransport) -> None:
        """Keep the way to send."""
        self.transport = transport

    def on_ws_frame(self, _transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        """Take one frame, and wake who waits."""
        self.frames.append(frame.get_payload_as_bytes())
        if self.arrived is not None and not self.arrived.done():
            self.arrived.set_result(None)


class Floor:
    """The relay as an ASGI application: a connection per session."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.sessions: dict[bytes, Upstream] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Relay one turn."""
        message = await receive()
        parts = [b'{"type":"response.create",', message["body"][1:]]
        while message["more_body"]:
            message = await receive()
            parts.append(message["body"])
        session = dict(scope["headers"])[b"session-id"]
        if session not in self.sessions:
            _, dialed = await picows.ws_connect(Upstream, self.url)
            self.sessions[session] = cast("Upstream", dialed)
        upstream = self.sessions[session]
        upstream.transport.send(picows.WSMsgType.TEXT, b"".join(parts))
        await send({"type": "http.response.start", "status": 200})
        more = True
        while more:
            if not upstream.frames:
                upstream.arrived = asyncio.get_running_loop().create_future()
                await upstream.arrived
            frames, upstream.frames = upstream.frames, []
            names = [_heads.decode(frame).type.encode() for frame in frames]
            pairs = zip(names, frames, strict=True)
            body = b"".join([b"event: %b\ndata: %b\n\n" % pair for pair in pairs])
            more = names[-1] != b"response.completed"
            await send({"type": "http.response.body", "body": body, "more_body": more})


if __name__ == "__main__":
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    print(f"serves http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    app = Floor(sys.argv[1].replace("http:", "ws:"))
    config = uvicorn.Config(app, loop="uvloop", http="httptools", ws="none", log_level="error")
    uvicorn.Server(config).run(sockets=[listener])
