"""Minimal proxies that tunnel one connection each: HTTP CONNECT, SOCKS4a and SOCKS5."""

import asyncio
import base64
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

USER, PASSWORD = b"proxy-user", b"p@ss:word"


class ProxyDouble:
    """A running proxy: `targets` it was to connect to, `open` tunnels.

    `names` are hosts that it alone knows, each with its address.
    """

    def __init__(self, *, demands_password: bool, refuses: bytes | None) -> None:
        self.names: dict[str, str] = {}
        self.targets: list[str] = []
        self.open = 0
        self.port = 0
        self._demands_password = demands_password
        self._refuses = refuses

    def url(self, scheme: str, credentials: str = "") -> str:
        """Name this proxy as a client's settings do."""
        return f"{scheme}://{credentials}127.0.0.1:{self.port}"

    async def serve_http(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take a CONNECT (RFC 9110, 9.3.6)."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        proof = base64.b64encode(USER + b":" + PASSWORD).decode()
        if self._demands_password and f"Proxy-Authorization: Basic {proof}\r\n" not in head:
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
        elif self._refuses is not None:
            writer.write(self._refuses)
        else:
            target = head.split(" ")[1]
            host, _, port = target.rpartition(":")
            await self._tunnel(reader, writer, (host, int(port)), b"HTTP/1.1 200 OK\r\n\r\n")
        writer.close()

    async def serve_socks(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take a SOCKS5 CONNECT to an IPv4 address or a name (RFC 1928, RFC 1929), or SOCKS4a."""
        version, count = await reader.readexactly(2)
        if version == 4:
            await self._serve_socks4(reader, writer)
            return
        methods = await reader.readexactly(count)
        wanted = 2 if self._demands_password else 0
        writer.write(bytes((5, wanted if wanted in methods else 0xFF)))
        if wanted not in methods or (wanted and not await self._knows(reader, writer)):
            writer.close()
            return
        _, _, _, kind = await reader.readexactly(4)
        size = 4 if kind == 1 else (await reader.readexactly(1))[0]
        raw = await reader.readexactly(size)
        host = ".".join(map(str, raw)) if kind == 1 else raw.decode()
        (port,) = struct.unpack("!H", await reader.readexactly(2))
        if self._refuses is not None:
            writer.write(self._refuses)
        else:
            await self._tunnel(reader, writer, (host, port), bytes((5, 0, 0, 1, 0, 0, 0, 0, 0, 0)))
        writer.close()

    async def _serve_socks4(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        port, *address = struct.unpack("!H4B", await reader.readexactly(6))
        await reader.readuntil(b"\0")
        is_name = address[:3] == [0, 0, 0]
        name = (await reader.readuntil(b"\0"))[:-1].decode() if is_name else ""
        host = name or ".".join(map(str, address))
        await self._tunnel(reader, writer, (host, port), bytes((0, 90, 0, 0, 0, 0, 0, 0)))
        writer.close()

    async def _knows(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        _, size = await reader.readexactly(2)
        user = await reader.readexactly(size)
        password = await reader.readexactly((await reader.readexactly(1))[0])
        knows = (user, password) == (USER, PASSWORD)
        writer.write(bytes((1, 0 if knows else 1)))
        return knows

    async def _tunnel(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        target: tuple[str, int],
        welcome: bytes,
    ) -> None:
        host, port = target
        self.targets.append(f"{host}:{port}")
        far_reader, far_writer = await asyncio.open_connection(self.names.get(host, host), port)
        self.open += 1
        writer.write(welcome)
        async with asyncio.TaskGroup() as group:
            group.create_task(_pump(reader, far_writer))
            group.create_task(_pump(far_reader, writer))
        self.open -= 1


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while content := await reader.read(65536):
            writer.write(content)
            await writer.drain()
    except ConnectionError:
        pass
    writer.close()


@asynccontextmanager
async def proxy(
    kind: str, *, tls=None, demands_password: bool = False, refuses: bytes | None = None
) -> AsyncIterator[ProxyDouble]:
    """Run a proxy of kind `http` or `socks`; `refuses` is what it says to every request."""
    made = ProxyDouble(demands_password=demands_password, refuses=refuses)
    serve = made.serve_http if kind == "http" else made.serve_socks
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        await asyncio.sleep(0)
