"""What a session keeps in memory between turns: the same for a short history and a long one.

The gateway runs in this process, so that every Python object it retains is seen;
the upstream is a process of its own. `idle` has the resident memory of a real gateway.
"""

import asyncio
import gc
import tracemalloc

import structlog
import uvicorn
import uvloop
from uvicorn.server import ServerState

from bench.figures import Row, Spread
from bench.processes import KEY, serving
from longwire.app import App
from longwire.processes import server_of
from longwire.server.http.protocol import HttpProtocol
from longwire.settings import Settings

TARGET = 2_048
_SIZES = {"10 KB": 10_000, "2 MB": 2_000_000}
_ITEM = b'{"role":"user","content":"%b"}' % (b"a line of a conversation, " * 36)


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
    settings = _settings(upstream)
    app = App(settings)
    config = server_of(app, settings).config
    config.load()
    app.pool.start()
    taken: dict[str, list[float]] = {name: [] for name in _SIZES}
    tracemalloc.start()
    try:
        for name, size in _SIZES.items():
            await _turns(config, f"warm-up-{name}", size, 1)
        for number in range(rounds):
            for name, size in _SIZES.items():
                before = await _traced()
                await _turns(config, f"{number}-{name}", size, sessions)
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


class _Sink(asyncio.Transport):
    """Keeps what is written to a client that is none."""

    def __init__(self) -> None:
        super().__init__()
        self.told = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Keep it."""
        self.told += data

    def is_closing(self) -> bool:
        """Say that the client stays."""
        return False

    def close(self) -> None:
        """Do nothing: the connection is left anyway."""


async def _turns(config: uvicorn.Config, name: str, size: int, sessions: int) -> None:
    """Take one turn of each of some new sessions."""
    for number in range(sessions):
        await _turn(config, f"{name}-{number}", size)


async def _turn(config: uvicorn.Config, session: str, size: int) -> None:
    """Take one turn of a new session past the sockets, on a connection of its own."""
    items = b",".join([_ITEM] * (size // len(_ITEM)))
    body = b'{"model":"bench","stream":true,"user":"bench:4x8@0:","input":[%b]}' % items
    head = (
        f"POST /v1/responses HTTP/1.1\r\nauthorization: Bearer {KEY}\r\nsession-id: {session}\r\n"
    )
    state, sink = ServerState(), _Sink()
    connection = HttpProtocol(config, state, {}, asyncio.get_running_loop())
    connection.connection_made(sink)
    connection.data_received(head.encode() + b"content-length: %d\r\n\r\n%b" % (len(body), body))
    for task in tuple(state.tasks):
        await task
    connection.connection_lost(None)
    if not sink.told.startswith(b"HTTP/1.1 200 "):
        raise RuntimeError(f"a turn failed: {sink.told!r}")
