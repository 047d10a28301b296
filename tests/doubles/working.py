"""Sessions that work through a balancer: each keeps its history, and checks what was answered.

Law: the emulator's answer names the digest of what the model was shown; it is that of the history.
"""

import asyncio
import json
import ssl
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from longwire.emulator import digest

_OK = 200
_PATIENCE = 60.0
_APART = 0.03
"""Seconds between the first turns of two sessions: all at once are no load but a rush."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What came of one turn: `way` is continuity and reason, `error` what was wrong, "" if nothing.

    `began` and `seconds` are of the monotonic clock.
    """

    session: str
    number: int
    node: str
    way: str
    began: float
    seconds: float
    error: str = ""
    transport: str = ""

    @property
    def is_fresh(self) -> bool:
        """Whether it took its whole history along, though it was not the session's first."""
        return not self.error and self.number > 1 and not self.way.startswith("continued")

    def ran_at(self, moment: float) -> bool:
        """Whether it was under way then."""
        return self.began <= moment <= self.began + self.seconds


@dataclass(slots=True)
class Work:
    """Sessions of one key; `pause` is the seconds between two turns of one, `script` the model's.

    All turns are kept; a session whose turn failed sends it again.
    """

    url: str
    key: str
    script: Mapping[str, Any]
    model: str = "gpt-5.5"
    pause: float = 0.1
    prefix: str = "session"
    trust: ssl.SSLContext | None = None
    owner: str = ""
    turns: list[Turn] = field(default_factory=list)
    is_over: bool = False

    @property
    def errors(self) -> list[str]:
        """What went wrong, each with its session."""
        return [f"{turn.session} {turn.number}: {turn.error}" for turn in self.turns if turn.error]

    def fresh(self, since: float = 0.0) -> Counter[str]:
        """How many turns of each session took their whole history along, of those begun since."""
        return Counter(t.session for t in self.turns if t.is_fresh and t.began >= since)

    def seconds(self, since: float = 0.0, until: float = float("inf")) -> Sequence[float]:
        """What the turns took that began in a span, the shortest first."""
        return sorted(turn.seconds for turn in self.turns if since <= turn.began <= until)

    @asynccontextmanager
    async def running(self, sessions: int) -> AsyncIterator[None]:
        """Work meanwhile; the turns under way at the end are waited for."""
        async with self.client() as client, asyncio.TaskGroup() as group:
            for number in range(sessions):
                group.create_task(self._work(client, number))
            try:
                yield
            finally:
                self.is_over = True

    @asynccontextmanager
    async def client(self) -> AsyncIterator[aiohttp.ClientSession]:
        """A client with this key."""
        headers = {"authorization": f"Bearer {self.key}"}
        connector = aiohttp.TCPConnector(limit=0, ssl=self.trust or True)
        timeout = aiohttp.ClientTimeout(total=_PATIENCE)
        async with aiohttp.ClientSession(
            self.url, connector=connector, headers=headers, timeout=timeout
        ) as client:
            yield client

    async def _work(self, client: aiohttp.ClientSession, number: int) -> None:
        session = Session(f"{self.prefix}-{number}", self)
        await asyncio.sleep(number * _APART)
        while not self.is_over:
            await session.step(client)
            await asyncio.sleep(self.pause)


class Session:
    """One conversation."""

    def __init__(self, name: str, work: Work) -> None:
        self.name = name
        self.history: list[dict[str, Any]] = []
        self._work = work
        self._number = 0

    async def step(self, client: aiohttp.ClientSession) -> Turn:
        """Say something, and keep the answer."""
        self._number += 1
        said = [*self.history, {"role": "user", "content": f"{self.name} says {self._number}"}]
        began = time.monotonic()
        headers: Mapping[str, str] = {}
        output: list[dict[str, Any]] = []
        try:
            headers, output, error = await self._ask(client, said)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as problem:
            error = f"{type(problem).__name__}: {problem}"
        if not error:
            error = "" if digest(said) in json.dumps(output) else "a wrong context"
            self.history = [*said, *output]
        turn = Turn(
            session=self.name,
            number=self._number,
            node=headers.get("x-served-by", ""),
            way=_way(headers),
            began=began,
            seconds=time.monotonic() - began,
            error=error,
            transport=headers.get("x-longwire-transport", ""),
        )
        self._work.turns.append(turn)
        return turn

    async def _ask(
        self, client: aiohttp.ClientSession, said: list[dict[str, Any]]
    ) -> tuple[Mapping[str, str], list[dict[str, Any]], str]:
        """Return the answer's headers and output, and what was wrong with it."""
        body = {
            "model": self._work.model,
            "input": said,
            "store": False,
            "stream": True,
            "include": ["reasoning.encrypted_content"],
            "metadata": {
                "emulator": json.dumps({"tool_rounds": 0, **self._work.script}),
                "owner": self._work.owner,
                "session": self.name,
            },
        }
        headers = {"session-id": self.name}
        async with client.post("/v1/responses", json=body, headers=headers) as answer:
            text = await answer.text()
        if answer.status != _OK:
            return answer.headers, [], f"{answer.status} {text[:300]}"
        last = json.loads(text.strip().rpartition("data: ")[2])
        if last["type"] != "response.completed":
            return answer.headers, [], json.dumps(last)[:300]
        return answer.headers, last["response"]["output"], ""


def _way(headers: Mapping[str, str]) -> str:
    names = ("x-longwire-continuity", "x-longwire-reason")
    return " ".join(filter(None, (headers.get(name) for name in names)))
