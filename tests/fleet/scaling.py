"""A fleet of three becomes one of four, and of three again, while sessions go on."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

import aiohttp

from longwire.emulator import Emulator
from tests.doubles.balancers import HAProxy
from tests.doubles.fleet import Fleet
from tests.doubles.working import Session, Work
from tests.fleet.scenes import WARM, working

PLACES = 1_000
_ORPHANED = 20.0


@dataclass(frozen=True, slots=True)
class Scaled:
    """Where sessions were with three nodes, four, and three again; `seconds` until orphans closed.

    An orphan is an upstream connection of a session that is at another node by now.
    """

    work: Work
    places: Sequence[dict[str, str]]
    seconds: Sequence[float]

    @property
    def moved(self) -> dict[str, str]:
        """The sessions that the fourth node moved, and where to."""
        before, between, _ = self.places
        return {name: between[name] for name in before if before[name] != between[name]}


async def scaled(fleet: Fleet, balancer: HAProxy, emulator: Emulator, sessions: int = 40) -> Scaled:
    """Add a node and take it away; each session takes a turn in between."""
    three = fleet.nodes[:]
    work = working(fleet, balancer.url)
    own = [Session(f"session-{number}", work) for number in range(sessions)]
    places, seconds = [await _places(balancer.url)], []
    async with work.client() as client:
        await all_step(own, client)
        fourth = fleet.node("lw-3")
        await fourth.start()
        for nodes in ([*three, fourth], three):
            await balancer.place(nodes)
            await asyncio.sleep(WARM)
            places.append(await _places(balancer.url))
            await all_step(own, client)
            seconds.append(await _orphaned(emulator, sessions))
    return Scaled(work, places, seconds)


async def all_step(sessions: Sequence[Session], client: aiohttp.ClientSession) -> None:
    """Let each take a turn, all at once."""
    async with asyncio.TaskGroup() as group:
        for each in sessions:
            group.create_task(each.step(client))


async def _orphaned(emulator: Emulator, sessions: int) -> float:
    """How long there were more upstream connections than sessions; not more than we look."""
    began = time.monotonic()
    while emulator.counters.sockets_open > sessions:
        await asyncio.sleep(0.1)
        if time.monotonic() > began + _ORPHANED:
            break
    return time.monotonic() - began


async def _places(url: str) -> dict[str, str]:
    """At which node each of many sessions is, as a request that costs nothing finds it."""
    places = {}
    async with aiohttp.ClientSession() as client:
        for number in range(PLACES):
            headers = {"session-id": f"place-{number}"}
            async with client.get(f"{url}/health", headers=headers) as answer:
                places[f"place-{number}"] = answer.headers["x-served-by"]
    return places
