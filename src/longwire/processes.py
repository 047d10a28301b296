"""The gateway in processes: one that serves alone, or several that share a socket.

Shutdown: serve on as a lame duck, let turns end within the grace period, close what is left.
"""

import asyncio
import math
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import uvicorn

from longwire.app import App, opening
from longwire.core.nouns.secret import Secret
from longwire.fleet.fleet import default_node
from longwire.server import logs
from longwire.server.http.allocator import prepare_memory
from longwire.server.http.listener import allow_connections, listen, url_of
from longwire.server.http.protocol import HttpProtocol
from longwire.server.http.websocket import WebSocketProtocol
from longwire.server.live_sessions import answering, serving_sessions
from longwire.server.signals import Departure, Ending, reloading_on_signal
from longwire.settings import Settings, load
from longwire.supervisor import own_valkey
from longwire.supervisor.crew import assembled
from longwire.supervisor.supervisor import Supervisor
from longwire.supervisor.workers import Post

_KEEP_ALIVE = 75
_PING_INTERVAL, _PONG_TIMEOUT = 20, 60


@dataclass(frozen=True, slots=True)
class Announcement:
    """What is printed when a gateway is ready: its URL, and the token of a first start."""

    url: str
    setup: Secret | None

    def show(self) -> None:
        """Print it."""
        sys.stdout.write(f"Longwire serves {self.url}\n")
        if self.setup is not None:
            sys.stdout.write(
                "Nobody can sign in yet. Make the first owner with: longwire users create\n"
                f"or with this token, which works once: {self.setup.reveal()}\n"
                f"that is, open {self.url}/setup#{self.setup.reveal()}\n"
            )
        sys.stdout.flush()


def serve(settings: Settings, workers: int = 1) -> None:
    """Serve until SIGTERM or SIGINT, then let turns end; a second signal ends at once.

    Raises `ConfigurationError` when the address cannot be listened on, or the store not be used.
    """
    logs.configure(node=_node_of(settings))
    prepare_memory()
    allow_connections()
    app = App(settings, opening(settings))  # before workers, too: it says once what is wrong
    listeners = listen(settings.server.host, settings.server.port)
    announcement = Announcement(url_of(listeners[0]), asyncio.run(prepared(settings)))
    if workers > 1:
        _serve_in_workers(settings, workers, listeners, announcement)
    else:
        _serve_alone(app, settings, listeners, announcement)


async def prepared(settings: Settings) -> Secret | None:
    """Migrate the store, before any process serves from it; return the token of a first start."""
    store = await opening(settings)()
    try:
        return await store.invitations.open_setup()
    finally:
        await store.close()


def _serve_alone(
    app: App, settings: Settings, listeners: list[socket.socket], announcement: Announcement
) -> None:
    announced = partial(_announced, app, _port_of(listeners[0]), announcement)
    _run(app, settings, listeners, announced)


@asynccontextmanager
async def _announced(app: App, port: int, announcement: Announcement) -> AsyncIterator[None]:
    async with _at_home(app, port):
        announcement.show()
        yield


def _serve_in_workers(
    settings: Settings, workers: int, listeners: list[socket.socket], announcement: Announcement
) -> None:
    """Supervise as many processes, and what makes them one gateway; exit as they do."""
    with TemporaryDirectory(prefix="longwire-") as folder:
        crew = assembled(settings, workers, listeners, Path(folder), announcement.show)
        with own_valkey.noted(_port_of(listeners[0]), crew.valkey):
            status = asyncio.run(Supervisor(crew).run())
    if status:
        sys.exit(status)


def work(post: Post) -> None:
    """Serve as one of several processes, which reads the settings for itself."""
    settings = load()
    logs.configure(node=_node_of(settings))
    prepare_memory()
    app = App(settings, opening(settings), post.parts)
    ready = socket.socket(fileno=post.ready)
    listeners = [socket.socket(fileno=each) for each in post.listeners]
    _run(app, settings, listeners, partial(_posted, app, settings.server.port, ready))


def _run(
    app: App,
    settings: Settings,
    listeners: list[socket.socket],
    lifespan: Callable[[], AbstractAsyncContextManager[None]],
) -> None:
    """Serve until told to end, or until a part fails that runs beside turns: then exit as such."""
    server = server_of(app, settings)
    departure = Departure(server, app.readiness, _ending(settings))
    app.lifespan = lambda: departure.ending_when_failed(lifespan())
    server.run(sockets=listeners)
    if departure.status:
        sys.exit(departure.status)


def _node_of(settings: Settings) -> str:
    """Return the name that each line of the log carries: none, unless there may be others."""
    fleet = settings.fleet
    return fleet.node or (default_node() if fleet.url.get_secret_value() else "")


@asynccontextmanager
async def _posted(app: App, port: int, ready: socket.socket) -> AsyncIterator[None]:
    async with _at_home(app, port):
        with ready:
            ready.send(b"!")
        yield


@asynccontextmanager
async def _at_home(app: App, port: int) -> AsyncIterator[None]:
    """Run with what a process of its own has: SIGHUP, and the socket of `longwire sessions`."""

    def health() -> object:
        return app.control.health()

    with reloading_on_signal(app.reconciler.request_reload):
        names, about = app.reconciler.names, app.about_connections
        async with (
            serving_sessions(port, app.pool.ledger, lambda: names, about),
            answering(port, "health", health),
            app.running(),
        ):
            yield


def _ending(settings: Settings) -> Ending:
    return Ending(settings.server.lame_duck, settings.server.shutdown_grace)


def _port_of(listener: socket.socket) -> int:
    return int(listener.getsockname()[1])


def server_of(app: App, settings: Settings) -> uvicorn.Server:
    """Return the server for an app; it listens on the sockets it is run with."""
    return uvicorn.Server(_config(app, settings))


def _config(app: App, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="uvloop",
        http=HttpProtocol,
        ws=WebSocketProtocol,
        ws_max_size=settings.server.max_body,
        ws_per_message_deflate=False,
        ws_ping_interval=_PING_INTERVAL,
        ws_ping_timeout=_PONG_TIMEOUT,
        lifespan="on",
        interface="asgi3",
        log_config=None,
        log_level="error",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=math.ceil(settings.server.shutdown_grace),
    )
