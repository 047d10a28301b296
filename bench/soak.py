"""A soak: random agents, faults and restarts over the real gateway, every answer checked.

No timing is measured: what is counted are broken laws, and each of them has to be 0. A seed gives
the same agents and faults; how they meet depends on the machine.
"""

import asyncio
import json
import logging
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import uvloop

from bench.agents import TOOLS, Agent, Ways
from bench.figures import Row
from bench.gateway import KEYS, LIFETIME, configuration
from bench.life import Life
from bench.processes import configured
from bench.spellings import SPELLINGS, references
from bench.stage import Stage
from longwire.emulator import Emulator, Options, Script

TURNS, SESSIONS, SEED = 20_000, 300, 1
_AT_ONCE = 20
_ROTATING, _STORING, _REFERRING, _WITH_TOOLS, _IN_COMPANY = 0.2, 0.2, 0.15, 0.8, 0.3
_SEALED = {"gpt-5.5": True, "gpt-5.2": True, "gpt-5-mini": False}
"""Models, and whether one account serves them: where two do, reasoning is sealed if turns roam."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much to do: about `turns` in all, shared out among `sessions`.

    Where turns `roam`, none need be continued; and two accounts may serve what either has sealed.
    """

    turns: int = TURNS
    sessions: int = SESSIONS
    seed: int = SEED
    roam: bool = False

    @property
    def drains(self) -> bool:
        """Whether an answer is read to its end when its client has gone."""
        return self.seed % 2 == 0


def run(plan: Plan) -> list[Row]:
    """Check the laws of continuity under random agents, faults and restarts; not by default."""
    quieten()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_soak(plan))


def quieten() -> None:
    """Say nothing of clients that go while they are being upgraded: to aiohttp it is an error."""
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)


def upstream() -> Emulator:
    """Return the upstream, whose connections do not live long."""
    return Emulator(Options(lifetime=LIFETIME, recent_turns=10), Script(deltas=3))


async def _soak(plan: Plan) -> list[Row]:
    async with upstream() as emulator:
        with configured(configuration(emulator.url, drains=plan.drains)) as longwire:
            async with Stage(emulator, longwire, plan.turns) as stage:
                await live_side_by_side(plan, stage)
                return await stage.ended()


async def live_side_by_side(plan: Plan, stage: Stage) -> None:
    """Take all turns of all sessions."""
    sessions = iter([_Session(plan, number, stage) for number in range(plan.sessions)])
    async with asyncio.TaskGroup() as group:
        for _ in range(_AT_ONCE):
            group.create_task(_live_all(sessions))


async def _live_all(sessions: Iterator["_Session"]) -> None:
    for session in sessions:
        await session.live()


class _Session:
    """One or several agents that share a session id, as a parent and its sub-agents do."""

    def __init__(self, plan: Plan, number: int, stage: Stage) -> None:
        self._chance = random.Random(f"{plan.seed} {number}")
        self._number = number
        self._stage = stage
        self._turns = -(-plan.turns // plan.sessions)
        self._roam = plan.roam

    async def live(self) -> None:
        """Take all turns of all agents, side by side."""
        chance = self._chance
        ways = self._ways()
        count = chance.choice((2, 3)) if chance.random() < _IN_COMPANY else 1
        async with asyncio.TaskGroup() as group:
            for number in range(count):
                own = self._own(ways, self._number * 10 + number)
                agent = Agent(own, random.Random(chance.random()), self._stage.numbers)
                is_alone = count == 1 and bool(ways.session) and len(ways.keys) == 1
                is_alone = is_alone and not self._roam
                life = Life(agent, self._stage, random.Random(chance.random()), is_alone=is_alone)
                group.create_task(life.take(-(-self._turns // count)))

    def _ways(self) -> Ways:
        """Draw a session: how it is named, whose keys, which model; neighbours share names."""
        chance = self._chance
        name = f"session-{self._number // 2}"
        first = self._number % KEYS
        keys: tuple[int, ...] = (first,)
        if chance.random() < _ROTATING:
            keys, name = (first, (first + 1) % KEYS, (first + 2) % KEYS), f"{name}-of-several"
        model = chance.choice(list(_SEALED))
        match chance.choice(("header", "cache key", "none")):
            case "header":
                named = chance.choice(("session-id", "thread-id", "x-session-affinity"))
                return Ways(0, keys, model, name, headers={named: name})
            case "cache key":
                return Ways(0, keys, model, name, members={"prompt_cache_key": name})
            case _:
                return Ways(0, keys, model, "")

    def _own(self, ways: Ways, conversation: int) -> Ways:
        """Draw what is one agent's own: tools, spelling, whether it names previous responses."""
        chance, is_sealed = self._chance, _SEALED[ways.model]
        stores = chance.random() < _STORING
        spellings = (*SPELLINGS, references) if stores and is_sealed else SPELLINGS
        members = {
            "store": stores,
            "include": ["reasoning.encrypted_content"],
            "metadata": {"emulator": json.dumps(self._script(is_sealed or self._roam))},
            **({"tools": TOOLS} if chance.random() < _WITH_TOOLS else {}),
        }
        return Ways(
            conversation,
            ways.keys,
            ways.model,
            ways.session,
            ways.headers,
            {**ways.members, **members},
            chance.choice(spellings),
            chance.random() < _REFERRING and len(ways.keys) == 1,
        )

    def _script(self, reasons: bool) -> dict[str, Any]:  # noqa: FBT001 - one member of many
        chance = self._chance
        return {
            "tool_rounds": chance.choice((0, 1, 1, 3)),
            "parallel_calls": chance.choice((1, 1, 3)),
            "reasoning": reasons,
            "delay_ms": chance.choice((0, 0, 0, 1)),
        }
