"""A TCP proxy that can lose a connection as networks do: nothing arrives, and nobody is told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class LossyProxy:
    """Forwards to one port, until `drop` makes what is open now fall silent for ever."""

    def __init__(self, target: int) -> None:
        self.port = 0
        self.accepted = 0
        self._target = target
        self._age = 0

    @property
    def url(self) -> str:
        """Where to find it."""
        return f"http://127.0.0.1:{self.port}"

    def drop(self) -> None:
        """Lose all packets of the connections that are open now, in both directions."""
        self._age += 1

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward one connection both ways."""
        self.accepted += 1
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._pump(reader, far_writer, self._age))
            group.create_task(self._pump(far_reader, writer, self._age))

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, age: int
    ) -> None:
        try:
            while content := await reader.read(65_536):
                if age == self._age:
                    writer.write(content)
                    await writer.drain()
        except ConnectionError:
            pass
        writer.close()


@asynccontextmanager
async def lossy_proxy(target: int) -> AsyncIterator[LossyProxy]:
    """Run a proxy before a port of this machine."""
    made = LossyProxy(target)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        await asyncio.sleep(0)
