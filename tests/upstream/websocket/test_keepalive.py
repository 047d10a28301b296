"""Pings of one connection, and what counts as a sign of life."""

import asyncio

import pytest

from longwire.upstream.websocket.keepalive import Heartbeat
from tests.doubles.peer import (
    CLOSE,
    PING,
    PONG,
    TEXT,
    frame,
)
from tests.upstream.websocket.connection_steps import (
    HUGE,
    event,
    reason_of,
    receive,
    refused,
)


class TestPings:
    async def test_ping_is_answered_while_idle(self, linked):
        """The upstream's ping is answered, whether a turn runs or not."""
        async with linked() as ends:
            ends.link.write(frame(PING, b"are you there"))
            assert await ends.link.frame() == (PONG, b"are you there")
            ends.connection.begin()
            ends.link.write(frame(PING))
            assert await ends.link.frame() == (PONG, b"")

    @pytest.mark.looptime
    async def test_missing_pong(self, linked):
        """Silence after our ping ends the connection after interval and timeout."""
        async with linked(Heartbeat(interval=20, timeout=10)) as ends:
            start = asyncio.get_running_loop().time()
            assert await ends.link.frame() == (PING, b"")
            assert await ends.link.ended()
            assert asyncio.get_running_loop().time() - start == pytest.approx(30, abs=1)
            assert ends.closed == [ends.connection]
            assert "no ping" in await reason_of(ends.connection)

    @pytest.mark.looptime
    async def test_pong_keeps_it(self, linked):
        """A connection whose pings are answered lives on."""
        async with linked(Heartbeat(interval=20, timeout=10)) as ends:
            for _ in range(5):
                assert await ends.link.frame() == (PING, b"")
                ends.link.write(frame(PONG))
            assert not ends.connection.is_closed

    @pytest.mark.looptime
    @pytest.mark.parametrize("sign", [frame(TEXT, b'{"type":"codex.x"}'), frame(PING)])
    async def test_any_frame_is_a_sign_of_life(self, linked, sign):
        """Any frame answers a ping: some upstreams delay their pongs behind deltas."""
        async with linked(Heartbeat(interval=20, timeout=10)) as ends:
            for _ in range(3):
                opcode = 0
                while opcode != PING:
                    opcode, _ = await ends.link.frame()
                await asyncio.sleep(9)
                ends.link.write(sign)
            assert not ends.connection.is_closed

    @pytest.mark.looptime
    async def test_no_ping_while_frames_come(self, linked):
        """Who talks anyway is not asked for a sign of life."""
        async with linked(Heartbeat(interval=20, timeout=10)) as ends:
            ends.connection.begin()
            for number in range(10):
                await asyncio.sleep(15)
                ends.link.write(frame(TEXT, event(number)))
                await receive(ends.connection, 1)
            ends.connection.finish()
            ends.connection.close()
            assert (await ends.link.frame())[0] == CLOSE

    @pytest.mark.looptime
    async def test_paused_reader_is_not_killed(self, linked, until):
        """A reader that is held back hears no pong, and is not closed for that."""
        async with linked(Heartbeat(interval=20, timeout=10)) as ends:
            ends.connection.begin()
            sent = [event(number, pad="x" * 65536) for number in range(400)]
            ends.link.write(*(frame(TEXT, message) for message in sent))
            await until(lambda: "paused" in repr(ends.connection))
            await asyncio.sleep(200)
            assert not ends.connection.is_closed
            assert sent == await receive(ends.connection, len(sent))

    @pytest.mark.looptime
    async def test_watched_again_after_a_pause(self, linked, until):
        """Once its reader caught up, a silent upstream is pinged and given up as before."""
        async with linked(Heartbeat(interval=20, timeout=10)) as ends:
            ends.connection.begin()
            sent = [event(number, pad="x" * 65536) for number in range(400)]
            ends.link.write(*(frame(TEXT, message) for message in sent))
            await until(lambda: "paused" in repr(ends.connection))
            assert sent == await receive(ends.connection, len(sent))
            assert await ends.link.frame() == (PING, b"")
            assert await ends.link.ended()
            assert "no ping" in await reason_of(ends.connection)

    @pytest.mark.looptime
    async def test_no_ping_after_close(self, linked):
        """A close frame is the last that is sent (RFC 6455, 5.5.1)."""
        async with linked(Heartbeat(interval=1)) as ends:
            ends.connection.close()
            assert (await ends.link.frame())[0] == CLOSE
            assert await ends.link.reader.read() == b""

    async def test_pings_of_a_deaf_upstream(self, linked, until):
        """An upstream that reads nothing gets no pongs queued for it, however many it asks for."""
        async with linked() as ends:
            ends.link.pause()
            ends.connection.begin()
            async with asyncio.TaskGroup() as group:
                group.create_task(refused(ends.connection))
                await until(lambda: "blocked" in repr(ends.connection))
                ends.link.write(*[frame(PING, b"?" * 125)] * 1000, frame(TEXT, event(1)))
                assert [event(1)] == await receive(ends.connection, 1)
                ends.connection.close()
                ends.link.writer.transport.resume_reading()
                await ends.link.reader.readexactly(14 + HUGE)
            assert (CLOSE, b"\x03\xe8") == await ends.link.frame()
