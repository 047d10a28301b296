"""What a client and the gateway say to each other: noted on the socket between them.

Law: what is noted is what went over the wire, byte for byte; the recorder changes nothing.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httptools

CHUNK = 1 << 16


@dataclass(slots=True)
class Recorded:
    """One request and its reply; `is_whole` once the reply has ended as HTTP wants it."""

    method: str
    path: str
    headers: dict[str, str]
    content: bytes = b""
    status: int = 0
    reply_headers: dict[str, str] = field(default_factory=dict)
    reply: bytes = b""
    is_whole: bool = False

    @property
    def body(self) -> dict[str, Any]:
        """The request's JSON."""
        return json.loads(self.content)

    @property
    def answer(self) -> dict[str, Any]:
        """The reply's JSON."""
        return json.loads(self.reply)

    @property
    def streams(self) -> bool:
        """Whether the reply is a stream of events."""
        return self.reply_headers.get("content-type", "").startswith("text/event-stream")

    def events(self) -> list[str]:
        """The data of each event of the stream."""
        text = self.reply.decode()
        assert text.endswith("\n\n"), text[-200:]
        lines = (line for event in text[:-2].split("\n\n") for line in event.split("\n"))
        return [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]


class Requests:
    """Reads what the client sends: the target of httptools' request parser."""

    def __init__(self, recorded: list[Recorded], open_ones: list[Recorded]) -> None:
        self._all = recorded
        self._open = open_ones
        self._parser = httptools.HttpRequestParser(self)
        self._url = b""
        self._headers: dict[str, str] = {}
        self._current: Recorded | None = None

    def feed(self, received: bytes) -> None:
        """Take what came."""
        self._parser.feed_data(received)

    def on_message_begin(self) -> None:
        """Begin anew."""
        self._url, self._headers = b"", {}

    def on_url(self, url: bytes) -> None:
        """Take a part of the target."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        self._headers[name.decode().lower()] = value.decode()

    def on_headers_complete(self) -> None:
        """Begin a record."""
        method = self._parser.get_method().decode()
        path = self._url.decode().partition("?")[0]
        self._current = Recorded(method, path, self._headers)
        self._all.append(self._current)
        self._open.append(self._current)

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        assert self._current
        self._current.content += body


class Replies:
    """Reads what the gateway sends: the target of httptools' response parser."""

    def __init__(self, open_ones: list[Recorded]) -> None:
        self._open = open_ones
        self._parser = httptools.HttpResponseParser(self)

    def feed(self, received: bytes) -> None:
        """Take what came; the reply to a HEAD has no body, whatever its length says."""
        self._parser.feed_data(received)
        if self._open and self._open[0].method == "HEAD" and self._open[0].status:
            self.on_message_complete()
            self._parser = httptools.HttpResponseParser(self)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        self._open[0].reply_headers[name.decode().lower()] = value.decode()

    def on_headers_complete(self) -> None:
        """Take the status."""
        self._open[0].status = self._parser.get_status_code()

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        self._open[0].reply += body

    def on_message_complete(self) -> None:
        """End a record."""
        self._open.pop(0).is_whole = True


class Recorder:
    """A port before a gateway: `url` is what its clients are pointed at."""

    def __init__(self, gateway: str) -> None:
        self.recorded: list[Recorded] = []
        self.url = ""
        parts = urlsplit(gateway)
        self._gateway = parts.hostname, parts.port
        self._writers: set[asyncio.StreamWriter] = set()
        self._relays: set[asyncio.Task[None]] = set()

    def turns(self, path: str) -> list[Recorded]:
        """Return the turns that were posted to a path and answered."""
        posted = (one for one in self.recorded if (one.method, one.path) == ("POST", path))
        return [one for one in posted if one.status == 200]

    def answered(self, action: str) -> list[Recorded]:
        """Return the turns that were posted to any path with such an end, and answered."""
        posted = (one for one in self.recorded if one.path.endswith(action))
        return [one for one in posted if one.status == 200]

    async def relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Relay one connection until both sides have closed it."""
        open_ones: list[Recorded] = []
        theirs, ours = await asyncio.open_connection(*self._gateway)
        self._relays.add(asyncio.current_task())
        self._writers |= {writer, ours}
        asking, answering = Requests(self.recorded, open_ones), Replies(open_ones)
        async with asyncio.TaskGroup() as group:
            group.create_task(carry(reader, ours, asking))
            group.create_task(carry(theirs, writer, answering))

    async def end(self) -> None:
        """Close what clients keep open."""
        for writer in self._writers:
            writer.transport.abort()
        if self._relays:
            await asyncio.wait(self._relays)


async def carry(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, noted: Requests | Replies
) -> None:
    """Carry one direction of a connection to its end, which is the end of both."""
    try:
        with suppress(ConnectionError):
            while received := await reader.read(CHUNK):
                noted.feed(received)
                writer.write(received)
                await writer.drain()
    finally:
        writer.close()


@asynccontextmanager
async def recording(gateway: str) -> AsyncIterator[Recorder]:
    """Stand before a gateway until left."""
    recorder = Recorder(gateway)
    async with await asyncio.start_server(recorder.relay, "127.0.0.1", 0) as server:
        recorder.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield recorder
        await recorder.end()
