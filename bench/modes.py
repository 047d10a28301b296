"""The loads under which Longwire is measured beside its references, and what it must reach.

A target is the most that Longwire may cost as a multiple of a reference, in the same round.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from bench.references import DELTA, DIRECT, FLOOR, LITELLM, LONGWIRE, NGINX
from bench.tally import Job

PER_EVENT, PER_TURN = "µs/event", "µs/turn"


@dataclass(frozen=True, slots=True)
class Mode:
    """A kind of load: its figures count per event or per turn."""

    about: str
    job: Job
    unit: str
    targets: Mapping[str, float] = field(default_factory=dict)
    names: tuple[str, ...] = (NGINX, FLOOR, LONGWIRE)

    def job_for(self, name: str) -> Job:
        """Return the job for one server: LiteLLM gets fewer turns, as its take so long."""
        if name == DELTA:
            return replace(self.job, transport="ws")
        if name == LITELLM:
            return replace(self.job, sessions=2, talks=1, turns=min(self.job.turns, 8))
        return self.job

    def shortened(self) -> "Mode":
        """Return the same load for a quick look."""
        job = self.job
        if job.turns == 1:
            return replace(self, job=replace(job, talks=max(1, job.talks // 5)))
        return replace(self, job=replace(job, turns=max(2, job.turns // 4)))


_PACED_TURN = "bench:23x1@5:"
_AT_ONCE = "bench:23x8@0:"
SMALL, LARGE = {"size": 6_000, "growth": 1_900}, {"size": 20_000, "growth": 18_300}
"""Sixteen turns of these have bodies of 20 KB and of 157 KB on average."""

COSTS = (
    Mode(
        "agents, 20 KB contexts",
        Job("agents-20", _PACED_TURN, 30, 16, **SMALL),
        PER_TURN,
        {NGINX: 3.0, LITELLM: 1 / 35},
        (NGINX, FLOOR, LITELLM, LONGWIRE),
    ),
    Mode(
        "agents, 157 KB contexts",
        Job("agents-157", _PACED_TURN, 30, 16, **LARGE),
        PER_TURN,
        {NGINX: 4.0},
        (NGINX, FLOOR, LITELLM, LONGWIRE),
    ),
    Mode(
        "agents, 20 KB, events at once",
        Job("at-once-20", _AT_ONCE, 8, 16, 4, **SMALL),
        PER_TURN,
    ),
    Mode(
        "agents, 20 KB, JSON answers",
        Job("json-20", _AT_ONCE, 8, 16, 4, streams=False, **SMALL),
        PER_TURN,
        names=(NGINX, LONGWIRE),
    ),
    Mode(
        "bursts of 8 events, 20 ms",
        Job("bursts", "bench:400x8@20:", 40, 3, opened=True),
        PER_EVENT,
        {NGINX: 2.7, FLOOR: 1.15},
    ),
    Mode(
        "paced single events, 30 ms",
        Job("paced", "bench:180x1@30:", 100, 1, opened=True),
        PER_EVENT,
        {NGINX: 2.0},
    ),
    Mode(
        "turns of 1,000 events at once",
        Job("long", "bench:995x8@0:", 8, 12, opened=True),
        PER_EVENT,
    ),
)

RATES = (
    Mode(
        "157 KB contexts, 1 session",
        Job("rate-1", _AT_ONCE, 1, 16, 10, **LARGE),
        PER_TURN,
        {DIRECT: 1.0},
        (DIRECT, DELTA, NGINX, LONGWIRE),
    ),
    Mode(
        "157 KB contexts, 8 sessions",
        Job("rate-8", _AT_ONCE, 8, 16, 4, **LARGE),
        PER_TURN,
        {DIRECT: 1.0},
        (DIRECT, DELTA, NGINX, LONGWIRE),
    ),
    Mode(
        "157 KB contexts, 1 session, upload 20 µs/KB",
        Job("upload-1", "bench:23x8@0+0/20/0:", 1, 16, 6, **LARGE),
        PER_TURN,
        {DIRECT: 1 / 1.3},
        (DIRECT, DELTA, NGINX, LONGWIRE),
    ),
    Mode(
        "157 KB contexts, 8 sessions, upload 20 µs/KB",
        Job("upload-8", "bench:23x8@0+0/20/0:", 8, 16, 3, **LARGE),
        PER_TURN,
        {DIRECT: 1 / 1.3},
        (DIRECT, DELTA, NGINX, LONGWIRE),
    ),
)

FIRSTS = (
    Mode(
        "first event, 20 KB contexts",
        Job("first", "bench:4x8@0:", 1, 16, 20, **SMALL),
        "µs",
        {NGINX: 2.0},
        (DIRECT, NGINX, LONGWIRE),
    ),
    Mode(
        "first event, 157 KB, handshake 80 ms, upload 20 µs/KB, model 150 ms",
        Job("modelled", "bench:4x8@0+150/20/80:", 8, 16, **LARGE),
        "µs",
        names=(DIRECT, NGINX, LONGWIRE),
    ),
)
DELAYS = Mode(
    "paced events",
    Job("delays", "bench:100x1@10:", 10, 3, opened=True),
    "µs",
    names=(DIRECT, NGINX, FLOOR, LONGWIRE),
)
DELAY_TARGETS = {"p50": 50.0, "p99": 200.0}
