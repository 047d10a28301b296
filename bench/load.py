"""`python -m bench.load URL KEY JOB`: the client side, sessions that take turns and read events.

It says `ready` once all is connected, begins at a line on stdin, and tells its figures as JSON.
Each session sends its whole history every turn, as agents do; over `ws` only what is new.
"""

import asyncio
import json
import resource
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Protocol, cast

import picows
import uvloop

from bench.sockets import WebSocket
from bench.spoken import SpokenTalk
from bench.talk import Talk
from bench.tally import Job, Tally, Turn

_DATA = b"data: {"
_END = b"0\r\n\r\n"
_WARM_UP = "bench:4x8@0:"


class Session(Protocol):
    """One connection of an agent."""

    done: asyncio.Future[None]

    @property
    def answer(self) -> bytes:
        """Return the content of the last answer."""

    def send(self, talk: Talk | SpokenTalk, name: str) -> None:
        """Begin the next turn of a conversation, whose end resolves `done`."""


class Http(asyncio.Protocol):
    """A connection over HTTP, kept alive."""

    def __init__(self, tally: Tally, key: str) -> None:
        self.turn = Turn(tally)
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._key = key
        self._chunks: list[bytes] | None = None
        self._tail = b""
        self._left: int | None = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Be ready to send."""
        self._transport = cast("asyncio.WriteTransport", transport)

    @property
    def answer(self) -> bytes:
        """Return the content of the last answer, without the sizes of its chunks."""
        left = b"".join(self._chunks or ()).partition(b"\r\n\r\n")[2]
        parts = []
        while left:
            size, _, left = left.partition(b"\r\n")
            parts.append(left[: int(size, 16)])
            left = left[int(size, 16) + 2 :]
        return b"".join(parts)

    def send(self, talk: Talk | SpokenTalk, name: str) -> None:
        """Send a request with the whole history."""
        body = talk.body()
        head = (
            f"POST {talk.path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {self._key}\r\n"
            f"session-id: {name}\r\ncontent-type: application/json\r\n{talk.headers}"
            f"content-length: {len(body)}\r\n\r\n"
        )
        self.done = asyncio.get_running_loop().create_future()
        self._chunks = [] if talk.sends_back else None
        self._tail = b""
        self.turn.begin()
        self._transport.write(head.encode() + body)

    def data_received(self, chunk: bytes) -> None:
        """Count events; the end of the body ends the turn."""
        if self._chunks is not None:
            self._chunks.append(chunk)
        if not self._tail:
            self._open(chunk)
        seen = self._tail[1 - len(_DATA) :] + chunk if self._tail else chunk
        self.turn.see(chunk, seen.count(_DATA))
        self._tail = seen[-len(_DATA) :]
        if self._left is not None:
            self._left -= len(chunk)
            is_over = self._left <= 0
        else:
            is_over = self._tail.endswith(_END)
        if is_over and not self.done.done():
            self.turn.tally.turns += 1
            self.done.set_result(None)

    def _open(self, chunk: bytes) -> None:
        """Read an answer's head; heads are short enough to come in one piece."""
        head, _, _ = chunk.partition(b"\r\n\r\n")
        self.turn.tally.continued += b"x-longwire-continuity: continued" in head
        if not head.startswith(b"HTTP/1.1 200 "):
            self.connection_lost(ConnectionError(chunk.decode(errors="replace")))
        told = head.lower().partition(b"content-length: ")[2]
        self._left = len(head) + 4 + int(told.partition(b"\r\n")[0]) if told else None

    def connection_lost(self, error: Exception | None) -> None:
        """Fail a turn under way."""
        if not self.done.done():
            self.done.set_exception(error or ConnectionError("closed before the turn's end"))


async def connected(url: str, key: str, job: Job, tally: Tally) -> Sequence[Session]:
    """Open a connection for each session."""
    loop = asyncio.get_running_loop()
    host, _, port = url.removeprefix("http://").partition(":")

    async def one() -> Session:
        if job.transport == "ws":
            address = url.replace("http:", "ws:")
            return cast("Session", (await picows.ws_connect(lambda: WebSocket(tally), address))[1])
        return (await loop.create_connection(lambda: Http(tally, key), host, int(port)))[1]

    return [await one() for _ in range(job.sessions)]


async def take(session: Session, talks: Sequence[Talk | SpokenTalk], turns: int, name: str) -> None:
    """Take turns of one conversation after the other."""
    for number, talk in enumerate(talks):
        for _ in range(turns):
            session.send(talk, f"{name}-{number}")
            await session.done
            talk.grow(session.answer)


async def run(url: str, key: str, job: Job) -> Tally:
    """Connect, take a warm-up turn each, wait for the word, then do the job."""
    tally, name = Tally(), f"{job.name}-{time.time_ns()}"
    sessions = await connected(url, key, job, tally)
    talks = [[_talk(job) for _ in range(job.talks)] for _ in sessions]
    opened = talks if job.opened else [[_talk(job)] for _ in sessions]
    await _take(sessions, opened, 1, name if job.opened else "warm-up")
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    told = Tally()
    for session, own in zip(sessions, talks, strict=True):
        session.turn.tally = told  # type: ignore[attr-defined] # both have one
        for talk in own:
            talk.plan = job.plan
    began, spent = time.monotonic(), time.process_time()
    await _take(sessions, talks, job.turns, name)
    told.seconds, told.cpu = time.monotonic() - began, time.process_time() - spent
    return told


def _talk(job: Job) -> Talk | SpokenTalk:
    if job.api:
        return SpokenTalk(job.api, job.plan, job.size, job.growth)
    return Talk(_WARM_UP, job.size, job.growth, job.streams)


async def _take(
    sessions: Sequence[Session], talks: Sequence[Sequence[Talk | SpokenTalk]], turns: int, name: str
) -> None:
    """Take turns in all sessions at once."""
    async with asyncio.TaskGroup() as group:
        for place, (session, own) in enumerate(zip(sessions, talks, strict=True)):
            group.create_task(take(session, own, turns, f"{name}-{place}"))


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        url_, key_, job_ = sys.argv[1:]
        print(json.dumps(asdict(runner.run(run(url_, key_, Job(**json.loads(job_)))))))
