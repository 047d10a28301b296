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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
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

MOST_TRIES = 6


class Calls(NamedTuple):
    """How many calls of Python functions one more turn, and one more event, cost."""

    turn: float
    event: float


SPARE = Calls(1.02, 1.05)
"""By how many times a count may be more than it was, for what else goes on meanwhile."""


class Way(NamedTuple):
    """The API of a client, and that of its upstream over HTTP; "" for Responses over WebSocket."""

    client: str
    upstream: str = ""


CALLS = {
    Way(RESPONSES): Calls(471, 5),
    Way(CHAT): Calls(1353, 7),
    Way(MESSAGES): Calls(1487, 6),
    Way(RESPONSES, CHAT): Calls(1736, 37),
    Way(RESPONSES, MESSAGES): Calls(1869, 27),
    Way(RESPONSES, GEMINI): Calls(1504, 31),
    Way(MESSAGES, MESSAGES): Calls(440, 23),
    Way(CHAT, CHAT): Calls(466, 26),
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
    """Counts calls of Python functions of some floors, but for what some tasks call."""

    def __init__(self, floors: tuple[str, ...], others: frozenset[asyncio.Task]) -> None:
        self.calls = 0
        self._floors = floors
        self._others = others

    def __call__(self, frame: FrameType, event: str, _argument: object) -> None:
        """Count one."""
        if event == "call" and asyncio.current_task() not in self._others:
            self.calls += any(floor in frame.f_code.co_filename for floor in self._floors)


@contextmanager
def counting(counter: Counter) -> Iterator[None]:
    """Count what this thread calls meanwhile."""
    sys.setprofile(counter)
    try:
        yield
    finally:
        sys.setprofile(None)


async def calls_of(way: Way, settings: Settings, key: str) -> Calls:
    """Serve in this thread, with a load from outside; count the calls of each of its jobs.

    Tasks that were there before the turns (watching, writing the log) run by the clock: what they
    call is no turn's.
    """
    server = server_of(App(settings, opening(settings)), settings)
    listener = socket.create_server(("127.0.0.1", 0))
    warm_up, few, more, short, long = jobs_of(way)
    with tempfile.TemporaryFile() as errors:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        own = Server(os.getpid(), url, errors, key)
        async with asyncio.TaskGroup() as group:
            group.create_task(server.serve(sockets=[listener]))
            await asyncio.to_thread(perform, warm_up, own, (), is_exact=not warm_up.api)
            others = frozenset(asyncio.all_tasks())
            turns = [await agreed(min, job, own, FLOORS, others) for job in (few, more)]
            events = [await agreed(max, job, own, PASSED, others) for job in (short, long)]
            server.should_exit = True
    return Calls((turns[1] - turns[0]) / 20, (events[1] - events[0]) / further(way))


async def agreed(
    choice: Callable[[list[int]], int],
    job: Job,
    own: Server,
    floors: tuple[str, ...],
    others: frozenset[asyncio.Task],
) -> int:
    """Count the calls of a job until the chosen count comes a second time, or nearly.

    What else goes on adds calls to a turn, whose least count is its own; an event that comes
    together with another saves calls, so that the most are its own.
    """
    counts: list[int] = []
    while len(counts) < MOST_TRIES and not twice(choice, counts):
        counter = Counter(floors, others)
        with counting(counter):
            await asyncio.to_thread(perform, job, own, (), is_exact=not job.api)
        counts.append(counter.calls)
    return choice(counts)


def twice(choice: Callable[[list[int]], int], counts: list[int]) -> bool:
    """Whether one more of some counts is the chosen one but for a two-hundredth."""
    best = choice(counts or [0])
    return sum(abs(count - best) <= best / 200 for count in counts) > 1


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
    assert counted.turn <= CALLS[way].turn * SPARE.turn


def test_calls_per_event(way, counted):
    """One more event that arrives alone costs no more calls than it did."""
    assert counted.event <= CALLS[way].event * SPARE.event


def test_the_number_is_current(way, counted):
    """A number that could be lower guards nothing."""
    assert counted.turn >= CALLS[way].turn / SPARE.turn
