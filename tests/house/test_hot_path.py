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
from pathlib import Path
from statistics import median
from types import FrameType

import pytest
import uvloop

from bench.clients import perform
from bench.processes import Server, configuration, limited_key, serving, written
from bench.tally import Job
from longwire.app import App, opening
from longwire.processes import server_of
from longwire.server import logs
from longwire.settings import Settings, load

pytestmark = pytest.mark.process

SPARE = 1.05
CALLS_PER_TURN = 423
CALLS_PER_EVENT = 5
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


class Calls:
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
def counting() -> Iterator[Calls]:
    """Count what this thread calls meanwhile."""
    calls = Calls()
    sys.setprofile(calls)
    try:
        yield calls
    finally:
        sys.setprofile(None)


async def calls_of(jobs, settings: Settings, key: str) -> list[Calls]:
    """Serve each job in this thread, with a load from outside, and count its calls."""
    server = server_of(App(settings, opening(settings)), settings)
    listener = socket.create_server(("127.0.0.1", 0))
    with tempfile.TemporaryFile() as errors:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        own = Server(os.getpid(), url, errors, key)
        async with asyncio.TaskGroup() as group:
            group.create_task(server.serve(sockets=[listener]))
            counts = []
            for job in jobs:
                with counting() as calls:
                    await asyncio.to_thread(perform, job, own, ())
                counts.append(calls)
            server.should_exit = True
    return counts


@pytest.fixture(name="counted", scope="module")
def counted_fixture() -> tuple[float, float]:
    """Return the calls of one more turn, and of one more event: the median of three tries each."""
    longer = replace(TURNS, turns=30), replace(EVENTS, plan="bench:200x1@5:")
    jobs = [TURNS, *(job for _ in range(3) for job in (TURNS, longer[0], EVENTS, longer[1]))]
    logs.configure()
    with (
        serving("bench.upstream", "ws") as upstream,
        tempfile.TemporaryDirectory() as folder,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        config = written(configuration(upstream.url), folder)
        key = limited_key(config)
        counts = runner.run(calls_of(jobs, load(Path(config)), key))
    tries = [counts[at : at + 4] for at in range(1, len(counts), 4)]
    turn = median((more.of_turns - few.of_turns) / 20 for few, more, _, _ in tries)
    event = median((more.of_events - few.of_events) / 100 for _, _, few, more in tries)
    return turn, event


def test_calls_per_turn(counted):
    """One more turn costs no more calls than it did."""
    assert counted[0] <= CALLS_PER_TURN * SPARE


def test_calls_per_event(counted):
    """One more event that arrives alone costs no more calls than it did."""
    assert counted[1] <= CALLS_PER_EVENT * SPARE


def test_the_number_is_current(counted):
    """A number that could be lower guards nothing."""
    assert counted[0] >= CALLS_PER_TURN / SPARE
