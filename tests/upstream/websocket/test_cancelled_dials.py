"""A dial that is given up touches nobody else's socket."""

import asyncio
import contextlib
import socket
import struct

import pytest

from longwire.upstream.websocket.dialer import Endpoint, dial

RESET = struct.pack("ii", 1, 0)


def reset_by(listener: socket.socket) -> None:
    """Accept what waits, if anything, and end it with RST."""
    with contextlib.suppress(TimeoutError):
        accepted, _ = listener.accept()
        accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        accepted.close()


@pytest.mark.parametrize("steps", range(10))
async def test_a_descriptor_used_again_belongs_to_its_new_owner(steps: int) -> None:
    """Callers who come as a dial is cancelled are served, whatever their descriptors' numbers."""
    served: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.append(await reader.read(5))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    with socket.create_server(("127.0.0.1", 0)) as upstream, contextlib.ExitStack() as stack:
        upstream.settimeout(0.05)
        endpoint = Endpoint(f"ws://127.0.0.1:{upstream.getsockname()[1]}/", {})
        callers = [stack.enter_context(socket.socket()) for _ in range(3)]
        async with asyncio.TaskGroup() as group:
            dialing = group.create_task(given_up(endpoint))
            for _ in range(steps):
                await asyncio.sleep(0)
            reset_by(upstream)
            for caller in callers:
                caller.connect(server.sockets[0].getsockname())
                caller.sendall(b"hello")
            dialing.cancel()
        async with asyncio.timeout(20):
            while len(served) < len(callers):  # noqa: ASYNC110 - the callers are plain sockets
                await asyncio.sleep(0.001)
    server.close()
    await server.wait_closed()
    assert [b"hello"] * 3 == served


async def given_up(endpoint: Endpoint) -> None:
    with contextlib.suppress(Exception):
        await dial(endpoint, {}, lambda _: None)
