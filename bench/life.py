"""What happens to one agent: turns, branches, pauses, hang-ups, and the faults that strike them."""

import asyncio
import random

from bench.agents import Agent, Asked
from bench.asking import Hold, Told
from bench.stage import Stage
from bench.strikes import fault

_FAULTS, _BRANCHES, _HANG_UPS, _PAUSES, _LONG_PAUSES = 0.05, 0.04, 0.05, 0.05, 0.005
_ATTEMPTS = 3
_LONG_PAUSE = 5.0
_STAYS = Hold()
_AS_CONTINUED = ("continued", "fresh connection_expired", "fresh connection_evicted")


class Life:
    """Takes an agent's turns; `is_alone` in its session, its turns have to be continued."""

    def __init__(
        self, agent: Agent, stage: Stage, chance: random.Random, *, is_alone: bool
    ) -> None:
        self._agent = agent
        self._stage = stage
        self._chance = chance
        self._is_alone = is_alone
        self._clean_since = -1

    async def take(self, turns: int) -> None:
        """Take at least so many turns."""
        taken = 0
        while taken < turns:
            if self._happens(_BRANCHES):
                taken += await self._branch()
            else:
                taken += await self._step()
            await self._pause()

    def _happens(self, probability: float) -> bool:
        return self._chance.random() < probability

    async def _step(self) -> int:
        """Say something, and ask again where no answer comes."""
        asked = self._agent.next()
        for attempt in range(1, _ATTEMPTS + 1):
            told = await self._send(asked)
            if told.is_answered:
                self._agent.take(asked, told.response)
                return attempt
            if told.has_left and self._happens(0.5):
                return attempt
            self._agent.forget_response()
            if told.items and self._happens(0.5):
                self._agent.take_partly(told.items)
                return attempt
            asked = self._agent.again()
        return _ATTEMPTS

    async def _branch(self) -> int:
        """Go on in several ways at once, and keep to the first that was answered."""
        branches = self._agent.branches(self._chance.choice((2, 3)))
        for asked in branches:
            asked.is_linear = False
        async with asyncio.TaskGroup() as group:
            sent = [group.create_task(self._send(asked)) for asked in branches]
        self._clean_since = -1
        for task in sent:
            if task.result().is_answered:
                self._agent.take(task.result().asked, task.result().response)
                return len(branches)
        self._agent.forget_response()
        return len(branches)

    async def _pause(self) -> None:
        if self._happens(_LONG_PAUSES):
            await asyncio.sleep(_LONG_PAUSE)
        elif self._happens(_PAUSES):
            await asyncio.sleep(self._chance.uniform(0, 1))

    async def _send(self, asked: Asked) -> Told:
        """Send a turn, now and then with a fault or a client that hangs up."""
        has_http = asked.ways.model != "gpt-5.5"
        strikes = fault(self._chance, has_http=has_http) if self._happens(_FAULTS) else None
        hold = self._hold(asked) if strikes is None and self._happens(_HANG_UPS) else _STAYS
        told = await self._stage.send(asked, hold, strikes)
        is_clean = strikes is None and hold is _STAYS and not told.was_disturbed
        is_clean = is_clean and told.transport == "websocket" and not asked.ways.refers
        if is_clean and told.is_answered:
            self._expect_continued(told)
            self._clean_since = told.losses
        else:
            self._clean_since = -1
        return told

    def _expect_continued(self, told: Told) -> None:
        """After a turn without trouble the next one continues, if no connection was cut since."""
        asked = told.asked
        if self._is_alone and asked.is_linear and self._clean_since == told.losses:
            about = f"turn {asked.number} of {asked.ways.model}: {told.way}"
            self._stage.expect("not continued", told.way in _AS_CONTINUED, about)

    def _hold(self, asked: Asked) -> Hold:
        """Hang up after some time or, in a stream, after some bytes."""
        if asked.streams and self._happens(0.5):
            return Hold(bytes=self._chance.randint(1, 6_000))
        return Hold(seconds=self._chance.choice((0.001, 0.003, 0.01)))
