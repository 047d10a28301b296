"""One connection over TLS, which slows and ends as one without."""

import asyncio

import pytest

from longwire.core.errors import UpstreamTimeout
from longwire.upstream.websocket.keepalive import Heartbeat
from tests.doubles.peer import (
    TEXT,
    close_frame,
    frame,
)
from tests.upstream.websocket.connection_steps import (
    event,
    queued,
    receive,
)


class TestTls:
    """What rests on the transport below holds on an encrypted one as well."""

    async def test_slow_reader(self, linked, authority, until):
        """A consumer that does not read blocks the upstream, and misses nothing afterwards."""
        async with linked(authority=authority) as ends:
            ends.connection.begin()
            sent = [event(number, pad="x" * 1000) for number in range(40_000)]
            ends.link.write(*(frame(TEXT, message) for message in sent))
            await until(lambda: "paused" in repr(ends.connection))
            waiting = -1
            while waiting != ends.link.unsent:
                waiting = ends.link.unsent
                await asyncio.sleep(0.01)
            # uvloop does not tell what waits below its TLS; then the queue alone is the proof.
            assert ends.link.unsent > 16 * 1024 * 1024 or "uvloop" in str(
                asyncio.get_running_loop()
            )
            assert queued(ends.connection) < 2 * 1024 * 1024
            assert sent == await receive(ends.connection, len(sent))

    async def test_large_frames(self, linked, authority):
        """Large frames go both ways."""
        message = b"x" * 15 * 1024 * 1024
        async with linked(authority=authority) as ends:
            ends.connection.begin()
            ends.link.write(frame(TEXT, message))
            assert [message] == await receive(ends.connection, 1)
            async with asyncio.TaskGroup() as group:
                group.create_task(ends.connection.send(message))
                await ends.link.reader.readexactly(14 + len(message))

    @pytest.mark.looptime
    async def test_send_deadline(self, linked, authority):
        """An upstream that never reads fails the send, and is disconnected."""
        async with linked(Heartbeat(interval=3600, send_timeout=30), authority) as ends:
            ends.link.pause()
            with pytest.raises(UpstreamTimeout):
                await ends.connection.send(b"x" * 32 * 1024 * 1024)
            ends.connection.close()
            await asyncio.sleep(2.5)
            assert "lingering" not in repr(ends.connection)

    async def test_close(self, linked, authority):
        """The close handshake is whole from either side."""
        async with linked(authority=authority) as ends:
            ends.connection.close()
            assert await ends.link.close_code() == 1000
            ends.link.write(close_frame(1000))
            assert await ends.link.ended()
        async with linked(authority=authority) as ends:
            ends.link.write(close_frame(1001))
            assert await ends.link.close_code() == 1000
            assert await ends.link.ended()
            assert ends.closed == [ends.connection]

    @pytest.mark.parametrize("ending", ["hang_up", "reset"])
    async def test_breaks_off(self, linked, authority, until, ending):
        """A socket that ends without a close frame ends the connection at once."""
        async with linked(authority=authority) as ends:
            getattr(ends.link, ending)()
            await until(lambda: ends.connection.is_closed)
