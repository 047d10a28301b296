"""The client side: sessions that take turns over plain HTTP and read events. An own process.

It says `ready` after a warm-up turn of every session, begins at a line on stdin, and tells its
figures as JSON. Each session sends its whole history every turn, as agents do.
"""

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import cast

import uvloop

from bench.wire import AROUND, PLAN, REPLY

KEY = "longwire-bench"
_END = b"0\r\n\r\n"
_EVENT = b"event: "
_WARM_UP = "4x8@0"
_NEXT = b'{"role":"user","content":"Go on, and say what you have not checked."}'


@dataclass(frozen=True, slots=True)
class Job:
    """What to do: `turns` of every one of `sessions`, first bodies of `body` bytes."""

    name: str
    plan: str
    sessions: int
    turns: int
    body: int = 2_000


@dataclass(slots=True)
class Tally:
    """What came of it; `continued` counts answers whose turn was sent on without its history."""

    turns: int = 0
    events: int = 0
    continued: int = 0
    seconds: float = 0.0
    cpu: float = 0.0


@dataclass
class Session(asyncio.Protocol):
    """One agent on one connection, one turn after the other."""

    number: int
    job: Job
    tally: Tally
    history: list[bytes] = field(default_factory=list)
    done: asyncio.Future[None] | None = None
    left: int = 0
    tail: bytes = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the history with a text of the wanted size."""
        self.transport = cast("asyncio.WriteTransport", transport)
        text = b"A long opening of a conversation. " * (self.job.body // 34 + 1)
        self.history = [b'{"role":"user","content":"%d: %b"}' % (self.number, text)]

    async def take(self, turns: int) -> None:
        """Take some turns; each answer is part of the next one's history."""
        self.left = turns
        self.done = asyncio.get_running_loop().create_future()
        self._send()
        await self.done

    def _send(self) -> None:
        body = b'{"model":"bench","stream":true,"metadata":{"bench":"%b"},"input":[%b]}' % (
            self.job.plan.encode(),
            b",".join(self.history),
        )
        head = (
            f"POST /v1/responses HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {KEY}\r\n"
            f"session-id: {self.job.name}-{self.number}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\n\r\n"
        )
        self.transport.write(head.encode() + body)

    def data_received(self, chunk: bytes) -> None:
        """Count events; the last chunk of a body ends the turn."""
        if not self.tail:
            self._check(chunk)
        seen = self.tail[-len(_EVENT) + 1 :] + chunk
        self.tally.events += seen.count(_EVENT)
        self.tail = seen[-len(_EVENT) :]
        if not self.tail.endswith(_END):
            return
        self.tail = b""
        self.tally.turns += 1
        self.history += (REPLY, _NEXT)
        self.left -= 1
        if self.left:
            self._send()
        elif self.done is not None:
            self.done.set_result(None)

    def _check(self, head: bytes) -> None:
        self.tally.continued += b"x-longwire-continuity: continued" in head
        if not head.startswith(b"HTTP/1.1 200 ") and self.done and not self.done.done():
            self.done.set_exception(ConnectionError(head.decode(errors="replace")))

    def connection_lost(self, error: Exception | None) -> None:
        """Fail a turn under way."""
        if self.done is not None and not self.done.done():
            self.done.set_exception(error or ConnectionError("closed before the turn's end"))


async def run(url: str, job: Job) -> Tally:
    """Warm up, wait for the word, then do the job."""
    loop = asyncio.get_running_loop()
    host, _, port = url.removeprefix("http://").partition(":")
    dials = [partial(Session, number, job, Tally()) for number in range(job.sessions)]
    sessions = [(await loop.create_connection(dial, host, int(port)))[1] for dial in dials]
    await _take(sessions, replace(job, plan=_WARM_UP, turns=1), Tally())
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    tally = Tally()
    began, spent = time.monotonic(), time.process_time()
    await _take(sessions, job, tally)
    tally.seconds, tally.cpu = time.monotonic() - began, time.process_time() - spent
    return tally


async def _take(sessions: list[Session], job: Job, tally: Tally) -> None:
    """Do a job in all sessions at once."""
    async with asyncio.TaskGroup() as group:
        for session in sessions:
            session.job, session.tally = job, tally
            group.create_task(session.take(job.turns))


def events_of(job: Job) -> int:
    """Return how many events a job brings."""
    found = PLAN.fullmatch(b'"bench":"%b"' % job.plan.encode())
    if found is None:
        raise ValueError(job.plan)
    return job.sessions * job.turns * (int(found[1]) + AROUND)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(asdict(runner.run(run(sys.argv[1], Job(**json.loads(sys.argv[2])))))))
