"""What a session keeps in memory between turns: the same for a short history and a long one.

The gateway's application runs in this process, so that every Python object it retains is seen;
the upstream is a process of its own. `idle` has the resident memory of a real gateway.
"""

import asyncio
import gc
import tracemalloc
from collections.abc import MutableMapping
from typing import Any

import structlog
import uvloop

from bench.figures import Row, Spread
from bench.processes import KEY, serving
from longwire.app import App, build
from longwire.settings import Settings

TARGET = 2_048
_SIZES = {"10 KB": 10_000, "2 MB": 2_000_000}
_ITEM = b'{"role":"user","content":"%b"}' % (b"a line of a conversation, " * 36)
Message = MutableMapping[str, Any]


def run(quick: bool) -> list[Row]:  # noqa: FBT001 - one switch for all benchmarks
    """Bytes that a session retains between turns, and what they depend on."""
    rounds, sessions = (2, 3) if quick else (5, 32)
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())  # the table is enough
    with (
        serving("bench.upstream", "ws") as upstream,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        taken = runner.run(_retained(upstream.url, rounds, sessions))
    short, long = (taken[name] for name in _SIZES)
    apart = Spread.of(abs(b - a) for a, b in zip(short, long, strict=True))
    return [
        *(Row(f"retained, history of {name}", Spread.of(taken[name]), "bytes") for name in _SIZES),
        Row("difference between the two", apart, "bytes", target=TARGET),
    ]


async def _retained(upstream: str, rounds: int, sessions: int) -> dict[str, list[float]]:
    """Return the bytes of Python objects per session, by history and round."""
    app = build(_settings(upstream))
    app.pool.start()
    taken: dict[str, list[float]] = {name: [] for name in _SIZES}
    tracemalloc.start()
    try:
        for name, size in _SIZES.items():
            await _turns(app, f"warm-up-{name}", size, 1)
        for number in range(rounds):
            for name, size in _SIZES.items():
                before = await _traced()
                await _turns(app, f"{number}-{name}", size, sessions)
                taken[name].append((await _traced() - before) / sessions)
    finally:
        tracemalloc.stop()
        app.pool.close()
    return taken


async def _traced() -> int:
    """Return the bytes in use once the loop has let go of what is over."""
    await asyncio.sleep(0.01)
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def _settings(upstream: str) -> Settings:
    channel = {
        "name": "bench",
        "base_url": f"{upstream}/v1",
        "api_key": "any-key-will-do",
        "transport": "websocket",
    }
    return Settings.model_validate(
        {
            "channels": [channel],
            "api_keys": [{"name": "bench", "key": KEY}],
            "sessions": {"max_connections": 10_000},
        }
    )


async def _turns(app: App, name: str, size: int, sessions: int) -> None:
    """Take one turn of each of some new sessions."""
    for number in range(sessions):
        await _turn(app, f"{name}-{number}", size)


async def _turn(app: App, session: str, size: int) -> None:
    """Take one turn of a new session past the HTTP server, straight at the application."""
    items = b",".join([_ITEM] * (size // len(_ITEM)))
    body = b'{"model":"bench","stream":true,"user":"bench:4x8@0:","input":[%b]}' % items
    inbox: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
    told: list[Message] = []

    async def receive() -> Message:
        if inbox:
            return inbox.pop()
        await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        told.append(message)

    headers = [
        (b"authorization", b"Bearer " + KEY.encode()),
        (b"session-id", session.encode()),
    ]
    scope = {"type": "http", "method": "POST", "path": "/v1/responses", "headers": headers}
    await app(scope, receive, send)
    if told[0]["status"] != 200:  # noqa: PLR2004 - HTTP's own number
        raise RuntimeError(f"a turn failed: {told}")
