"""A job of the load generator, and what came of it."""

import time
from dataclasses import dataclass, field

from bench.wire import STAMP, plan_of


@dataclass(frozen=True, slots=True)
class Job:
    """What to do: `sessions` at once, each with `talks` one after the other, of `turns` each.

    First bodies have `size` bytes, and grow by `growth` each turn. With an `api` the client is one
    of that API, and sends back what it got; its warm-up has the same plan.
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
    api: str = ""

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
