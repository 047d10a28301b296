"""The hot path costs no more calls than it did: a count that no machine and no neighbour changes.

Counted are calls of Python functions in the thread of a real server before a real upstream, with
the turn log, metrics, log lines for machines and a key with limits.
Whoever makes a turn or an event cheaper lowers its number here; a higher one needs a reason.
"""

import asyncio
import os
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from statistics import median
from types import FrameType
from typing import NamedTuple

import pytest
import uvloop

from bench.clients import perform
from bench.processes import Server, configuration, limited_key, serving, written
from bench.spoken import CHAT, MESSAGES, RESPONSES
from bench.tally import Job
from bench.upstreams import GEMINI, channels, events_of, model_of
from longwire.app import App, opening
from longwire.processes import server_of
from longwire.server import logs
from longwire.settings import Settings, load

pytestmark = pytest.mark.process

SPARE = 1.05
MOST_TRIES = 3


class Calls(NamedTuple):
    """How many calls of Python functions one more turn, and one more event, cost."""

    turn: float
    event: float


class Way(NamedTuple):
    """The API of a client, and that of its upstream over HTTP; "" for Responses over WebSocket."""

    client: str
    upstream: str = ""


CALLS = {
    Way(RESPONSES): Calls(451, 5),
    Way(CHAT): Calls(1312, 7.4),
    Way(MESSAGES): Calls(1452, 6),
    Way(RESPONSES, CHAT): Calls(1695, 38),
    Way(RESPONSES, MESSAGES): Calls(1815, 27),
    Way(RESPONSES, GEMINI): Calls(1455, 31),
    Way(MESSAGES, MESSAGES): Calls(450, 24),
    Way(CHAT, CHAT): Calls(475, 27),
}
"""A turn of another API translates its whole history again: these are the turns 11 to 30 of a
conversation. Over HTTP each event is a chunk of its own, which wakes its reader.
"""

PASSED = ("longwire/upstream/", "longwire/dialects/", "longwire/server/")
FLOORS = (
    *PASSED,
    "longwire/core/",
    "longwire/relay/",
    "uvicorn/protocols/",
    "structlog/",
    "<string>",
)
"""Where a turn's own calls are; what the store writes now and then would only blur their number."""
TURNS = Job("turns", "bench:4x8@0:", 1, 10, 1, 6_000, 1_900, opened=True)
EVENTS = Job("events", "bench:100x1@5:", 1, 1, opened=True)


class Counter:
    """Counts calls of Python functions: of the floors of a turn, and of those an event passes."""

    def __init__(self) -> None:
        self.of_turns = 0
        self.of_events = 0

    def __call__(self, frame: FrameType, event: str, _argument: object) -> None:
        """Count one."""
        if event == "call":
            place = frame.f_code.co_filename
            self.of_turns += any(floor in place for floor in FLOORS)
            self.of_events += any(floor in place for floor in PASSED)


@contextmanager
def counting() -> Iterator[Counter]:
    """Count what this thread calls meanwhile."""
    calls = Counter()
    sys.setprofile(calls)
    try:
        yield calls
    finally:
        sys.setprofile(None)


async def calls_of(way: Way, settings: Settings, key: str) -> Calls:
    """Serve in this thread, with a load from outside; count until two counts agree."""
    server = server_of(App(settings, opening(settings)), settings)
    listener = socket.create_server(("127.0.0.1", 0))
    warm_up, *jobs = jobs_of(way)
    turns: list[float] = []
    events: list[float] = []
    with tempfile.TemporaryFile() as errors:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        own = Server(os.getpid(), url, errors, key)
        async with asyncio.TaskGroup() as group:
            group.create_task(server.serve(sockets=[listener]))
            await count(warm_up, own)
            while not (agree(turns) and agree(events)) and len(turns) < MOST_TRIES:
                few, more, short, long = [await count(job, own) for job in jobs]
                turns.append((more.of_turns - few.of_turns) / 20)
                events.append((long.of_events - short.of_events) / further(way))
            server.should_exit = True
    return Calls(median(turns), median(events))


async def count(job: Job, own: Server) -> Counter:
    """Count the calls of this thread while a job is done."""
    with counting() as calls:
        await asyncio.to_thread(perform, job, own, (), is_exact=not job.api)
    return calls


def agree(numbers: list[float]) -> bool:
    """Whether two of some numbers are the same but for a fiftieth."""
    return any(more - less <= less / 50 for less, more in pairwise(sorted(numbers)))


@pytest.fixture(name="way", scope="module", params=CALLS, ids=" ".join)
def way_fixture(request) -> Way:
    """Return whose turns are counted."""
    return request.param


@pytest.fixture(name="counted", scope="module")
def counted_fixture(way) -> Calls:
    """Return the calls of one more turn, and of one more event."""
    logs.configure()
    with (
        serving("bench.upstream", "http" if way.upstream else "ws") as upstream,
        tempfile.TemporaryDirectory() as folder,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        text = channels(upstream.url) if way.upstream else configuration(upstream.url)
        config = written(text, folder)
        key = limited_key(config)
        return runner.run(calls_of(way, load(Path(config)), key))


def jobs_of(way: Way) -> list[Job]:
    """Return what is done for a warm-up, and then in each try."""
    is_plain = way == Way(RESPONSES)
    kind, api = ("bench", "") if is_plain else ("say", way.client)

    def job(job: Job, plan: str) -> Job:
        plan = f"{kind}:{plan}:"
        return replace(job, plan=model_of(way.upstream, plan) if way.upstream else plan, api=api)

    turns, events = job(TURNS, "4x8@0"), job(EVENTS, "100x1@5")
    longer = replace(turns, turns=30), job(EVENTS, "200x1@5")
    return [turns, turns, longer[0], events, longer[1]]


def further(way: Way) -> int:
    """Count the events that the longer of two turns has beyond the other's."""
    if way == Way(RESPONSES):
        return 100
    few, more = (events_of(way.upstream, f"say:{deltas}x1@5:") for deltas in (100, 200))
    return 2 * (more - few)  # the warm-up of a spoken plan has as many


def test_calls_per_turn(way, counted):
    """One more turn costs no more calls than it did."""
    assert counted.turn <= CALLS[way].turn * SPARE


def test_calls_per_event(way, counted):
    """One more event that arrives alone costs no more calls than it did."""
    assert counted.event <= CALLS[way].event * SPARE


def test_the_number_is_current(way, counted):
    """A number that could be lower guards nothing."""
    assert counted.turn >= CALLS[way].turn / SPARE
