"""A fleet on one machine: what must hold while parts fail, what sharing costs, what it brings.

PostgreSQL, Valkey, HAProxy, Envoy and the nodes are real programs on the loopback address.
"""

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvloop

from bench import fleet_cost
from bench.figures import Row
from bench.fleet_laws import Stand, laws
from bench.fleet_soak import soak
from bench.soak import Plan, quieten
from tests.databases import migrated, name_of, new_postgresql_database
from tests.doubles.fleet import running_postgresql

_QUICK = Plan(turns=1_500, sessions=40, roam=True)
_WHOLE = Plan(roam=True)


def run(quick: bool) -> list[Row]:  # noqa: FBT001 - one switch for all benchmarks
    """Three nodes restarted, killed, limited, moved and soaked; the cost of limits; two workers."""
    quieten()
    rows = []
    for row in _rows(quick=quick):
        print(row, flush=True)
        rows.append(row)
    return rows


def _rows(*, quick: bool) -> Iterator[Row]:
    with _standing() as stand:
        yield from laws(stand)
        print("fleet: the soak", flush=True)
        yield from _soaked(stand, _QUICK if quick else _WHOLE)
    for part in (fleet_cost.limits, fleet_cost.workers):
        print(f"fleet: {part.__doc__}", flush=True)
        yield from part(quick=quick)


@contextmanager
def _standing() -> Iterator[Stand]:
    with running_postgresql() as server:
        url = asyncio.run(new_postgresql_database(server.url))
        asyncio.run(migrated(url))
        yield Stand(server, name_of(url))


def _soaked(stand: Stand, plan: Plan) -> list[Row]:
    with (
        tempfile.TemporaryDirectory() as folder,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        rows = runner.run(soak(stand.server.url, stand.template, Path(folder), plan))
    return [Row(f"soak: {row.what}", row.figure, row.unit, row.ratio, row.target) for row in rows]
