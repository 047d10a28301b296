"""What must hold for a fleet while its nodes, Valkey and PostgreSQL go and come."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.figures import Row, Spread
from longwire.core.nouns.access import Budgets, Rates
from longwire.emulator import Emulator, Options
from tests.doubles.balancers import BALANCERS
from tests.doubles.fleet import Fleet, PostgresqlServer, channels, running_fleet
from tests.fleet.admission import AT_ONCE, Admitted, ask_all, leases_last, limited_key
from tests.fleet.outages import database_away, valkey_away
from tests.fleet.scaling import scaled
from tests.fleet.scenes import crash, rolling_restart

_LIMIT, _TOGETHER, _AT_ONCE = 60, 4, 3
_SLOW = {**AT_ONCE, "first_event_ms": 2_000}
_GENEROUS = Rates(100_000, 1_000_000_000, 1_000)


@dataclass(frozen=True, slots=True)
class Stand:
    """Where fleets are set up: a PostgreSQL with a database at the newest schema."""

    server: PostgresqlServer
    template: str

    @asynccontextmanager
    async def fleet(self) -> AsyncIterator[tuple[Fleet, Emulator]]:
        """Run three nodes before an upstream."""
        with tempfile.TemporaryDirectory() as folder:
            async with Emulator(Options()) as emulator:
                tables = channels(emulator.url)
                async with running_fleet(
                    Path(folder), self.server.url, tables, template=self.template
                ) as fleet:
                    yield fleet, emulator


def law(what: str, number: float, target: float | None = None, unit: str = "") -> Row:
    """Return the row of what was counted once."""
    return Row(what, Spread.of([number]), unit, None, target)


async def restarts(stand: Stand) -> list[Row]:
    """Restart all nodes behind each balancer."""
    rows: list[Row] = []
    for kind in BALANCERS:
        async with stand.fleet() as (fleet, _), fleet.behind(kind) as balancer:
            restart = await rolling_restart(fleet, balancer)
        about = f"rolling restart, {kind}"
        rows += [
            law(f"{about}: errors", len(restart.work.errors), 0),
            law(f"{about}: most fresh turns of a session", restart.most_fresh, 2),
            law(f"{about}: turns", len(restart.work.turns)),
        ]
    return rows


async def crashes(stand: Stand) -> list[Row]:
    """Kill a node under load, and one with turns of a key that may have two."""
    async with stand.fleet() as (fleet, _), fleet.behind("haproxy") as balancer:
        result = await crash(fleet, balancer)
    beyond = len(result.beside) + max(0, len(result.seen) - result.under_way)
    async with stand.fleet() as (fleet, _):
        seconds = await leases_last(fleet)
    return [
        law("kill -9: errors", len(result.errors)),
        law("kill -9: errors beyond turns under way there", beyond, 0),
        law("kill -9: its leases gone after", seconds, 60, "s"),
    ]


async def limits(stand: Stand) -> list[Row]:
    """Ask three nodes for more than a key may have."""
    async with stand.fleet() as (fleet, _):
        minute = await limited_key(fleet, "minute", Rates(requests_per_minute=_LIMIT))
        requests = await ask_all(fleet, minute, 150)
        together = await limited_key(fleet, "together", Rates(concurrent_turns=_TOGETHER))
        turns = await ask_all(fleet, together, 18, script=_SLOW)
        (each,) = set((await ask_all(fleet, fleet.key, 1)).tokens)
        tokens = await limited_key(fleet, "tokens", Rates(tokens_per_minute=30 * each))
        spent = await ask_all(fleet, tokens, 90, _AT_ONCE)
        budget = await limited_key(fleet, "day", budgets=Budgets(tokens_per_day=30 * each))
        day = await ask_all(fleet, budget, 90, _AT_ONCE)
    return [
        law("limits: requests let in but for 60", abs(requests.count - _LIMIT), 0),
        law("limits: turns at once but for 4", abs(turns.count - _TOGETHER), 0),
        *_spent("tokens a minute", spent, 30 * each),
        *_spent("tokens a day", day, 30 * each),
    ]


def _spent(about: str, admitted: Admitted, limit: int) -> Iterator[Row]:
    beyond = sum(admitted.tokens) - limit
    most = _AT_ONCE * max(admitted.tokens)
    yield law(f"limits: {about} beyond limit and turns under way", max(0, beyond - most), 0)


async def without_valkey(stand: Stand) -> list[Row]:
    """Take Valkey away under load, and from a key that has used its minute up."""
    async with stand.fleet() as (fleet, _), fleet.behind("haproxy") as balancer:
        key = await limited_key(fleet, "generous", _GENEROUS)
        outage = await valkey_away(fleet, balancer, key)
    async with stand.fleet() as (fleet, _):
        minute = await limited_key(fleet, "minute", Rates(requests_per_minute=_LIMIT))
        before = await ask_all(fleet, minute, 90)
        await fleet.valkey.kill()
        during = await ask_all(fleet, minute, 150)
    return [
        law("Valkey away: errors", len(outage.work.errors), 0),
        law("Valkey away: p99 added", 1_000 * outage.added, 150, "ms"),
        law("Valkey away: let in of the limit", (before.count + during.count) / _LIMIT, 2, "×"),
    ]


async def without_database(stand: Stand) -> list[Row]:
    """Take PostgreSQL away for ten seconds."""
    async with stand.fleet() as (fleet, _), fleet.behind("haproxy") as balancer:
        outage = await database_away(fleet, balancer, stand.server, away=10.0)
    turns = len(outage.work.turns)
    return [
        law("PostgreSQL away 10 s: errors", len(outage.work.errors), 0),
        law("PostgreSQL away 10 s: turns", turns),
        law("PostgreSQL away 10 s: turns without a row, or twice", abs(turns - outage.rows), 0),
    ]


async def scale(stand: Stand) -> list[Row]:
    """Add a fourth node, and take it away."""
    async with stand.fleet() as (fleet, emulator), fleet.behind("haproxy") as balancer:
        result = await scaled(fleet, balancer, emulator)
    before, _, after = result.places
    elsewhere = sum(before[name] != after[name] for name in before)
    return [
        law("3 → 4 → 3: errors", len(result.work.errors), 0),
        law("3 → 4: sessions moved", 100 * len(result.moved) / len(before), 30, "%"),
        law("3 → 4 → 3: sessions not back", elsewhere, 0),
        law("3 → 4 → 3: orphaned sockets closed after", max(result.seconds), 10, "s"),
    ]


PARTS = (restarts, crashes, limits, without_valkey, without_database, scale)


def laws(stand: Stand) -> Iterator[Row]:
    """Take all of them, one after the other."""
    for part in PARTS:
        print(f"fleet: {part.__doc__}", flush=True)
        yield from asyncio.run(part(stand))
