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
from dataclasses import asdict, dataclass, field
from typing import Protocol, cast

import picows
import uvloop

from bench.talk import Talk
from bench.wire import STAMP, plan_of

_DATA = b"data: {"
_END = b"0\r\n\r\n"
_ID = b'"id":"resp_'
_WARM_UP = "bench:4x8@0:"


@dataclass(frozen=True, slots=True)
class Job:
    """What to do: `sessions` at once, each with `talks` one after the other, of `turns` each.

    First bodies have `size` bytes, and grow by `growth` each turn.
    """

    name: str
    plan: str
    sessions: int
    turns: int
    talks: int = 1
    size: int = 6_000
    growth: int = 1_000
    streams: bool = True
    transport: str = "http"
    opened: bool = False
    """Whether the first turn of each conversation is part of the warm-up."""

    @property
    def all_turns(self) -> int:
        """Count the turns of all sessions."""
        return self.sessions * self.talks * self.turns

    @property
    def all_events(self) -> int:
        """Count the events that all streams bring; an answer that is no stream brings none."""
        return self.all_turns * plan_of(self.plan.encode()).events * self.streams


@dataclass(slots=True)
class Tally:
    """What came of it; `continued` counts answers whose turn was sent on without its history.

    `firsts` are the seconds until each turn's first event, `delays` those that paced events took.
    """

    turns: int = 0
    events: int = 0
    continued: int = 0
    seconds: float = 0.0
    cpu: float = 0.0
    firsts: list[float] = field(default_factory=list)
    delays: list[float] = field(default_factory=list)


class Session(Protocol):
    """One connection of an agent."""

    done: asyncio.Future[None]

    def send(self, talk: Talk, name: str) -> None:
        """Begin the next turn of a conversation, whose end resolves `done`."""


class Turn:
    """What one session counts of the turn under way."""

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        self._sent = 0.0
        self._has_begun = False

    def begin(self) -> None:
        """Note that the request is about to be sent."""
        self._sent, self._has_begun = time.monotonic(), False

    def see(self, chunk: bytes, events: int) -> None:
        """Count what a chunk brought."""
        now = time.monotonic_ns()
        if events and not self._has_begun:
            self._has_begun = True
            self.tally.firsts.append(now / 1e9 - self._sent)
        self.tally.events += events
        for stamp in STAMP.findall(chunk):
            if int(stamp):
                self.tally.delays.append((now - int(stamp)) / 1e9)


class Http(asyncio.Protocol):
    """A connection over HTTP, kept alive."""

    def __init__(self, tally: Tally, key: str) -> None:
        self.turn = Turn(tally)
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._key = key
        self._tail = b""
        self._left: int | None = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Be ready to send."""
        self._transport = cast("asyncio.WriteTransport", transport)

    def send(self, talk: Talk, name: str) -> None:
        """Send a request with the whole history."""
        body = talk.body()
        head = (
            f"POST /v1/responses HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {self._key}\r\n"
            f"session-id: {name}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\n\r\n"
        )
        self.done = asyncio.get_running_loop().create_future()
        self._tail = b""
        self.turn.begin()
        self._transport.write(head.encode() + body)

    def data_received(self, chunk: bytes) -> None:
        """Count events; the end of the body ends the turn."""
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


class WebSocket(picows.WSListener):
    """A connection straight to the upstream, which sends only what is new."""

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


async def take(session: Session, talks: Sequence[Talk], turns: int, name: str) -> None:
    """Take turns of one conversation after the other."""
    for number, talk in enumerate(talks):
        for _ in range(turns):
            session.send(talk, f"{name}-{number}")
            await session.done
            talk.grow()


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


def _talk(job: Job) -> Talk:
    return Talk(_WARM_UP, job.size, job.growth, job.streams)


async def _take(
    sessions: Sequence[Session], talks: Sequence[Sequence[Talk]], turns: int, name: str
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
