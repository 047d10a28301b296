"""Readers and sockets that are slower than who sends to them."""

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
    SOON,
    event,
    queued,
    reason_of,
    receive,
    refused,
)


class TestPressure:
    async def test_slow_reader_blocks_the_upstream(self, linked, until):
        """A consumer that does not read fills a bounded queue and then the upstream's socket."""
        async with linked() as ends:
            ends.connection.begin()
            sent = [event(number, pad="x" * 1000) for number in range(40_000)]
            ends.link.write(*(frame(TEXT, message) for message in sent))
            await until(lambda: "paused" in repr(ends.connection))
            waiting = -1
            while waiting != ends.link.unsent:
                waiting = ends.link.unsent
                await asyncio.sleep(0.01)
            assert ends.link.unsent > 16 * 1024 * 1024
            assert queued(ends.connection) < 2 * 1024 * 1024
            assert sent == await receive(ends.connection, len(sent))
            assert ends.link.unsent == 0

    async def test_pace_of_the_reader(self, linked):
        """However far a reader lags behind, little of what was sent waits on this side."""
        async with linked() as ends:
            ends.connection.begin()
            count, most = 40_000, 0
            ends.link.write(*(frame(TEXT, event(n, pad="x" * 1000)) for n in range(count)))
            while count:
                count -= len(await ends.connection.receive(SOON))
                for _ in range(3):
                    await asyncio.sleep(0)
                most = max(most, queued(ends.connection))
            assert most < 3 * 1024 * 1024

    @pytest.mark.parametrize("ends_exchange", [True, False])
    async def test_slow_reader_is_closed_in_order(self, linked, until, ends_exchange):
        """A connection that was held back still reads the answer to its close."""
        async with linked() as ends:
            ends.connection.begin()
            ends.link.write(*(frame(TEXT, event(n, pad="x" * 1000)) for n in range(20_000)))
            await until(lambda: "paused" in repr(ends.connection))
            if ends_exchange:
                ends.connection.finish()
            else:
                ends.connection.close()
            assert ends.connection.is_closed
            async with asyncio.timeout(1.5):
                assert await ends.link.close_code() == 1000
                ends.link.write(close_frame(1000))
                assert await ends.link.ended()

    async def test_slow_reader_of_an_aborted_connection(self, linked, until):
        """What was queued when a connection was aborted can still be received."""
        async with linked() as ends:
            ends.connection.begin()
            ends.link.write(*(frame(TEXT, event(n, pad="x" * 1000)) for n in range(20_000)))
            await until(lambda: "paused" in repr(ends.connection))
            ends.connection.abort("no patience")
            await until(lambda: "lingering" not in repr(ends.connection))
            assert event(0, pad="x" * 1000) == (await receive(ends.connection, 1))[0]
            assert "no patience" in await reason_of(ends.connection)

    async def test_send_waits_for_the_socket(self, linked):
        """A large message is sent whole, as fast as the upstream takes it."""
        message = b"x" * 8 * 1024 * 1024
        async with linked() as ends:
            ends.link.pause()
            async with asyncio.TaskGroup() as group:
                sending = group.create_task(ends.connection.send(message))
                await asyncio.sleep(0.005)
                assert not sending.done()
                ends.link.writer.transport.resume_reading()
                await ends.link.reader.readexactly(14 + len(message))
            assert not ends.connection.is_closed

    @pytest.mark.looptime
    async def test_send_deadline(self, linked):
        """An upstream that never reads fails the send after its deadline."""
        async with linked(Heartbeat(interval=3600, send_timeout=30)) as ends:
            ends.link.pause()
            with pytest.raises(UpstreamTimeout, match=r"30 s \(send\)"):
                await ends.connection.send(b"x" * 32 * 1024 * 1024)
            ends.connection.close()
            await asyncio.sleep(2.5)
            assert "lingering" not in repr(ends.connection)

    async def test_lost_while_sending(self, linked):
        """A connection that breaks under a send fails it at once."""
        async with linked() as ends:
            ends.link.pause()
            async with asyncio.TaskGroup() as group:
                group.create_task(refused(ends.connection))
                await asyncio.sleep(0.005)
                ends.link.reset()
