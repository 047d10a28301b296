"""What the turn log costs a gateway: the CPU of a turn with it, against the same without one.

Both stand before the same upstream and serve the same load; their rounds alternate.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bench.clients import perform
from bench.figures import Row, Spread, in_turns, ratio
from bench.processes import KEY, Server, configuration, gateway, serving
from bench.tally import Job

TARGET = 1.1
_JOBS = {
    "turns of 8 events, 8 KB": Job("short", "bench:3x8@0:", 8, 4, 100),
    "turns of 28 events, 20 KB": Job("turns", "bench:23x8@0:", 8, 16, 12, 6_000, 1_900),
    "turns of 200 events, 157 KB": Job("long", "bench:195x8@0:", 8, 16, 4, 20_000, 18_300),
}


def run(quick: bool) -> list[Row]:  # noqa: FBT001 - one switch for all benchmarks
    """CPU per turn with the turn log, as a multiple of a turn without."""
    rounds = 2 if quick else 7
    with (
        serving("bench.upstream", "ws") as upstream,
        _unlogged(upstream.url) as bare,
        gateway(upstream.url) as limited,
    ):
        logged = replace(limited, key=KEY)  # both with a key that has no limits
        return [
            row
            for about, job in _JOBS.items()
            for row in _rows(about, replace(job, talks=1) if quick else job, rounds, (bare, logged))
        ]


@contextmanager
def _unlogged(upstream: str) -> Iterator[Server]:
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "longwire.toml"
        config.write_text(configuration(upstream).replace("{folder}", folder), encoding="utf-8")
        with serving("bench.unlogged", str(config)) as server:
            yield server


def _rows(about: str, job: Job, rounds: int, servers: tuple[Server, Server]) -> list[Row]:
    """Measure one kind of turn."""
    bare, logged = servers

    def measure(server: Server) -> float:
        outcome = perform(job, server, (server,))
        return outcome.spent[0] / outcome.tally.turns * 1e6

    taken = in_turns({"bare": lambda: measure(bare), "logged": lambda: measure(logged)}, rounds)
    compared = ratio(taken["logged"], taken["bare"])
    return [
        Row(f"{about}: without", Spread.of(taken["bare"]), "µs/turn"),
        Row(f"{about}: with the log", Spread.of(taken["logged"]), "µs/turn", compared, TARGET),
    ]
