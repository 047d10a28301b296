"""What stays in memory between the turns of a session: bytes an item, and no prompt text."""

import asyncio
import gc
import sys
from collections.abc import Iterator
from types import FunctionType, ModuleType

from tests.journeys.agent import Agent, scripted, user, ways

SECRET = "planted-secret-of-the-prompt"
OPAQUE = (type, ModuleType, asyncio.AbstractEventLoop)


def reachable(*roots: object) -> Iterator[object]:
    """Every object that is kept alive by some roots; classes, modules and the loop end a path."""
    waiting, seen = list(roots), set()
    while waiting:
        found = waiting.pop()
        if id(found) in seen or isinstance(found, OPAQUE):
            continue
        seen.add(id(found))
        yield found
        if isinstance(found, FunctionType):
            waiting += [cell.cell_contents for cell in found.__closure__ or ()]
        else:
            waiting += gc.get_referents(found)


def size(*roots: object) -> int:
    """The memory of all objects that some roots keep alive, in bytes."""
    return sum(map(sys.getsizeof, reachable(*roots)))


def telling(*roots: object) -> list[object]:
    """The texts that some roots keep alive and that hold the secret."""
    texts = [found for found in reachable(*roots) if isinstance(found, str | bytes | bytearray)]
    needles = SECRET, SECRET.encode()
    return [text for text in texts if needles[not isinstance(text, str)] in text]


async def grown(agent: Agent, turns: int, **members) -> None:
    """Take some turns that all continue but the first."""
    told = [await agent.step(**members) for _ in range(turns)]
    assert ["fresh new_session"] + ["continued"] * (turns - 1) == ways(told)


async def test_a_long_history_costs_sixteen_bytes_an_item_more(emulator, gateway, hire):
    """10 KB or 2 MB: beyond that, and what goes before it, the connections retain the same."""
    short = hire(headers={"session-id": "short"})
    short.history = [user("x" * 1_000) for _ in range(10)]
    long = hire(headers={"session-id": "long-"})
    long.history = [user("x" * 8_000) for _ in range(260)]
    await grown(short, 4)
    await grown(long, 4)
    entries = {entry.key.session: entry for entry in gateway.app.pool.ledger.entries()}
    sizes = {session: size(entry) for session, entry in entries.items()}
    assert {"short", "long-"} == set(sizes)
    apart = sizes["long-"] - sizes["short"]
    assert 2 * 16 * 250 < apart + 1024 < 2 * 16 * 250 + 2048
    assert 10_240 > sizes["short"]


async def test_no_text_of_a_prompt_is_kept(emulator, gateway, hire):
    """Between turns nothing that the pool holds leads to anything that client or model said."""
    agent = hire(headers={"session-id": "s-1"}, instructions=f"Keep {SECRET} to yourself.")
    agent.history = [user(f"{SECRET} {'x' * 1_000}") for _ in range(10)]
    await grown(agent, 4, metadata=scripted(tool_rounds=2))
    agent.history[0] = user(f"another {SECRET}")
    assert "fresh history_rewritten" == (await agent.step()).way
    pool = gateway.app.pool
    kept = [pool.ledger, *pool._connections.values(), pool._waiters]
    assert 50 < len(list(reachable(*kept)))
    assert [] == telling(*kept)


def test_the_search_can_fail():
    """A text is found behind slots, closures, lists and bytes."""
    text = f"a {SECRET}"
    assert [text] == telling([{"a": (lambda: text)}])
    assert 1 == len(telling([bytearray(text.encode())]))
    assert [] == telling(["nothing"])
