"""What telemetry costs a gateway: the CPU of a turn that is traced, against the same one without.

Both stand before the same upstream and serve the same load; their rounds alternate. Collector and
upstream are processes of their own, so that what is measured is the gateway with its threads.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from bench.clients import perform
from bench.figures import Row, Spread, in_turns, ratio
from bench.processes import (
    Server,
    configuration,
    free_port,
    gateway,
    gateway_of,
    listening,
    serving,
)
from bench.tally import Job

TARGET = 1.1
_JOBS = {
    "turns of 8 events, 8 KB": Job("short", "bench:3x8@0:", 8, 4, 100),
    "turns of 28 events, 20 KB": Job("turns", "bench:23x8@0:", 8, 16, 12, 6_000, 1_900),
    "turns of 200 events, 157 KB": Job("long", "bench:195x8@0:", 8, 16, 4, 20_000, 18_300),
}


def run(quick: bool) -> list[Row]:  # noqa: FBT001 - one switch for all benchmarks
    """CPU per turn with all turns traced, as a multiple of a turn without."""
    rounds = 2 if quick else 7
    with (
        serving("bench.upstream", "ws") as upstream,
        _collector() as collector,
        gateway(upstream.url) as plain,
        gateway_of(_telling(upstream.url, collector)) as traced,
    ):
        return [
            row
            for about, job in _JOBS.items()
            for row in _rows(
                about, replace(job, talks=1) if quick else job, rounds, (plain, traced)
            )
        ]


@contextmanager
def _collector() -> Iterator[str]:
    port = free_port()
    arguments = (sys.executable, "-m", "tests.doubles.collector", str(port), "{}")
    with listening(arguments, port) as server:
        yield server.url


def _telling(upstream: str, collector: str) -> str:
    return f'{configuration(upstream)}\n[telemetry]\nendpoint = "{collector}"\n'


def _rows(about: str, job: Job, rounds: int, servers: tuple[Server, Server]) -> list[Row]:
    """Measure one kind of turn."""
    plain, traced = servers

    def measure(server: Server) -> float:
        outcome = perform(job, server, (server,))
        return outcome.spent[0] / outcome.tally.turns * 1e6

    taken = in_turns({"plain": lambda: measure(plain), "traced": lambda: measure(traced)}, rounds)
    compared = ratio(taken["traced"], taken["plain"])
    return [
        Row(f"{about}: without", Spread.of(taken["plain"]), "µs/turn"),
        Row(f"{about}: traced", Spread.of(taken["traced"]), "µs/turn", compared, TARGET),
    ]
