"""The soak over three nodes: each turn goes to any of them, and nodes are restarted and killed."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bench.figures import Row
from bench.gateway import tables
from bench.soak import Plan, live_side_by_side, upstream
from bench.stage import Stage
from tests.doubles.balancers import SEES_A_RETURN
from tests.doubles.fleet import Fleet, running_fleet

_REST = 3.0
_PATIENCE = 'handshake_timeout = "2s"', 'handshake_timeout = "5s"'
"""Nodes that start take both cores, and the upstream runs in the loop of the agents."""
_KILLED = 4
"""Every so many restarts one is a kill."""


@dataclass(frozen=True, slots=True)
class Nodes:
    """A fleet as the stage sees it."""

    fleet: Fleet
    url: str
    may_die = True

    @property
    def origins(self) -> Sequence[str]:
        """Where each node tells of its connections."""
        return [node.url for node in self.fleet.nodes]

    def resident(self) -> int:
        """Return nothing: what starts anew does not grow."""
        return 0

    def told(self) -> str:
        """Return what all nodes have logged."""
        return "".join(node.log for node in self.fleet.nodes)


async def soak(postgresql: str, template: str, folder: Path, plan: Plan) -> list[Row]:
    """Check the laws of continuity over a fleet."""
    async with upstream() as emulator:
        configuration = tables(emulator.url, drains=plan.drains).replace(*_PATIENCE)
        async with (
            running_fleet(folder, postgresql, configuration, template=template) as fleet,
            fleet.behind("haproxy", random=True) as balancer,
            Stage(emulator, Nodes(fleet, balancer.url), plan.turns) as stage,
        ):
            async with _restarting(fleet, stage):
                await live_side_by_side(plan, stage)
            return await stage.ended()


@asynccontextmanager
async def _restarting(fleet: Fleet, stage: Stage) -> AsyncIterator[None]:
    """Restart one node after the other meanwhile, and kill one now and then."""
    over = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(_restart(fleet, stage, over))
        try:
            yield
        finally:
            over.set()


async def _restart(fleet: Fleet, stage: Stage, over: asyncio.Event) -> None:
    for number, node in enumerate(itertools.cycle(fleet.nodes), 1):
        with suppress(TimeoutError):
            async with asyncio.timeout(_REST):
                await over.wait()
                return
        if number % _KILLED:
            await node.stop()
        else:
            async with stage.disturbance():
                await node.kill()
                await asyncio.sleep(0.1)
        stage.counts["nodes stopped" if number % _KILLED else "nodes killed"] += 1
        await node.start()
        await asyncio.sleep(SEES_A_RETURN)
