"""How many turns of a key a fleet lets in, asked of all its nodes at once."""

import asyncio
import itertools
import json
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import aiohttp

from longwire.core.nouns.access import ApiKey, Budgets, Grant, Rates
from longwire.core.nouns.project import DEFAULT_PROJECT
from tests.doubles.fleet import ACTOR, Fleet
from tests.doubles.valkey import until

AT_ONCE = {"tool_rounds": 0, "reasoning": False}
_OK, _REFUSED = 200, 429


@dataclass(frozen=True, slots=True)
class Admitted:
    """How many turns were let in and refused, and the tokens of each that was let in."""

    tokens: Sequence[int]
    refused: int
    others: Counter[int]

    @property
    def count(self) -> int:
        """How many were let in."""
        return len(self.tokens)


async def limited_key(
    fleet: Fleet, name: str, rates: Rates = Rates(), budgets: Budgets = Budgets()
) -> str:
    """Make a key with limits, and return it once all nodes know it."""
    async with fleet.store() as store:
        draft = ApiKey(
            "", name, "", b"", Grant(project_id=DEFAULT_PROJECT, rates=rates, budgets=budgets)
        )
        secret = (await store.keys.create(draft, ACTOR)).secret.reveal()
    async with aiohttp.ClientSession(headers={"authorization": f"Bearer {secret}"}) as client:
        for node in fleet.nodes:
            await until(partial(_knows, client, node.url))
    return secret


async def _knows(client: aiohttp.ClientSession, url: str) -> bool:
    async with client.get(f"{url}/v1/models") as answer:
        return answer.status == _OK


async def ask_all(
    fleet: Fleet, key: str, count: int, at_once: int = 24, script: Any = AT_ONCE
) -> Admitted:
    """Ask for so many turns of a key, of one node after the other, so many at once."""
    numbers = iter(range(count))
    nodes = itertools.cycle(fleet.nodes)
    tokens: list[int] = []
    others: Counter[int] = Counter()

    async def ask_on(client: aiohttp.ClientSession) -> None:
        for number in numbers:
            status, used = await _ask(client, next(nodes).url, number, script)
            if status == _OK:
                tokens.append(used)
            else:
                others[status] += 1

    async with (
        aiohttp.ClientSession(headers={"authorization": f"Bearer {key}"}) as client,
        asyncio.TaskGroup() as group,
    ):
        for _ in range(min(at_once, count)):
            group.create_task(ask_on(client))
    refused = others.pop(_REFUSED, 0)
    return Admitted(tokens, refused, others)


async def _ask(
    client: aiohttp.ClientSession, url: str, number: int, script: Any
) -> tuple[int, int]:
    body = {
        "model": "gpt-5.5",
        "input": f"question {number}",
        "store": False,
        "metadata": {"emulator": json.dumps(script)},
    }
    headers = {"session-id": f"asks-{number}"}
    async with client.post(f"{url}/v1/responses", json=body, headers=headers) as answer:
        content = await answer.json()
    return answer.status, content["usage"]["total_tokens"] if answer.status == _OK else 0


async def _ask_in_vain(client: aiohttp.ClientSession, url: str, number: int, script: Any) -> None:
    with suppress(aiohttp.ClientError):
        await _ask(client, url, number, script)


async def leases_last(fleet: Fleet, at_most: float = 90.0) -> float:
    """How long the places of two turns are taken whose node was killed under them, in seconds."""
    key = await limited_key(fleet, "leases", Rates(concurrent_turns=2))
    lost, other = fleet.nodes[:2]
    silent = {**AT_ONCE, "first_event_ms": 60_000}
    async with (
        aiohttp.ClientSession(headers={"authorization": f"Bearer {key}"}) as client,
        asyncio.TaskGroup() as group,
    ):
        for number in range(2):
            group.create_task(_ask_in_vain(client, lost.url, number, silent))
        await asyncio.sleep(1.0)
        assert _REFUSED == (await _ask(client, other.url, 2, AT_ONCE))[0]
        await lost.kill()
        began = time.monotonic()
        while (await _ask(client, other.url, 3, AT_ONCE))[0] != _OK:
            assert time.monotonic() < began + at_most
            await asyncio.sleep(1.0)
    return time.monotonic() - began
